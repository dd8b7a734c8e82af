"""Orientation in which stored pictures are shown: the display matrix of mp4, mov, Matroska and of codecs' own messages.

Eight orientations: the stored picture is mirrored left to right or not, and then turned by 0, 90, 180 or 270 degrees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type

__all__ = ["Orientation", "display_matrix", "orientation_of", "stored", "upright"]

_UNIT = 1 << 16
_COUNTER_CLOCKWISE = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


@dataclass(frozen=True)
class Orientation:
    """Orientation by a display matrix."""

    rotation: int = 0
    """Degrees counter-clockwise by which the picture, mirrored or not, is turned: 0, 90, 180 or 270."""
    mirrored: bool = False
    """True if it is mirrored left to right before that."""
    matrix: tuple[int, ...] | None = None
    """The nine numbers of a matrix that says just this, as the file has them."""
    note: str | None = None
    """Remark about the rest of the matrix, which is not applied."""


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """Read the orientation of a decoded frame."""
    data: Any = frame.side_data
    tag = next((entry for entry in data if entry.type == Type.DISPLAYMATRIX), None)
    if tag is None:
        return Orientation()
    matrix = tuple(int(value) for value in np.frombuffer(bytes(tag), np.int32))
    # Points are rows: x' = a x + c y, y' = b x + d y, y down.
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    angle = math.degrees(math.atan2(-b, a))
    rotation = round(angle / 90) * 90 % 360
    off = abs((angle - rotation + 180) % 360 - 180)
    note = (
        f"its pictures are tagged to be shown turned by {angle:.0f} degrees; taken as {rotation}" if off > 1 else None
    )
    plain = {abs(value) for value in (a, b, c, d)} == {0, _UNIT}
    return Orientation(rotation, mirrored, matrix if plain else None, note)


def display_matrix(rotation: int, mirrored: bool) -> tuple[int, ...]:
    """Write an orientation as a display matrix."""
    cos, sin = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[rotation]
    side = -_UNIT if mirrored else _UNIT
    return (cos * side, -sin * side, 0, sin * _UNIT, cos * _UNIT, 0, 0, 0, 1 << 30)


def upright(picture: np.ndarray, rotation: int, mirrored: bool) -> np.ndarray:
    """Turn a stored picture (H x W, or H x W x C) as it is to be shown; C-contiguous."""
    if mirrored:
        picture = cv2.flip(picture, 1)
    return cv2.rotate(picture, _COUNTER_CLOCKWISE[rotation]) if rotation else picture


def stored(picture: np.ndarray, rotation: int, mirrored: bool) -> np.ndarray:
    """Turn an upright picture as it is stored: the inverse of ``upright``."""
    if rotation:
        picture = cv2.rotate(picture, _COUNTER_CLOCKWISE[360 - rotation])
    return cv2.flip(picture, 1) if mirrored else picture
