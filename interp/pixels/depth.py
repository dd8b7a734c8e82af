"""Depths of pictures: uint8, uint16, or float32 with 1 = white. Curves of light are in ``restyle.footage.transfer``."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

__all__ = ["from_unit", "quantise", "to_uint8", "to_uint8_truncated", "to_unit", "white_of"]


def white_of(dtype: np.dtype[Any] | type | str) -> float:
    """The code value of white: 255, 65535, or 1 of floats, however much lighter a picture's highlights are."""
    kind = np.dtype(dtype)
    return 1.0 if kind.kind == "f" else float(np.iinfo(kind).max)


def to_uint8(picture: np.ndarray) -> np.ndarray:
    """A picture or plane of any depth as uint8 of the same shape, C-contiguous: rounded to the nearest code value; floats are
    clipped to [0, 1] first, and NaN is black. The same array where it is that already.

    Raises ``ValueError`` for another dtype.
    """
    if picture.dtype == np.uint8:
        return np.ascontiguousarray(picture)
    if picture.dtype == np.uint16:
        return cv2.convertScaleAbs(picture, alpha=1 / 257).reshape(picture.shape)
    if picture.dtype == np.float32:
        return cv2.convertScaleAbs(np.clip(picture, 0, 1), alpha=255).reshape(picture.shape)
    raise _unknown(picture)


def to_uint8_truncated(picture: np.ndarray) -> np.ndarray:
    """As ``to_uint8``, but cut off instead of rounded: what cuts and keyframes are found in, and have been since the first
    version, so that footage of more than 8 bits keeps its plan."""
    if picture.dtype == np.uint8:
        return picture
    if picture.dtype == np.uint16:
        return (picture >> 8).astype(np.uint8)
    return (np.clip(picture, 0, 1) * 255).astype(np.uint8)


def to_unit(picture: np.ndarray) -> np.ndarray:
    """Float32 with 1 = white, same shape; floats are handed on as they are. Nothing is clipped.

    Raises ``ValueError`` for another dtype.
    """
    if picture.dtype == np.float32:
        return picture
    if picture.dtype not in (np.uint8, np.uint16):
        raise _unknown(picture)
    return picture.astype(np.float32) * np.float32(1 / white_of(picture.dtype))


def from_unit(values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """The inverse of ``to_unit``, C-contiguous: integers are rounded and clipped, floats only become float32."""
    if dtype == np.float32:
        return np.ascontiguousarray(values, np.float32)
    return quantise(values * np.float32(white_of(dtype)), dtype)


def quantise(values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Code values that were computed with (floats) in a picture's ``dtype``: integers are rounded and clipped, floats only
    become float32."""
    if dtype == np.float32:
        return values.astype(np.float32, copy=False)
    return np.clip(np.rint(values), 0, np.iinfo(dtype).max).astype(dtype)


def _unknown(picture: np.ndarray) -> ValueError:
    return ValueError(f"a picture is uint8, uint16 or float32, got {picture.dtype}")
