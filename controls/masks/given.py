"""Mattes that somebody made already, read back: one folder of numbered pictures for each object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path

from controls.masks.files import load_matte, split_label
from controls.prompts import check_name
from controls.types import Masked, Pictures, Prompted

__all__ = ["GivenMasker"]

ENDINGS = (".png", ".tif", ".tiff", ".exr")
_NUMBER = re.compile(r"(?:(?<=[._ ])-|^-)?[0-9]+")


class GivenMasker:
    """Reads each frame's mattes from files.

    ``folders``: object's name -> folder of its mattes, one picture a frame, the frame's number last in the name
    (``car.0001.png``); the numbers may start anywhere, but none may be missing. Where they hold labels (``files``), the object
    is what has any, or the one that is named behind the folder: ``Annotations/bear#2``. ``first``: which of them, counted from
    0, belongs to the shot's first frame. ``frames``: how many there must be; by default as many as reach to the shot's end.

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
        chosen = {name: split_label(str(folder)) for name, folder in folders.items()}
        self._folders = {name: folder for name, (folder, _) in chosen.items()}
        self._label = {name: label for name, (_, label) in chosen.items()}
        self._files = {name: _sequence(folder) for name, folder in self._folders.items()}
        self._labels: dict[str, set[int] | None] = {}
        self._first, self._frames = first, frames

    def beginning(self, first: int) -> GivenMasker:
        """The same for a shot that begins with another of the mattes; what is known of them already is shared."""
        made = copy(self)
        made._first = first
        return made

    @property
    def notes(self) -> tuple[str, ...]:
        """One line for each object whose mattes were taken for labels."""
        lines = []
        for name, labels in self._labels.items():
            if labels is None or self._label[name] is not None:
                continue
            shown, where = ", ".join(str(label) for label in sorted(labels)[:8]), str(self._folders[name])
            what = "0 and 1" if labels == {1} else f"the labels {shown}" + (" ..." if len(labels) > 8 else "")
            choose = (
                ""
                if len(labels) == 1
                else f"; all of them are the object: mattes:{where}#{max(labels)} takes one alone"
            )
            lines.append(f"object {name!r}: the mattes in {where!r} hold {what}, not levels of grey{choose}")
        return tuple(lines)

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
        for name in self._files:
            if name not in self._labels:
                self._labels[name] = self._labels_in(name, pictures.size)
        for frame in range(len(pictures)):
            mattes = {}
            for name, files in self._files.items():
                picture = load_matte(files[self._first + frame], pictures.size)
                labels = self._labels[name]
                mattes[name] = picture.levels() if labels is None else picture.of_label(self._label[name])
            yield Masked(frame, mattes)

    def _labels_in(self, name: str, size: tuple[int, int]) -> set[int] | None:
        """The labels in an object's mattes; ``None``: they are levels of grey, as the first with a light pixel shows."""
        labels: set[int] = set()
        indexed = background = False
        for path in self._files[name]:
            picture = load_matte(path, size)
            indexed = indexed or picture.indexed
            if not indexed and not picture.few:
                break
            background = background or not picture.values.all()
            labels |= picture.labels()
        else:
            if labels and (indexed or background):
                return self._checked(name, labels)
        return self._checked(name, None)

    def _checked(self, name: str, labels: set[int] | None) -> set[int] | None:
        label = self._label[name]
        if label is not None and label not in (labels or ()):
            there = "there are: " + ", ".join(map(str, sorted(labels)[:8])) if labels else "they are levels of grey"
            raise ValueError(f"the mattes {str(self._folders[name])!r} have no label {label}; {there}")
        return labels


def _sequence(folder: Path) -> list[Path]:
    """The folder's pictures by their numbers, which follow each other."""
    if not folder.is_dir():
        raise ValueError(f"there is no folder and no clip {str(folder)!r} to read mattes from")
    numbered: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in ENDINGS or path.name.startswith("."):
            continue
        digits = _NUMBER.findall(path.stem)
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
