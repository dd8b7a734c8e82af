"""Which finished thing belongs to which window: the keys under which the job store keeps them.

A window's paintings depend on the footage, the painter, the seed, its keyframes and the paintings before it in the shot; its
frames depend, further, on the filler, the compositing and the codec. Nothing else is in a key, so nothing else redoes work.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from restyle.job.store import JobStore, digest, load_carry, load_picture, save_carry, save_picture
from restyle.render.protocols import Paintings
from restyle.types import Window

__all__ = ["MemoryPaintings", "PaintingCache"]


class PaintingCache:
    """Keys of every window's paintings and frames, and the paintings themselves (``engine.PaintingStore``)."""

    def __init__(
        self,
        store: JobStore,
        windows: Sequence[Window],
        *,
        looks: Sequence[Any],
        marks: Sequence[Callable[[int], Any]],
        chains: Sequence[str],
        frames: Any,
    ) -> None:
        """``looks``, ``frames``: plain JSON values that decide each look's paintings, and frames. ``marks``: of each look,
        frame number -> what decides the painting of that keyframe alone. ``chains``: of each look, what of the windows
        before decides a window's paintings: all of their keyframes (``"keys"``), or their first and last (``"ends"``).
        """
        self._store = store
        self.paint_keys: dict[tuple[int, int, int], str] = {}  # (shot, window, look)
        self.frame_keys: dict[tuple[int, int], str] = {}
        before = [""] * len(looks)
        for window in windows:
            numbers = [key.frame for key in window.keys]
            made = []
            for look, paint in enumerate(looks):
                past = before[look] if window.index else ""
                key = digest(paint, past, window.start, [[number, marks[look](number)] for number in numbers])
                ends = [[number, marks[look](number)] for number in (numbers[0], numbers[-1])]
                before[look] = key if chains[look] == "keys" else digest(past, window.start, ends)
                self.paint_keys[window.shot, window.index, look] = key
                made.append(key)
            self.frame_keys[window.shot, window.index] = digest(frames, *made, window.start, window.stop)

    def load(self, window: Window, look: int) -> Paintings | None:
        key = self.paint_keys[window.shot, window.index, look]
        if not self._store.has("paintings", key):
            return None
        with self._store.reading("paintings", key) as folder:
            numbers = json.loads((folder / "facts.json").read_text())["frames"]
            pictures = {number: load_picture(folder / f"{number:08d}") for number in numbers}
            return Paintings(pictures, load_carry(folder / "carry.npz"))

    def save(self, window: Window, look: int, paintings: Paintings) -> None:
        with self._store.making("paintings", self.paint_keys[window.shot, window.index, look]) as place:
            for number, picture in paintings.pictures.items():
                save_picture(place / f"{number:08d}", picture)
            save_carry(place / "carry.npz", paintings.carry)
            (place / "facts.json").write_text(json.dumps({"frames": sorted(paintings.pictures)}))


class MemoryPaintings:
    """Keeps only each look's newest window's paintings, for rendering without a job folder."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[tuple[int, int], Paintings]] = {}

    def load(self, window: Window, look: int) -> Paintings | None:
        place, paintings = self._held.get(look, (None, None))
        return paintings if place == (window.shot, window.index) else None

    def save(self, window: Window, look: int, paintings: Paintings) -> None:
        self._held[look] = ((window.shot, window.index), paintings)
