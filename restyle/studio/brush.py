"""Mattes painted by hand: a brush's strokes on an object's matte of one frame, kept as the drawn matte that a recipe names."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from controls.prompts import split_object
from restyle.errors import RecipeError
from restyle.files.writing import write_file
from restyle.studio.pictures import grey_png

__all__ = ["brushed", "save_matte", "with_matte"]

MOST = 20_000  # numbers of a stroke
FINE = 4  # bits of a place below a pixel


def brushed(matte: np.ndarray, stroke: Sequence[float], *, away: bool) -> np.ndarray:
    """The matte (float32 H x W in [0, 1]) with a stroke added, or taken away.

    ``stroke``: the brush's radius, then x, y of the places that it went through, in pixels. Raises ``RecipeError``.
    """
    if not 3 <= len(stroke) <= MOST or len(stroke) % 2 == 0 or not np.isfinite(stroke).all():
        raise RecipeError(f"a stroke is a radius and places, {MOST} numbers at most; got {len(stroke)}")
    height, width = matte.shape
    radius = float(np.clip(stroke[0], 0.5, max(height, width)))
    places = np.clip(np.reshape(stroke[1:], (-1, 2)), -4 * width - height, 4 * width + height)
    sheet = np.zeros((height, width), np.uint8)
    fixed = np.rint(places * (1 << FINE)).astype(np.int32)
    if len(fixed) > 1:
        cv2.polylines(sheet, [fixed], False, 255, max(1, round(2 * radius)), cv2.LINE_AA, FINE)
    for end in (fixed[0], fixed[-1]):  # a line of one pixel has no round ends
        cv2.circle(sheet, (int(end[0]), int(end[1])), round(radius * (1 << FINE)), 255, -1, cv2.LINE_AA, FINE)
    drawn = sheet.astype(np.float32) / np.float32(255)
    return np.minimum(matte, 1 - drawn) if away else np.maximum(matte, drawn)


def save_matte(folder: Path, name: str, frame: int, matte: np.ndarray) -> Path:
    """Write an object's matte of a frame into ``folder``, under a name of its content; gives the file.

    What was painted before stays beside it, for a run that reads it, and for taking strokes back. Raises ``OSError``.
    """
    data = grey_png(matte)
    path = folder / f"{name}.{frame:06d}.{hashlib.blake2b(data, digest_size=5).hexdigest()}.png"
    if not path.exists():
        write_file(path, data)
    return path


def with_matte(objects: Sequence[str], name: str, frame: int, path: Path) -> tuple[str, ...]:
    """The prompts with a drawn matte in place of all that marked the object on that frame."""
    text = f"{name}=matte:{path}@{frame}"
    marks = [split_object(each) for each in objects]
    mine = [number for number, mark in enumerate(marks) if (mark.name, mark.frame) == (name, frame)]
    kept = [each for number, each in enumerate(objects) if number not in mine]
    kept.insert(mine[0] if mine else len(kept), text)
    return tuple(kept)
