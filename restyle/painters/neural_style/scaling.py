"""The size at which a picture is painted: it decides how large brush strokes are, for a network's are some pixels wide.

A painting smaller than its picture is enlarged along the picture's own edges (``enlarge``), a larger one is reduced.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from interp.pixels.boxes import Box, cropped, grown
from restyle.painters.neural_style.canvas import unit_picture

__all__ = ["BRUSH_SIZES", "Scaling", "enlarge", "stroke_scale"]

BRUSH_SIZES = (0.25, 8.0)
MOST_PARTS = 8  # of a scale, a fraction p/q: the smaller of both at most
ENLARGING_MARGIN = 8  # pixels of the small painting that its enlarging depends on
CUBIC_MARGIN = 4  # pixels of the picture that a larger picture's depend on
REACH = 3  # radius, in pixels of the small painting, of the windows in which it is compared with its picture


def stroke_scale(frame: tuple[int, int], brush_size: float | None, lines: int) -> float:
    """Pixels of the painting to one of the frame, such that strokes are ``brush_size`` times as large as those of a picture
    of so many ``lines`` that is painted at its own size.

    ``frame``: width and height in pixels; the shorter side counts, so that frames on end are painted as those on their side.
    ``brush_size``: ``None``: 1, but frames of fewer lines are painted at their own size: finer strokes than those of their
    own pixels would cost more, and be lost.
    """
    scale = lines / min(frame)
    return min(1.0, scale) if brush_size is None else scale / brush_size


@dataclass(frozen=True)
class Scaling:
    """A picture and the size at which it is painted. Cells of ``outer`` x ``outer`` of its pixels are painted with ``inner`` x
    ``inner`` pixels; at its right and bottom border the picture is extended to whole cells."""

    full: tuple[int, int]
    """Width and height of the picture in pixels."""
    outer: int = 1
    inner: int = 1

    @classmethod
    def of(cls, picture: np.ndarray, scale: float, most_pixels: float) -> Scaling:
        """About ``scale`` pixels to one of the picture, within a few per cent, or as many as give about ``most_pixels``."""
        height, width = picture.shape[:2]
        scale = min(scale, (most_pixels / (height * width)) ** 0.5)
        ratio = Fraction(max(scale, 1 / scale)).limit_denominator(MOST_PARTS)
        larger, smaller = ratio.numerator, ratio.denominator
        return cls((width, height), *((larger, smaller) if scale < 1 else (smaller, larger)))

    @property
    def is_none(self) -> bool:
        """The picture is painted at its own size."""
        return self.outer == self.inner

    @property
    def cells(self) -> tuple[int, int]:
        """Across and down."""
        return -(-self.full[0] // self.outer), -(-self.full[1] // self.outer)

    @property
    def painted(self) -> tuple[int, int]:
        """Width and height of the painting."""
        return self.cells[0] * self.inner, self.cells[1] * self.inner

    def part(self, picture: np.ndarray, box: Box) -> np.ndarray:
        """Cut out what lies in ``box`` of the picture at the painting's size, float32: as if all of it had been scaled."""
        if self.is_none:
            return unit_picture(cropped(picture, box))
        margin = 0 if self.inner < self.outer else -(-CUBIC_MARGIN * self.inner // self.outer)
        left, top, right, bottom = cells = self._cells(grown(box, margin, *self.painted), self.inner)
        part = self._extended(picture, cells)
        kind = cv2.INTER_AREA if self.inner < self.outer else cv2.INTER_CUBIC
        part = cv2.resize(part, ((right - left) * self.inner, (bottom - top) * self.inner), interpolation=kind)
        part = cropped(part, _within((left * self.inner, top * self.inner), box))
        return part if self.inner < self.outer else np.clip(part, 0, 1)

    def needed(self, box: Box) -> Box:
        """The box of the painting from which ``box`` of the picture is made."""
        if self.is_none:
            return box
        left, top, right, bottom = (side * self.inner for side in self._cells(box, self.outer))
        margin = ENLARGING_MARGIN if self.inner < self.outer else 0
        cells = self._cells(grown((left, top, right, bottom), margin, *self.painted), self.inner)
        return tuple(side * self.inner for side in cells)  # type: ignore[return-value]

    def restored(self, painting: np.ndarray, picture: np.ndarray, box: Box) -> np.ndarray:
        """``box`` of the picture's painting at the picture's own size. ``painting``: what is ``needed`` for it."""
        if self.is_none:
            return painting
        needed = self.needed(box)
        left, top, right, bottom = cells = self._cells(needed, self.inner)
        if self.inner < self.outer:
            made = enlarge(painting, self.part(picture, needed), self._extended(picture, cells))
        else:
            size = (right - left) * self.outer, (bottom - top) * self.outer
            made = cv2.resize(painting, size, interpolation=cv2.INTER_AREA)
        return cropped(made, _within((left * self.outer, top * self.outer), box))

    def _cells(self, box: Box, side: int) -> Box:
        """The cells, of so many pixels a side, that hold all of ``box``."""
        return box[0] // side, box[1] // side, -(-box[2] // side), -(-box[3] // side)

    def _extended(self, picture: np.ndarray, cells: Box) -> np.ndarray:
        """The picture in these cells, float32."""
        left, top, right, bottom = (side * self.outer for side in cells)
        part = unit_picture(cropped(picture, (left, top, min(right, self.full[0]), min(bottom, self.full[1]))))
        beyond = max(0, bottom - self.full[1]), max(0, right - self.full[0])
        return cv2.copyMakeBorder(part, 0, beyond[0], 0, beyond[1], cv2.BORDER_REPLICATE) if any(beyond) else part


def enlarge(painting: np.ndarray, small: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """A painting of ``small``, brought up to the size of ``picture``, of which ``small`` is the reduction.

    Resampled, the painting would be soft. So it gets the fine detail that ``picture`` has over ``small``, by the local affine
    model of the fast guided filter (He & Sun, 2015): where, in a window, the painting follows the picture's brightness with a
    slope, finer detail follows with the same slope; where it does not (brush marks on an even ground), none is added.
    """
    size = (picture.shape[1], picture.shape[0])
    guide = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    full = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    window = (2 * REACH + 1, 2 * REACH + 1)
    mean = cv2.blur(guide, window)
    spread = cv2.blur(guide * guide, window) - mean * mean
    covariance = cv2.blur(painting * guide[:, :, None], window) - cv2.blur(painting, window) * mean[:, :, None]
    slope = np.clip(covariance / (spread + np.float32(0.001))[:, :, None], -1.5, 1.5)
    detail = full - cv2.resize(guide, size, interpolation=cv2.INTER_CUBIC)
    large = cv2.resize(painting, size, interpolation=cv2.INTER_CUBIC)
    large += cv2.resize(slope, size, interpolation=cv2.INTER_LINEAR) * detail[:, :, None]
    return np.clip(large, 0, 1, out=large)


def _within(corner: tuple[int, int], box: Box) -> Box:
    """``box``, seen from a corner."""
    return box[0] - corner[0], box[1] - corner[1], box[2] - corner[0], box[3] - corner[1]
