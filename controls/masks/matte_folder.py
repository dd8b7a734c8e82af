"""Mattes that are there already, read back: one folder of numbered pictures for each object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from controls.errors import ControlError
from controls.masks.files import load_matte
from controls.prompts import check_kinds
from controls.types import Masked, MaskerTraits, MatteFolder, Pictures, Prompted

__all__ = ["MatteFolderMasker"]

SUFFIXES = (".png", ".tif", ".tiff", ".exr")
_NUMBER = re.compile(r"(?:(?<=[._ ])-|^-)?[0-9]+")


@dataclass(frozen=True)
class _Sequence:
    """One object's mattes."""

    name: str
    prompt: MatteFolder
    files: list[Path]
    """All of the folder, by their numbers."""
    labels: set[int] | None
    """Those that they hold; ``None``: they are levels of grey."""

    @property
    def note(self) -> str | None:
        """One line, if they were taken for labels and nobody said so."""
        if self.labels is None or self.prompt.label is not None:
            return None
        shown, folder = ", ".join(str(label) for label in sorted(self.labels)[:8]), str(self.prompt.path)
        what = "0 and 1" if self.labels == {1} else f"the labels {shown}" + (" ..." if len(self.labels) > 8 else "")
        choose = ""
        if len(self.labels) > 1:
            choose = f"; all of them are the object: mattes:{folder}#{max(self.labels)} takes one alone"
        return f"object {self.name!r}: the mattes in {folder!r} hold {what}, not levels of grey{choose}"


class MatteFolderMasker:
    """Reads each frame's mattes from files: ``MatteFolder`` prompts.

    Where they hold labels (``files``), the object is what has any, or the one that is named.
    """

    name = "matte-folder"
    traits = MaskerTraits(title="mattes in a folder", prompts=frozenset({MatteFolder}))

    def __init__(self) -> None:
        self._labels: dict[tuple[Path, int | None], set[int] | None] = {}  # of folders that were read in other shots

    def follow(self, pictures: Pictures, prompts: Sequence[Prompted]) -> Iterator[Masked]:
        """Yield every frame's mattes, ascending. Never says that an object is lost: a black matte may well be meant. ``notes``
        of the first frame: a line for each object whose mattes were taken for labels.

        Raises ``ControlError``: a folder that is not there or holds no mattes, numbers missing or twice, more or fewer mattes
        than frames, a matte of another size than the picture's, a file that cannot be read, no such label.
        """
        check_kinds(self.name, self.traits, prompts)
        found: list[tuple[str, MatteFolder, list[Path]]] = []
        for prompted in prompts:
            prompt = prompted.prompt
            assert isinstance(prompt, MatteFolder)
            files = _numbered(prompt.path)
            reach = prompt.first + len(pictures)
            count = reach if prompt.count is None else prompt.count
            if len(files) != count or reach > count:
                raise ControlError(
                    f"{str(prompt.path)!r} holds {len(files)} mattes, {max(count, reach)} are needed: one a frame"
                )
            found.append((prompted.name, prompt, files))
        return self._read(pictures, found)

    def _read(self, pictures: Pictures, found: Sequence[tuple[str, MatteFolder, list[Path]]]) -> Iterator[Masked]:
        sequences = [
            _Sequence(name, prompt, files, self._labels_of(prompt, files, pictures.size))
            for name, prompt, files in found
        ]
        notes = tuple(sequence.note for sequence in sequences if sequence.note is not None)
        for frame in range(len(pictures)):
            mattes = {}
            for sequence in sequences:
                picture = load_matte(sequence.files[sequence.prompt.first + frame], pictures.size)
                grey = sequence.labels is None
                mattes[sequence.name] = picture.levels() if grey else picture.of_label(sequence.prompt.label)
            yield Masked(frame, mattes, notes=notes if frame == 0 else ())

    def _labels_of(self, prompt: MatteFolder, files: Sequence[Path], size: tuple[int, int]) -> set[int] | None:
        """The labels in a folder's mattes; ``None``: they are levels of grey. Raises ``ControlError`` without the one that is
        named."""
        key = (prompt.path, prompt.label)
        if key not in self._labels:
            labels = _find_labels(files, size)
            if prompt.label is not None and prompt.label not in (labels or ()):
                there = "they are levels of grey"
                if labels:
                    there = "there are: " + ", ".join(map(str, sorted(labels)[:8]))
                raise ControlError(f"the mattes {str(prompt.path)!r} have no label {prompt.label}; {there}")
            self._labels[key] = labels
        return self._labels[key]


def _find_labels(files: Sequence[Path], size: tuple[int, int]) -> set[int] | None:
    """The labels in mattes; ``None``: they are levels of grey, as the first with a light pixel shows."""
    labels: set[int] = set()
    indexed = background = False
    for path in files:
        picture = load_matte(path, size)
        indexed = indexed or picture.indexed
        if not indexed and not picture.few:
            return None
        background = background or not picture.values.all()
        labels |= picture.labels()
    return labels if labels and (indexed or background) else None


def _numbered(folder: Path) -> list[Path]:
    """The folder's pictures by their numbers, which follow each other."""
    if not folder.is_dir():
        raise ControlError(f"there is no folder and no clip {str(folder)!r} to read mattes from")
    numbered: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        digits = _NUMBER.findall(path.stem)
        if not digits:
            raise ControlError(f"{str(path)!r} has no number in its name; mattes are numbered by frame")
        number = int(digits[-1])
        if number in numbered:
            raise ControlError(
                f"{str(folder)!r} holds two mattes of number {number}: {numbered[number].name}, {path.name}"
            )
        numbered[number] = path
    if not numbered:
        raise ControlError(f"{str(folder)!r} holds no mattes ({', '.join(SUFFIXES)})")
    first, last = min(numbered), max(numbered)
    if missing := sorted(set(range(first, last + 1)) - set(numbered)):
        raise ControlError(f"{str(folder)!r} has mattes {first} to {last}, but number {missing[0]} is missing")
    return [numbered[number] for number in sorted(numbered)]
