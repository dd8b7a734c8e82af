"""Mattes put aside in a temporary file until they are wanted again, so that they take no memory."""

from __future__ import annotations

import tempfile
import zlib
from types import TracebackType

import numpy as np

from controls.masks.flowcut.region import Window

__all__ = ["Shelf"]


class Shelf:
    """Keeps a window's matte by (object, frame), in steps of 1/255; the file vanishes when the shelf is closed."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)
        self._places: dict[tuple[str, int], tuple[int, int, Window | None, tuple[int, ...]]] = {}

    def __enter__(self) -> Shelf:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, name: str, frame: int, window: Window | None, seen: np.ndarray) -> None:
        """Keep ``seen``: float32 h x w of ``window``, or of the whole picture."""
        packed = zlib.compress(np.round(seen * 255).astype(np.uint8).tobytes(), 1)
        self._file.seek(0, 2)
        self._places[name, frame] = (self._file.tell(), len(packed), window, seen.shape)
        self._file.write(packed)

    def take(self, name: str, frame: int) -> tuple[Window | None, np.ndarray] | None:
        """What was kept, or ``None``."""
        found = self._places.pop((name, frame), None)
        if found is None:
            return None
        start, length, window, shape = found
        self._file.seek(start)
        flat = np.frombuffer(zlib.decompress(self._file.read(length)), np.uint8)
        return window, flat.reshape(shape).astype(np.float32) / np.float32(255)
