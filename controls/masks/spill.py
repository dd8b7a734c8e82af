"""Mattes put aside in a temporary file until they are wanted again, so that they take no memory."""

from __future__ import annotations

import tempfile
import zlib
from types import TracebackType

import numpy as np

from controls.masks.flowcut.region import Region

__all__ = ["MatteSpill"]


class MatteSpill:
    """Keeps a region's matte by (object, frame), in steps of 1/255; the file vanishes when it is closed."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)
        self._entries: dict[tuple[str, int], tuple[int, int, Region | None, tuple[int, ...]]] = {}

    def __enter__(self) -> MatteSpill:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, name: str, frame: int, region: Region | None, matte: np.ndarray) -> None:
        """Keep ``matte``: float32 h x w of ``region``, or of the whole picture."""
        packed = zlib.compress(np.round(matte * 255).astype(np.uint8).tobytes(), 1)
        self._file.seek(0, 2)
        self._entries[name, frame] = (self._file.tell(), len(packed), region, matte.shape)
        self._file.write(packed)

    def take(self, name: str, frame: int) -> tuple[Region | None, np.ndarray] | None:
        """Give back what was kept, or ``None``; it is kept no longer."""
        entry = self._entries.pop((name, frame), None)
        if entry is None:
            return None
        start, length, region, shape = entry
        self._file.seek(start)
        flat = np.frombuffer(zlib.decompress(self._file.read(length)), np.uint8)
        return region, flat.reshape(shape).astype(np.float32) / np.float32(255)
