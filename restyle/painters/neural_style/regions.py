"""Place of a region of a picture in what the network sees: reduced, padded, and with its surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import cv2
import numpy as np

from interp.pixels.boxes import Box, cropped, grown
from interp.pixels.depth import to_unit
from interp.pixels.sizes import scaled_size

__all__ = ["MARGIN", "Canvas", "Reduction", "unit_picture"]

SMALLEST = 32  # side below which a picture is padded: the network halves it twice and reflects
GRID = 4  # pixels: the network halves a picture twice
MARGIN = 64  # pixels round a region that its painting depends on
ENLARGING_MARGIN = 8  # pixels of the small painting that its enlarging depends on


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


@dataclass(frozen=True)
class Reduction:
    """A picture of ``full`` pixels, painted at ``small`` pixels; both (width, height)."""

    full: tuple[int, int]
    small: tuple[int, int]

    @classmethod
    def within(cls, picture: np.ndarray, most_pixels: int) -> Reduction:
        """The picture as it is, or at the size that has about ``most_pixels``."""
        height, width = picture.shape[:2]
        scale = min(1.0, (most_pixels / (height * width)) ** 0.5)
        return cls((width, height), (width, height) if scale == 1 else scaled_size(width, height, scale))

    @property
    def is_none(self) -> bool:
        """The picture is painted at its own size."""
        return self.full == self.small

    def part(self, picture: np.ndarray, box: Box) -> np.ndarray:
        """Cut out what lies in ``box`` of the small picture, float32: as if all of it had been reduced."""
        if self.is_none:
            return unit_picture(cropped(picture, box))
        (left, top, right, bottom), full = self._on_both_grids(box)
        part = unit_picture(cropped(picture, full))
        part = cv2.resize(part, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
        return cropped(part, (box[0] - left, box[1] - top, box[2] - left, box[3] - top))

    def needed(self, box: Box) -> tuple[Box, Box]:
        """The box of the small picture from which ``box`` of the full one is enlarged, and what that is of the full one."""
        ratios = [small / full for small, full in zip(self.small, self.full, strict=True)] * 2
        left, top, right, bottom = (int(side * ratio) for side, ratio in zip(box, ratios, strict=True))
        return self._on_both_grids(grown((left, top, right + 1, bottom + 1), ENLARGING_MARGIN, *self.small))

    def _on_both_grids(self, box: Box) -> tuple[Box, Box]:
        """``box`` of the small picture, grown until its sides lie between pixels of the full picture too; and there."""
        divisors = [gcd(small, full) for small, full in zip(self.small, self.full, strict=True)]
        across, down = (small // divisor for small, divisor in zip(self.small, divisors, strict=True))
        left, top, right, bottom = box[0] // across, box[1] // down, -(-box[2] // across), -(-box[3] // down)
        wide, tall = (full // divisor for full, divisor in zip(self.full, divisors, strict=True))
        return (
            (left * across, top * down, right * across, bottom * down),
            (left * wide, top * tall, right * wide, bottom * tall),
        )


def _on_grid(side: int) -> int:
    """``side``, or the next multiple of ``GRID``."""
    return -(-side // GRID) * GRID
