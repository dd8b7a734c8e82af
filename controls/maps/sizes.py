"""Pictures as detectors want them, and maps brought back to the frame's size without a shift.

Every resizing here keeps pixel centres aligned: with ``s = to / from``, the centre x goes to ``s * (x + 0.5) - 0.5``. So a map
made at another size and brought back lies on the frame pixel by pixel.
"""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["as_picture", "eight_bit", "grey_picture", "resized", "restored", "working_size"]


def eight_bit(picture: np.ndarray) -> np.ndarray:
    """``picture`` (H x W x 3; uint8, uint16, or float32 with 1 = white) as uint8, rounded and clipped.

    Raises ``ValueError`` for anything else.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise ValueError(f"a picture is H x W x 3, got {picture.shape}")
    if picture.dtype == np.uint8:
        return np.ascontiguousarray(picture)
    if picture.dtype == np.uint16:
        return ((picture.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if picture.dtype == np.float32:
        return np.rint(np.clip(np.nan_to_num(picture), 0, 1) * np.float32(255)).astype(np.uint8)
    raise ValueError(f"a picture is uint8, uint16 or float32, got {picture.dtype}")


def working_size(width: int, height: int, *, resolution: int | None, multiple: int) -> tuple[int, int]:
    """Width and height to detect at: the short side near ``resolution`` (``None``: as it is), both multiples of
    ``multiple``, at least one. Each side is rounded by itself, as controlnet_aux does; the map is stretched back."""
    scale = 1.0 if resolution is None else resolution / min(width, height)
    across, down = (max(1, round(side * scale / multiple)) * multiple for side in (width, height))
    return across, down


def resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``picture`` at ``size`` (width, height): Lanczos where it grows, area averages where it shrinks."""
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    grows = size[0] * size[1] > width * height
    return cv2.resize(picture, size, interpolation=cv2.INTER_LANCZOS4 if grows else cv2.INTER_AREA)


def restored(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map (h x w or h x w x C) at the frame's ``size`` (width, height): linear where it grows, area averages where it
    shrinks, so that thin lines stay."""
    height, width = values.shape[:2]
    if (width, height) == size:
        return values
    shrinks = size[0] < width and size[1] < height
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def grey_picture(values: np.ndarray) -> np.ndarray:
    """float32 h x w in [0, 1] as uint8 h x w x 3 (rounded), all channels the same."""
    return as_picture(np.rint(np.clip(values, 0, 1) * np.float32(255)).astype(np.uint8))


def as_picture(plane: np.ndarray) -> np.ndarray:
    """uint8 h x w as h x w x 3."""
    return np.ascontiguousarray(np.broadcast_to(plane[:, :, None], (*plane.shape, 3)))
