"""Frames of a footage as small JPEGs, for whoever scrubs: decoded when they are asked for, kept in bounded memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

from interp.pixels.sizes import size_within
from restyle.errors import RecipeError
from restyle.footage import Footage, open_footage, timing
from restyle.quality.pictures import jpeg_of

__all__ = ["VIEW_SIDE", "FrameServer", "Jpegs"]

VIEW_SIDE = 1280
"""Pixels of the longer side of a frame on the page, at most."""
AHEAD = 6  # frames that are decoded along with one that was asked for
KEPT = 48 << 20  # bytes


class Jpegs:
    """Encoded pictures by key, the last used ones, up to ``most`` bytes in all. For several threads."""

    def __init__(self, most: int = KEPT) -> None:
        self._most, self._size = most, 0
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...]) -> bytes | None:
        """Give a picture, if it is kept."""
        with self._lock:
            data = self._kept.get(key)
            if data is not None:
                self._kept.move_to_end(key)
            return data

    def put(self, key: tuple[object, ...], data: bytes) -> None:
        """Keep a picture; the longest unused go."""
        with self._lock:
            self._size += len(data) - len(self._kept.pop(key, b""))
            self._kept[key] = data
            while self._size > self._most and len(self._kept) > 1:
                self._size -= len(self._kept.popitem(last=False)[1])


class FrameServer:
    """Frames of one footage as JPEG. One decoder works at a time; who asks for a frame that is being decoded waits for it.

    Raises ``FootageError`` where the footage cannot be read.
    """

    def __init__(self, source: Path, *, rate: Fraction | None = None, jpegs: Jpegs | None = None) -> None:
        self._footage: Footage = open_footage(source, rate=rate)
        self.spec = self._footage.spec
        self._source = source
        self._jpegs = jpegs or Jpegs()
        self._lock = threading.Lock()
        self._pts: Sequence[int] | None = None

    @property
    def pts(self) -> Sequence[int]:
        """Time stamps of all frames, read once."""
        with self._lock:
            return self._stamps()

    def _stamps(self) -> Sequence[int]:
        if self._pts is None:
            self._pts = timing(self._source)
        return self._pts

    @property
    def frames(self) -> int:
        """Number of frames: the header's until the time stamps are read."""
        return len(self._pts) if self._pts is not None else self.spec.frames or len(self.pts)

    def jpeg(self, frame: int, side: int = VIEW_SIDE) -> bytes:
        """One frame, its longer side at most ``side`` pixels. Raises ``RecipeError`` (no such frame), ``FootageError``."""
        data = self._jpegs.get((frame, side))
        if data is not None:
            return data
        with self._lock:
            data = self._jpegs.get((frame, side))  # another request may have led here meanwhile
            if data is not None:
                return data
            if frame == 0 and self._pts is None:  # the first frame is shown before the others are counted
                pts, stop = None, 1
            else:
                pts = self._stamps()
                if not 0 <= frame < len(pts):
                    raise RecipeError(f"there is no frame {frame}; the frames are 0 to {len(pts) - 1}")
                stop = min(frame + (AHEAD if side > VIEW_SIDE // 2 else 1), len(pts))
            spec = self.spec
            size = size_within(spec.width, spec.height, side)
            with closing(self._footage.frames(frame, stop, pts=pts, size=size)) as decoded:
                for each in decoded:
                    self._jpegs.put((each.index, side), jpeg_of(each.picture, long_side=side, quality=86))
            data = self._jpegs.get((frame, side))
        if data is None:
            raise RecipeError(f"frame {frame} was not decoded")
        return data
