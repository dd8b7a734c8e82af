"""How what surrounds a thing moves, and would move behind it."""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["affine", "completed"]

DRAGGED = 6  # working pixels round a hole in which motion is the thing's, too
AFFINE_STEP = 4  # working pixels from sample to sample of a fit


def completed(flow: np.ndarray, sure: np.ndarray, hidden: np.ndarray, arrives: np.ndarray) -> np.ndarray:
    """The flow, with that of the surroundings in and near the hole.

    ``flow``: float32 h x w x 2; ``sure``: float32 h x w, how sure it is; ``hidden``: float32 h x w, share of each pixel that
    the thing covers here, ``arrives``: in the frame that the flow leads to. All zeros where nothing round it is sure.
    """
    if not hidden.any() and not arrives.any():
        return flow
    size = 2 * DRAGGED + 1
    hole = cv2.dilate(np.maximum(hidden, arrives), np.ones((size, size), np.uint8)).reshape(sure.shape) > 0
    trust = np.where(hole, np.float32(0), sure)
    if float(trust.mean()) < 0.02:  # nothing round it to go by
        return np.zeros_like(flow)
    base = affine(flow, trust)
    rest = (flow - base) * trust[:, :, None]
    sigma = max(4.0, float(np.sqrt(hole.mean() * hole.size)) / 6)
    mass = cv2.GaussianBlur(trust, (0, 0), sigma).reshape(trust.shape)
    rest = cv2.GaussianBlur(rest, (0, 0), sigma).reshape(flow.shape) / (mass + np.float32(0.02))[:, :, None]
    soft = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 2.0).reshape(sure.shape)
    soft = np.maximum(soft, (hidden > 0).astype(np.float32))[:, :, None]
    return (flow + soft * (base + rest - flow)).astype(np.float32)


def affine(flow: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """The one affine motion that most of ``flow`` (float32 h x w x 2) shares, by ``trust`` (float32 h x w): iteratively
    reweighted least squares, Geman-McClure. float32 h x w x 2."""
    height, width = trust.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x - width / 2) / width, (y - height / 2) / width
    places = np.stack([np.ones_like(x), x, y], axis=2)
    part = np.s_[::AFFINE_STEP, ::AFFINE_STEP]
    a, f = places[part].reshape(-1, 3).astype(np.float64), flow[part].reshape(-1, 2).astype(np.float64)
    given = trust[part].ravel().astype(np.float64) + 1e-6
    weight: np.ndarray = given
    model: np.ndarray = np.zeros((3, 2))
    for _ in range(6):
        weighed = a * weight[:, None]
        model = np.linalg.solve(weighed.T @ a + 1e-6 * np.eye(3), weighed.T @ f)
        off = np.linalg.norm(f - a @ model, axis=1)
        scale = max(0.1, 1.5 * float(np.median(off[given > 1e-3])) if (given > 1e-3).any() else 0.1)
        weight = given / (1 + (off / scale) ** 2) ** 2
    return (places @ model).astype(np.float32)
