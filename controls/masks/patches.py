"""The patch of its own colour that surely belongs to a point, being connected with it."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

__all__ = ["connected_patch", "nearer_than"]

LIKE = (9.0, 14.0, 20.0)
"""Colour difference, in each of CIELAB's planes, up to which the patch goes on; the next, on uneven ground ..."""
LEAST = 0.15
"""... where less than this share of what is allowed is reached."""


def connected_patch(
    picture: np.ndarray, at: tuple[float, float], reach: float, others: Iterable[tuple[float, float]] = ()
) -> np.ndarray:
    """bool h x w: pixels that are connected with ``at`` (x, y), of its colour, at most ``reach`` pixels away, and nearer to it
    than to any of the ``others``; its own pixel always. ``picture``: CIELAB float32 h x w x 3."""
    height, width = picture.shape[:2]
    x, y = (min(max(int(np.floor(place + 0.5)), 0), most - 1) for place, most in zip(at, (width, height), strict=True))
    room = int(np.ceil(reach)) + 1
    top, bottom, left, right = max(0, y - room), min(height, y + room + 1), max(0, x - room), min(width, x + room + 1)
    window = cv2.GaussianBlur(np.ascontiguousarray(picture[top:bottom, left:right]), (3, 3), 0)
    around = window[max(0, y - top - 1) : y - top + 2, max(0, x - left - 1) : x - left + 2]
    window[y - top, x - left] = np.median(around.reshape(-1, 3), axis=0)
    allowed = nearer_than(window.shape[:2], (left, top), at, reach, others)
    allowed[y - top, x - left] = True
    flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | (2 << 8)
    for like in LIKE:
        blocked = np.pad((~allowed).astype(np.uint8), 1, constant_values=1)
        cv2.floodFill(window, blocked, (x - left, y - top), 0, (like,) * 3, (like,) * 3, flags)
        reached = (blocked[1:-1, 1:-1] == 2).astype(np.uint8)
        if reached.sum() >= LEAST * allowed.sum():
            break
    reached = cv2.morphologyEx(reached, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))  # grain leaves pinholes
    patch = np.zeros((height, width), bool)
    patch[top:bottom, left:right] = (reached > 0) & allowed
    return patch


def nearer_than(
    shape: tuple[int, ...],
    corner: tuple[int, int],
    at: tuple[float, float],
    reach: float,
    others: Iterable[tuple[float, float]] = (),
) -> np.ndarray:
    """bool h x w: pixels within ``reach`` of ``at`` (x, y), and nearer to it than to any of the ``others``. ``shape``: of the
    pixels' rectangle; ``corner``: x and y of its first."""
    y, x = np.mgrid[corner[1] : corner[1] + shape[0], corner[0] : corner[0] + shape[1]].astype(np.float32)
    distance = np.hypot(x - at[0], y - at[1])
    inside = distance <= reach
    for other in others:
        inside &= distance < np.hypot(x - other[0], y - other[1])
    return inside
