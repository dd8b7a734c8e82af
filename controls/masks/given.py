"""Mattes that somebody made already, read back: one folder of numbered pictures for each object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from controls.masks.files import read_matte
from controls.prompts import check_name
from controls.types import Masked, Pictures, Prompted

__all__ = ["GivenMasker"]

ENDINGS = (".png", ".tif", ".tiff", ".exr")


class GivenMasker:
    """Reads each frame's mattes from files.

    ``folders``: object's name -> folder of its mattes, one picture a frame, the frame's number last in the name
    (``car.0001.png``); the numbers may start anywhere, but none may be missing. ``first``: which of them, counted from 0,
    belongs to the shot's first frame. ``frames``: how many there must be; by default as many as reach to the shot's end.

    Raises ``ValueError``, one line that names the folder or file: no such folder, no pictures, numbers missing or twice.
    """

    name = "given"

    def __init__(self, folders: Mapping[str, Path | str], *, first: int = 0, frames: int | None = None) -> None:
        if not folders:
            raise ValueError("no folder of mattes was given; name one for each object")
        if first < 0:
            raise ValueError(f"the shot's first frame is one of 0, 1, 2 ..., got {first}")
        for name in folders:
            check_name(name)
        self._files = {name: _sequence(Path(folder)) for name, folder in folders.items()}
        self._folders = {name: Path(folder) for name, folder in folders.items()}
        self._first, self._frames = first, frames

    def follow(self, pictures: Pictures, prompts: Sequence[Prompted] = ()) -> Iterator[Masked]:
        """Yield every frame's mattes, ascending. Never says that an object is lost: a black matte may well be meant.

        Raises ``ValueError``: more or fewer mattes than frames, a matte of another size than the picture's, a file that cannot
        be read, prompts (there is nothing to follow).
        """
        if prompts:
            raise ValueError("given mattes follow no prompts; leave them out, or choose another masker")
        count = self._first + len(pictures) if self._frames is None else self._frames
        for name, files in self._files.items():
            if len(files) != count or self._first + len(pictures) > count:
                wanted = max(count, self._first + len(pictures))
                raise ValueError(
                    f"{str(self._folders[name])!r} holds {len(files)} mattes, {wanted} are needed: one a frame"
                )
        return self._read(pictures)

    def _read(self, pictures: Pictures) -> Iterator[Masked]:
        width, height = pictures.size
        for frame in range(len(pictures)):
            mattes = {}
            for name, files in self._files.items():
                path = files[self._first + frame]
                matte = read_matte(path)
                if matte.shape != (height, width):
                    h, w = matte.shape
                    raise ValueError(f"the matte {str(path)!r} is {w}x{h}, the picture {width}x{height}")
                mattes[name] = matte
            yield Masked(frame, mattes)


def _sequence(folder: Path) -> list[Path]:
    """The folder's pictures by their numbers, which follow each other."""
    if not folder.is_dir():
        raise ValueError(f"there is no folder and no clip {str(folder)!r} to read mattes from")
    numbered: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in ENDINGS or path.name.startswith("."):
            continue
        digits = re.findall(r"\d+", path.stem)
        if not digits:
            raise ValueError(f"{str(path)!r} has no number in its name; mattes are numbered by frame")
        number = int(digits[-1])
        if number in numbered:
            raise ValueError(
                f"{str(folder)!r} holds two mattes of number {number}: {numbered[number].name}, {path.name}"
            )
        numbered[number] = path
    if not numbered:
        raise ValueError(f"{str(folder)!r} holds no mattes ({', '.join(ENDINGS)})")
    first, last = min(numbered), max(numbered)
    if missing := sorted(set(range(first, last + 1)) - set(numbered)):
        raise ValueError(f"{str(folder)!r} has mattes {first} to {last}, but number {missing[0]} is missing")
    return [numbered[number] for number in sorted(numbered)]
