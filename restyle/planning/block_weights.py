"""Weights of a picture's blocks where keyframes are chosen: faces count double, for people look there first."""

from __future__ import annotations

import numpy as np

from controls.faces import FaceFinder
from interp.structure import grid_of
from restyle.errors import translated

__all__ = ["BlockWeights"]

FACE = 2.0
SMALLEST = 160  # pixels of the long side; below, no face of a person among others can be made out


class BlockWeights:
    """Weighs the blocks (``interp.structure.grid_of``) of small pictures of one size, W x H pixels.

    ``faces``: whether faces are looked for, which needs MediaPipe; else all blocks count alike. Raises
    ``MissingExtraError``, and ``RecipeError`` if MediaPipe cannot be used.
    """

    def __init__(self, size: tuple[int, int], *, faces: bool) -> None:
        self._grid = grid_of(*size)
        with translated():
            self._finder = FaceFinder() if faces and max(size) >= SMALLEST else None

    def of(self, picture: np.ndarray, inside: np.ndarray | None = None) -> np.ndarray:
        """Weigh a picture's blocks: float32 rows x columns. ``picture``: h x w x 3 uint8. ``inside``: bool rows x columns,
        blocks that count at all; ``None``: all."""
        weights = np.ones(self._grid, np.float32)
        rows, columns = self._grid
        for left, top, right, bottom in [] if self._finder is None else self._finder.find(picture):
            across = slice(max(0, int(left * columns)), max(0, int(np.ceil(right * columns))))
            weights[max(0, int(top * rows)) : max(0, int(np.ceil(bottom * rows))), across] = FACE
        return weights if inside is None else weights * inside
