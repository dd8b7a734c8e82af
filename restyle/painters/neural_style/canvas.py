"""The network's own picture: padded, and of a region of a picture its place in it and its surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from interp.pixels.boxes import Box, grown
from interp.pixels.depth import to_unit

__all__ = ["MARGIN", "Canvas", "unit_picture"]

SMALLEST = 32  # side below which a picture is padded: the network halves it twice and reflects
GRID = 4  # pixels: the network halves a picture twice
MARGIN = 64  # pixels round a region that its painting depends on


def unit_picture(picture: np.ndarray) -> np.ndarray:
    """A picture of any depth as float32 in [0, 1]. NaN is black: one would spread over the whole painting."""
    return np.nan_to_num(to_unit(picture), nan=0.0).clip(0, 1)


@dataclass(frozen=True)
class Canvas:
    """The network's own picture: a multiple of 4, and at least 32 pixels a side, padded at the right and at the bottom."""

    width: int
    height: int
    """Of the picture on it, in pixels."""

    @property
    def padding(self) -> tuple[int, int]:
        """Columns and rows that are added."""
        wide, tall = (max(SMALLEST, _on_grid(side)) for side in (self.width, self.height))
        return wide - self.width, tall - self.height

    def region(self, box: Box, margin: int) -> Box:
        """The part of the picture that is to be seen for ``box`` to be painted: with a margin, and on the grid."""
        left, top, right, bottom = grown(box, margin, self.width, self.height)
        return (
            left - left % GRID,
            top - top % GRID,
            min(_on_grid(right), self.width),
            min(_on_grid(bottom), self.height),
        )

    def padded(self, part: np.ndarray, region: Box) -> np.ndarray:
        """The picture's part that is ``region``, with the canvas's padding where the picture ends."""
        wide, tall = self.padding
        right, bottom = wide * (region[2] == self.width), tall * (region[3] == self.height)
        if not right and not bottom:
            return part
        mirrored = min(self.height, self.width) > 4 and tall < self.height and wide < self.width
        kind = cv2.BORDER_REFLECT_101 if mirrored else cv2.BORDER_REFLECT
        return cv2.copyMakeBorder(part, 0, bottom, 0, right, kind)


def _on_grid(side: int) -> int:
    """``side``, or the next multiple of ``GRID``."""
    return -(-side // GRID) * GRID
