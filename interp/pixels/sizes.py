"""Sizes, all of them (width, height), and pictures brought to them.

Every resizing keeps pixel centres aligned: with ``s = to / from``, the centre x goes to ``s * (x + 0.5) - 0.5``. So what is
made at another size and brought back lies on the picture pixel by pixel.
"""

from __future__ import annotations

import cv2
import numpy as np

from interp.pixels.depth import to_uint8

__all__ = ["detection_size", "luma_at", "motion_size", "resized", "restored", "scaled_size", "shrunk", "size_within"]

MOTION_SIDE = 960  # pixels of the long side at which motion is measured at most


def scaled_size(width: int, height: int, scale: float) -> tuple[int, int]:
    """Both sides times ``scale``, rounded, none below 1."""
    return max(1, round(width * scale)), max(1, round(height * scale))


def size_within(width: int, height: int, long_side: float) -> tuple[int, int]:
    """The size whose longer side is ``long_side``, or the picture's own if that is smaller; no side below 1."""
    return scaled_size(width, height, min(1.0, long_side / max(width, height)))


def motion_size(width: int, height: int, *, least: int = 128) -> tuple[int, int]:
    """The size at which motion is measured: half the picture, its long side held between ``least`` and 960 pixels, and never
    more than the picture itself."""
    long = max(width, height)
    return scaled_size(width, height, min(1.0, max(float(least), min(float(MOTION_SIDE), long / 2)) / long))


def detection_size(width: int, height: int, *, resolution: int | None, multiple: int) -> tuple[int, int]:
    """The size at which a detector looks: the short side near ``resolution`` (``None``: as it is), both multiples of
    ``multiple``, at least one. Each side is rounded by itself, as controlnet_aux does; the map is stretched back."""
    scale = 1.0 if resolution is None else resolution / min(width, height)
    across, down = (max(1, round(side * scale / multiple)) * multiple for side in (width, height))
    return across, down


def shrunk(picture: np.ndarray, long_side: int) -> np.ndarray:
    """A picture or plane whose longer side is at most ``long_side`` pixels: area averages."""
    size = size_within(picture.shape[1], picture.shape[0], long_side)
    return picture if picture.shape[1::-1] == size else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``picture`` at ``size``: Lanczos where it grows, area averages where it shrinks."""
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    grows = size[0] * size[1] > width * height
    return cv2.resize(picture, size, interpolation=cv2.INTER_LANCZOS4 if grows else cv2.INTER_AREA)


def restored(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map (h x w or h x w x C) at the picture's ``size``: linear where it grows, area averages where it shrinks, so that thin
    lines stay."""
    height, width = values.shape[:2]
    if (width, height) == size:
        return values
    shrinks = size[0] < width and size[1] < height
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def luma_at(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Luma of a picture of any depth at ``size``, as flow estimators see it: uint8 h x w."""
    small = to_uint8(picture)
    if small.shape[1::-1] != size:
        small = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
