"""Similarity transforms (turn, zoom and shift), float64 2 x 3: an object's motion as a whole."""

from __future__ import annotations

import numpy as np

from controls.masks.flowcut.region import Region

__all__ = ["fit_similarity", "fit_similarity_in", "inverse", "similarity_flow", "thinned", "translation"]

MOST_SAMPLES = 3000


def translation(by: np.ndarray) -> np.ndarray:
    """A shift by (x, y)."""
    return np.hstack([np.eye(2), np.reshape(by, (2, 1)).astype(np.float64)])


def inverse(transform: np.ndarray) -> np.ndarray:
    """The transform that leads back."""
    turn = np.linalg.inv(transform[:, :2])
    return np.hstack([turn, -(turn @ transform[:, 2:])])


def similarity_flow(transform: np.ndarray, region: Region) -> np.ndarray:
    """The flow of a transform on the region's pixels, float32 h x w x 2."""
    x, y = region.coordinates()
    a = transform.astype(np.float32)
    return np.stack([a[0, 0] * x + a[0, 1] * y + a[0, 2] - x, a[1, 0] * x + a[1, 1] * y + a[1, 2] - y], -1)


def thinned(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most ``MOST_SAMPLES`` of these pixels, evenly chosen."""
    if len(x) > MOST_SAMPLES:
        chosen = np.linspace(0, len(x) - 1, MOST_SAMPLES).astype(np.intp)
        y, x = y[chosen], x[chosen]
    return y, x


def fit_similarity_in(
    region: Region, y: np.ndarray, x: np.ndarray, flow: np.ndarray, weights: np.ndarray, *, scale: float = 1.0
) -> np.ndarray:
    """``fit_similarity`` to ``flow`` (float32 h x w x 2 of the region) at its pixels ``y``, ``x``, by ``weights`` (h x w)."""
    points = np.stack([x + region.left, y + region.top], -1)
    return fit_similarity(points, flow[y, x], weights[y, x], scale=scale)


def fit_similarity(points: np.ndarray, motion: np.ndarray, weights: np.ndarray, *, scale: float = 1.0) -> np.ndarray:
    """The transform that moves ``points`` (n x 2) by ``motion`` (n x 2): least squares, with weights that fall where the motion
    differs by more than ``scale`` pixels (iterated, Geman-McClure). With few samples, a shift alone."""
    from_, to = points.astype(np.float64), points.astype(np.float64) + motion
    weights = weights.astype(np.float64)
    middle = np.median(motion[weights > 0], axis=0) if (weights > 0).any() else np.zeros(2)
    fitted = np.hstack([np.eye(2), middle[:, None].astype(np.float64)])
    for _ in range(6):
        away = np.square(from_ @ fitted[:, :2].T + fitted[:, 2] - to).sum(axis=1)
        share = weights / np.square(1 + away / (2 * scale) ** 2)
        total = share.sum()
        if total < 1e-3:
            return fitted
        a, b = (share @ from_) / total, (share @ to) / total
        if total < 24:
            fitted = np.hstack([np.eye(2), (b - a)[:, None]])
            continue
        p, q = from_ - a, to - b
        spread = (share * np.square(p).sum(axis=1)).sum() + 1e-6 + 16 * total  # the last holds small objects still
        cos = ((share * (p * q).sum(axis=1)).sum() + 16 * total) / spread
        sin = (share * (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0])).sum() / spread
        turn = np.array([[cos, -sin], [sin, cos]])
        fitted = np.hstack([turn, (b - turn @ a)[:, None]])
    return fitted
