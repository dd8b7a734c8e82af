"""Faces of the footage, close up, as models are shown them that take over what a face does."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from controls.faces import FaceFinder
from interp.pixels.depth import to_uint8
from restyle.errors import translated

__all__ = ["close_ups"]

SIDE = 512  # pixels; as Wan Animate's own preparation cuts them
LARGER = 1.3  # times the face's area ...
ABOVE = 3 / 4  # ... of which so much goes above it


def close_ups(pictures: Sequence[np.ndarray], mattes: Sequence[np.ndarray] = ()) -> tuple[np.ndarray, ...]:
    """Cut the face out of each picture, H x W x 3 of any depth: uint8 512 x 512 x 3, black where there is none.

    Of several faces the largest; with ``mattes`` (float32 H x W, one a picture) the one of which most is inside. Raises
    ``MissingExtraError``, and ``RecipeError`` if MediaPipe cannot be used.
    """
    with translated():
        finder = FaceFinder()
    inside: list[np.ndarray | None] = [*mattes] if mattes else [None] * len(pictures)
    return tuple(_close_up(finder, picture, matte) for picture, matte in zip(pictures, inside, strict=True))


def _close_up(finder: FaceFinder, picture: np.ndarray, matte: np.ndarray | None) -> np.ndarray:
    eight = to_uint8(picture)
    height, width = eight.shape[:2]
    best, most = None, 0.0
    for left, top, right, bottom in finder.find(eight):
        grown = LARGER**0.5 - 1
        across, down = (right - left) * grown, (bottom - top) * grown
        rows = slice(_pixel(top - down * ABOVE, height), _pixel(bottom + down * (1 - ABOVE), height))
        columns = slice(_pixel(left - across / 2, width), _pixel(right + across / 2, width))
        size = float(np.prod(eight[rows, columns].shape[:2]) if matte is None else matte[rows, columns].sum())
        if size > most:
            best, most = eight[rows, columns], size
    if best is None:
        return np.zeros((SIDE, SIDE, 3), np.uint8)
    return cv2.resize(best, (SIDE, SIDE))


def _pixel(share: float, side: int) -> int:
    return int(min(max(share, 0.0), 1.0) * side)
