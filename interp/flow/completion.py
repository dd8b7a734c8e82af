"""The motion of what surrounds a thing, carried on behind it: flow completion."""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["complete_flow", "fit_affine"]

DRAGGED = 6  # working pixels round a hole in which motion is the thing's, too
AFFINE_STEP = 4  # working pixels from sample to sample of a fit


def complete_flow(flow: np.ndarray, confidence: np.ndarray, hidden: np.ndarray, hidden_there: np.ndarray) -> np.ndarray:
    """The flow, with that of the surroundings in and near the hole.

    ``flow``: float32 h x w x 2; ``confidence``: its, float32 h x w; ``hidden``: float32 h x w, share of each pixel that
    the thing covers here, ``hidden_there``: in the frame that the flow leads to. All zeros where nothing round it is certain.
    """
    if not hidden.any() and not hidden_there.any():
        return flow
    size = 2 * DRAGGED + 1
    hole = cv2.dilate(np.maximum(hidden, hidden_there), np.ones((size, size), np.uint8)).reshape(confidence.shape) > 0
    trust = np.where(hole, np.float32(0), confidence)
    if float(trust.mean()) < 0.02:  # nothing round it to go by
        return np.zeros_like(flow)
    base = fit_affine(flow, trust)
    rest = (flow - base) * trust[:, :, None]
    sigma = max(4.0, float(np.sqrt(hole.mean() * hole.size)) / 6)
    mass = cv2.GaussianBlur(trust, (0, 0), sigma).reshape(trust.shape)
    rest = cv2.GaussianBlur(rest, (0, 0), sigma).reshape(flow.shape) / (mass + np.float32(0.02))[:, :, None]
    share = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 2.0).reshape(confidence.shape)
    share = np.maximum(share, (hidden > 0).astype(np.float32))[:, :, None]
    return (flow + share * (base + rest - flow)).astype(np.float32)


def fit_affine(flow: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """The one affine motion that most of ``flow`` (float32 h x w x 2) shares, by ``trust`` (float32 h x w): iteratively
    reweighted least squares, Geman-McClure. float32 h x w x 2."""
    height, width = trust.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x - width / 2) / width, (y - height / 2) / width
    terms = np.stack([np.ones_like(x), x, y], axis=2)
    part = np.s_[::AFFINE_STEP, ::AFFINE_STEP]
    a, f = terms[part].reshape(-1, 3).astype(np.float64), flow[part].reshape(-1, 2).astype(np.float64)
    prior = trust[part].ravel().astype(np.float64) + 1e-6
    weight: np.ndarray = prior
    model: np.ndarray = np.zeros((3, 2))
    for _ in range(6):
        weighed = a * weight[:, None]
        model = np.linalg.solve(weighed.T @ a + 1e-6 * np.eye(3), weighed.T @ f)
        off = np.linalg.norm(f - a @ model, axis=1)
        scale = max(0.1, 1.5 * float(np.median(off[prior > 1e-3])) if (prior > 1e-3).any() else 0.1)
        weight = prior / (1 + (off / scale) ** 2) ** 2
    return (terms @ model).astype(np.float32)
