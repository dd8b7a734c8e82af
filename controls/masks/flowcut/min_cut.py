"""The minimal cut between an object and its surroundings."""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["edge_weights", "minimal_cut"]

STEP = np.float32(0.35)  # primal and dual; their product times 8 (the gradient's squared norm) is just below 1


def edge_weights(picture: np.ndarray, *, floor: float = 0.04) -> np.ndarray:
    """float32 H x W x 2: what a border costs between each pixel and its right and its lower neighbour; 1 in even places, little
    where colours change. ``picture``: CIELAB float32 H x W x 3. Contrast is measured against its mean, as in GrabCut (Rother,
    Kolmogorov & Blake, 2004)."""
    steps = np.zeros((*picture.shape[:2], 2), np.float32)
    across, down = np.diff(picture, axis=1), np.diff(picture, axis=0)
    steps[:, :-1, 0] = np.einsum("ijk,ijk->ij", across, across)
    steps[:-1, :, 1] = np.einsum("ijk,ijk->ij", down, down)
    mean = max(float(steps.mean()), 1.0)
    return np.float32(floor) + np.float32(1 - floor) * np.exp(steps * np.float32(-0.5 / mean))


def minimal_cut(
    cost: np.ndarray, edges: np.ndarray, *, start: np.ndarray, smooth: float = 1.0, rounds: int = 60
) -> np.ndarray:
    """Pixels that belong to the object: float32 h x w in [0, 1], nearly always 0 or 1.

    The minimum over u in [0, 1] of sum(cost u) + smooth sum(edges |grad u|), differences taken to the right and downward: the
    graph cut with four neighbours in its convex form, which has the same minimum (Chan, Esedoglu & Nikolova 2006), found by the
    primal-dual steps of Chambolle & Pock (2011). It takes any cost for each pixel, which OpenCV's cut does not. ``cost``:
    float32 h x w, negative where the object is likely; ``edges``: from ``edge_weights``; ``start``: a first guess, the nearer
    the fewer ``rounds`` are needed.
    """
    limit = edges * np.float32(smooth)
    held = (cost * STEP).astype(np.float32)
    now = start.astype(np.float32)
    ahead = now.copy()
    force = np.zeros((*cost.shape, 2), np.float32)
    along, down = force[:, :, 0], force[:, :, 1]
    for _ in range(rounds):
        along[:, :-1] += STEP * (ahead[:, 1:] - ahead[:, :-1])
        down[:-1] += STEP * (ahead[1:] - ahead[:-1])
        np.clip(force, -limit, limit, out=force)
        before = now
        now = before - held
        now[:, :-1] += STEP * along[:, :-1]
        now[:, 1:] -= STEP * along[:, :-1]
        now[:-1] += STEP * down[:-1]
        now[1:] -= STEP * down[:-1]
        np.clip(now, 0, 1, out=now)
        ahead = now + now
        ahead -= before
    return cv2.max(now, 0)
