"""Rectangles of whole pixels in a picture."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

__all__ = ["Box", "bounding_box", "cropped", "grown", "part_of", "union"]

Box = tuple[int, int, int, int]
"""Left, top, right, bottom; the last two are not part of it."""


def bounding_box(mask: np.ndarray) -> Box | None:
    """The smallest box round all that is not 0 in ``mask`` (H x W of any dtype); ``None`` where all is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def union(boxes: Iterable[Box | None]) -> Box | None:
    """The smallest box round all of them; ``None`` where there is none."""
    corners = [box for box in boxes if box is not None]
    if not corners:
        return None
    left, top, right, bottom = np.array(corners).T
    return int(left.min()), int(top.min()), int(right.max()), int(bottom.max())


def grown(box: Box, by: int, width: int, height: int) -> Box:
    """The box, ``by`` pixels larger on each side where the picture of ``width`` x ``height`` goes on."""
    left, top, right, bottom = box
    return max(0, left - by), max(0, top - by), min(width, right + by), min(height, bottom + by)


def part_of(box: Box) -> tuple[slice, slice]:
    """The index of the box in an array H x W (x C)."""
    left, top, right, bottom = box
    return slice(top, bottom), slice(left, right)


def cropped(picture: np.ndarray, box: Box) -> np.ndarray:
    """The part of a picture or plane within the box, C-contiguous."""
    return np.ascontiguousarray(picture[part_of(box)])
