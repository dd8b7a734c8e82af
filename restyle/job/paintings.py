"""Paintings of keyframes, kept in the job folder so that a later run need not paint them again, or in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping

from restyle.job.store import JobStore, load_carry, load_picture, save_carry, save_picture
from restyle.render.protocols import Paintings
from restyle.types import Window

__all__ = ["MemoryPaintings", "StoredPaintings"]


class StoredPaintings:
    """Paintings in the job folder (``render.protocols.PaintingStore``). ``keys``: (shot, window, look) -> key."""

    def __init__(self, store: JobStore, keys: Mapping[tuple[int, int, int], str]) -> None:
        self._store, self._keys = store, keys

    def load(self, window: Window, look: int) -> Paintings | None:
        """Read a look's paintings of a window; ``None``: there are none."""
        key = self._keys[window.shot, window.index, look]
        if not self._store.has("paintings", key):
            return None
        with self._store.reading("paintings", key) as folder:
            numbers = json.loads((folder / "facts.json").read_text())["frames"]
            pictures = {number: load_picture(folder / f"{number:08d}") for number in numbers}
            return Paintings(pictures, load_carry(folder / "carry.npz"))

    def save(self, window: Window, look: int, paintings: Paintings) -> None:
        """Keep a look's paintings of a window."""
        with self._store.making("paintings", self._keys[window.shot, window.index, look]) as folder:
            for number, picture in paintings.pictures.items():
                save_picture(folder / f"{number:08d}", picture)
            save_carry(folder / "carry.npz", paintings.carry)
            (folder / "facts.json").write_text(json.dumps({"frames": sorted(paintings.pictures)}))


class MemoryPaintings:
    """Each look's newest window's paintings in memory, for rendering without a job folder."""

    def __init__(self) -> None:
        self._newest: dict[int, tuple[Window, Paintings]] = {}

    def load(self, window: Window, look: int) -> Paintings | None:
        """Give the paintings if they are of this window."""
        newest = self._newest.get(look)
        same = newest is not None and (newest[0].shot, newest[0].index) == (window.shot, window.index)
        return newest[1] if newest is not None and same else None

    def save(self, window: Window, look: int, paintings: Paintings) -> None:
        """Keep a look's paintings in place of those before."""
        self._newest[look] = window, paintings
