"""Backdrops, which ``replace`` layers put in an object's place: a colour, a picture, or a clip that runs along."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Generator
from fractions import Fraction
from typing import Any, Protocol

import cv2
import numpy as np

from interp.pixels.depth import white_of
from restyle.errors import FootageError, RecipeError, show_path
from restyle.footage import Footage, open_footage, read_picture, timing
from restyle.footage.colour import to_depth
from restyle.footage.reading import kind_of
from restyle.types import Frame

__all__ = ["Backdrop", "ClipBackdrop", "StillBackdrop", "open_backdrop"]


class Backdrop(Protocol):
    """The pictures that lie in an object's place."""

    def of(self, frame: Frame) -> np.ndarray:
        """The picture for a frame: H x W x 3, of its size and dtype."""
        ...

    def close(self) -> None:
        """Let go of what is open; the next ``of`` opens it again."""
        ...


class StillBackdrop:
    """One picture for all frames."""

    def __init__(self, picture: np.ndarray) -> None:
        self.picture = picture

    def of(self, frame: Frame) -> np.ndarray:
        """The picture behind a frame."""
        return self.picture

    def close(self) -> None:
        """Nothing is open."""


class ClipBackdrop:
    """A clip that runs at its own speed from the footage's first frame on, and again from its start when it is over.

    ``seconds``: a frame of the footage -> how long after the first one it is shown. One frame is held at a time; frames are
    asked for in ascending order, or are sought.
    """

    def __init__(
        self,
        footage: Footage,
        size: tuple[int, int],
        dtype: str,
        seconds: Callable[[Frame], Fraction],
        transfer: str | None = None,
    ) -> None:
        self._footage, self._size, self._dtype, self._seconds = footage, size, dtype, seconds
        spec = footage.spec
        self._transfer = transfer if spec.dtype == "float32" else spec.colour.transfer
        self._pts = timing(spec.path)
        if not self._pts:
            raise FootageError(f"{show_path(spec.path)} holds no frames")
        ticks = spec.rate * spec.time_base
        # Stamps that are rounded to a coarse grid: frames are counted, so that none comes late by one.
        self._even = all(abs((at - self._pts[0]) * ticks - n) < Fraction(1, 2) for n, at in enumerate(self._pts))
        self._stream: Generator[Frame, None, None] | None = None
        self._current: tuple[int, np.ndarray] | None = None

    def of(self, frame: Frame) -> np.ndarray:
        """The picture behind a frame."""
        number = self._at(self._seconds(frame))
        if self._current is None or self._current[0] != number:
            self._current = number, self._read(number)
        return self._current[1]

    def _at(self, seconds: Fraction) -> int:
        spec, pts = self._footage.spec, self._pts
        if self._even:
            return int(seconds * spec.rate) % len(pts)
        whole = pts[-1] - pts[0] + max(1, round(1 / (spec.rate * spec.time_base)))
        return bisect_right(pts, pts[0] + seconds / spec.time_base % whole) - 1

    def close(self) -> None:
        """Let go of the clip."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _read(self, number: int) -> np.ndarray:
        ahead = self._current is not None and self._stream is not None and 0 < number - self._current[0] <= 32
        if not ahead or self._stream is None:
            self.close()
            self._stream = self._footage.frames(number, pts=self._pts)
        for frame in self._stream:
            if frame.index == number:
                return _scaled_to_fill(to_depth(frame.picture, self._dtype, transfer=self._transfer), *self._size)
        raise FootageError(f"{show_path(self._footage.spec.path)} ended before its frame {number}")


def open_backdrop(
    source: str,
    size: tuple[int, int],
    dtype: str,
    seconds: Callable[[Frame], Fraction],
    transfer: str | None = None,
) -> StillBackdrop | ClipBackdrop:
    """A ``replace`` layer's ``source``: a colour ``#rrggbb``, a picture, or a clip; pictures are scaled to fill ``size``
    (width, height) and cropped in the middle. ``transfer``: the footage's tag, by whose curve linear light becomes its code.

    Raises ``RecipeError`` for a colour that is none, ``FootageError`` for a file that cannot be read."""
    if source.startswith("#") or kind_of(source) == "picture":
        return StillBackdrop(_still(source, *size, dtype, transfer))
    return ClipBackdrop(open_footage(source), size, dtype, seconds, transfer)


def _still(source: str, width: int, height: int, dtype: str, transfer: str | None) -> np.ndarray:
    """A ``replace`` layer's picture, H x W x 3 of ``dtype``: a colour ``#rrggbb``, or a picture that fills the frame, cropped
    in the middle. Raises ``RecipeError`` for a colour that is none, ``FootageError`` for a picture that cannot be read."""
    kind: Any = np.dtype(dtype)
    if source.startswith("#"):
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", source):
            raise RecipeError(f"a colour is #rrggbb, such as #20a040; got {source!r}")
        colour = np.array([int(source[digit : digit + 2], 16) for digit in (1, 3, 5)]) * (white_of(kind) / 255)
        return np.full((height, width, 3), colour if dtype == "float32" else np.rint(colour), kind)
    picture = read_picture(source)
    curve = transfer if picture.dtype == np.float32 else None
    return _scaled_to_fill(to_depth(picture, dtype, transfer=curve), width, height)


def _scaled_to_fill(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """``picture`` scaled until it fills width x height, and cropped in the middle."""
    scale = max(width / picture.shape[1], height / picture.shape[0])
    size = (max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale)))
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.ascontiguousarray(picture[top : top + height, left : left + width])
