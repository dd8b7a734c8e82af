"""Names of numbered pictures: patterns such as ``shot/frame.%04d.png``, and what sequence a folder of pictures is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from restyle.errors import FootageError, show_path, why
from restyle.footage.formats import CLIPS, FORMATS, UNREAD

__all__ = ["Numbering", "Pictures", "find_pictures", "is_pattern", "sequences_among"]

_FIELDS = (
    re.compile(r"%(?:0[0-9]{1,2})?d"),  # C, FFmpeg, Nuke
    re.compile(r"\$F[0-9]{0,2}|\$\{F[0-9]{0,2}\}"),  # Houdini
    re.compile(r"##+|(?<![^\W_])#(?![^\W_])"),  # Nuke, After Effects: a digit each
)
_NUMBER = re.compile(r"((?:(?<=[._ ])-|^-)?[0-9]+)")
"""A number in a name. A dash is its sign only after a separator: ``shot-0001`` is picture 1, ``shot.-0001`` is picture -1."""


@dataclass(frozen=True)
class Numbering:
    """The file name pattern of a sequence: ``prefix``, a number padded with zeros to ``digits``, ``suffix``."""

    folder: Path
    prefix: str
    digits: int
    """The sign of a negative number is not counted: -1 of four digits is ``-0001``."""
    suffix: str

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Numbering | None:
        """Read the numbering from one ``%04d``, ``%d``, ``####``, ``$F4`` or ``$F`` in a path's last part; ``None`` if it has
        none."""
        whole = Path(path)
        for form in _FIELDS:
            matches = list(form.finditer(whole.name))
            if len(matches) > 1:
                return None
            if matches:
                field = matches[0]
                digits = len(field[0]) if field[0].startswith("#") else int(re.sub(r"[^0-9]", "", field[0]) or "1")
                return cls(whole.parent, whole.name[: field.start()], digits, whole.name[field.end() :])
        return None

    def name(self, number: int) -> str:
        """File name of a picture."""
        return f"{self.prefix}{'-' * (number < 0)}{abs(number):0{self.digits}d}{self.suffix}"

    def number(self, name: str) -> int | None:
        """The number in a file's name, -1 as ``-0001`` or ``-001`` (C's way); ``None`` if it is not of this sequence."""
        if not (name.startswith(self.prefix) and name.endswith(self.suffix)):
            return None
        digits = name[len(self.prefix) : len(name) - len(self.suffix)]
        if not re.fullmatch(r"-?[0-9]+", digits):
            return None
        number = int(digits)
        forms = {self.name(number), f"{self.prefix}{number:0{self.digits}d}{self.suffix}"}
        return number if name in forms else None

    @property
    def pattern(self) -> str:
        """The last part of the path, with ``%04d``."""
        return f"{self.prefix}%{f'0{self.digits}' if self.digits > 1 else ''}d{self.suffix}"


@dataclass(frozen=True)
class Pictures:
    """The pictures of a sequence, in order."""

    files: Sequence[Path]
    first: int = 0
    """Number of the first; 0 if they carry none."""
    notes: tuple[str, ...] = ()


def is_pattern(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path is the pattern of a sequence. A file or folder of that very name comes first."""
    suffix = Path(path).suffix.lower()
    return not os.path.lexists(path) and (suffix in FORMATS or suffix in UNREAD) and Numbering.of(path) is not None


def find_pictures(path: Path) -> Pictures:
    """Find the pictures of a sequence: those that match a pattern, or all in a folder.

    Raises ``FootageError`` for a missing folder, no pictures, pictures of several kinds, a gap in the numbers, and a folder
    that holds more than one sequence.
    """
    folder = path if path.is_dir() else path.parent
    try:
        names = [entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except FileNotFoundError as error:
        raise FootageError(f"there is no folder {show_path(folder)}") from error
    except OSError as error:
        raise FootageError(f"cannot read the folder {show_path(folder)}: {why(error)}") from error
    return _of_folder(folder, names) if path.is_dir() else _of_pattern(path, names)


def _of_pattern(path: Path, names: Sequence[str]) -> Pictures:
    numbering = Numbering.of(path)
    assert numbering is not None
    if path.suffix.lower() in UNREAD:
        raise FootageError(
            f"{show_path(path)}: {path.suffix.lower()} pictures are not read; convert them to one of {_readable_formats()}"
        )
    numbered = [(number, name) for name in names if (number := numbering.number(name)) is not None]
    if not _signed(numbering.prefix) and all(number < 0 for number, _ in numbered):
        numbered = []  # "shot%04d.png" does not mean "shot-0001.png", whose dash is none of the number's
    if not numbered:
        raise FootageError(f"no picture in {show_path(path.parent)} matches {show_path(path.name)}")
    return _in_order(path, numbering, numbered)


def _of_folder(folder: Path, names: Sequence[str]) -> Pictures:
    shown = show_path(folder)
    pictures = sorted((name for name in names if Path(name).suffix.lower() in FORMATS), key=_natural)
    if not pictures:
        if any(Path(name).suffix.lower() in CLIPS for name in names) or _holds_clips(folder, names):
            raise FootageError(
                f"{shown} is a folder of clips: to restyle all of them, restyle batch {shown} -o OUT; or name one of them"
            )
        other = sorted({Path(name).suffix.lower() for name in names} & set(UNREAD))
        hint = f"; {', '.join(other)} pictures are not read" if other else ""
        raise FootageError(f"the folder {shown} holds no pictures ({_readable_formats()}){hint}")
    kinds = sorted({FORMATS[Path(name).suffix.lower()] for name in pictures})
    if len(kinds) > 1:
        raise FootageError(
            f"the folder {shown} holds pictures of several kinds ({', '.join(kinds)}); "
            "name one sequence by its pattern, as frame.%04d.png"
        )
    groups = _grouped(pictures)
    if len(groups) == 1:
        ((prefix, suffix), numbered) = next(iter(groups.items()))
        if suffix is None:
            return Pictures([folder / pictures[0]])
        return _in_order(folder, _numbering(folder, prefix, suffix, numbered), numbered)
    if all(len(members) == 1 for members in groups.values()):
        note = (
            f"the {len(pictures)} pictures in {shown} are not numbered alike and were taken in the order of their names, "
            f"{show_path(pictures[0])} to {show_path(pictures[-1])}"
        )
        return Pictures([folder / name for name in pictures], notes=(note,))
    described = []
    for (prefix, suffix), members in sorted(groups.items(), key=lambda item: -len(item[1])):
        pattern = "" if suffix is None else _numbering(folder, prefix, suffix, members).pattern
        described.append(f"{show_path(pattern)} ({len(members)})" if len(members) > 1 else show_path(members[0][1]))
    listed = ", ".join(described[:4]) + (f" and {len(described) - 4} more" if len(described) > 4 else "")
    raise FootageError(
        f"the folder {shown} holds more than one sequence: {listed}; name the one that is meant by its pattern"
    )


def _holds_clips(folder: Path, names: Sequence[str]) -> bool:
    """Tell whether a folder within a folder holds clips. What cannot be read holds none."""
    for name in names:
        with suppress(OSError):
            if any(Path(inner).suffix.lower() in CLIPS for inner in os.listdir(folder / name)):
                return True
    return False


def sequences_among(folder: Path, names: Iterable[str]) -> tuple[list[Numbering], list[str]]:
    """Sort a folder's pictures into numbered sequences, of two pictures at least, and names that belong to none.

    A gap in the numbers is no end of a sequence: ``find_pictures`` tells it.
    """
    by_kind: dict[str, list[str]] = {}
    for name in names:
        if Path(name).suffix.lower() in FORMATS and not name.startswith("."):
            by_kind.setdefault(Path(name).suffix, []).append(name)
    sequences, single = [], []
    for pictures in by_kind.values():
        for (prefix, suffix), numbered in _grouped(pictures).items():
            if suffix is None or len(numbered) < 2:
                single += [name for _, name in numbered]
            else:
                sequences.append(_numbering(folder, prefix, suffix, numbered))
    return sorted(sequences, key=lambda numbering: numbering.pattern), sorted(single)


_Groups = dict[tuple[str, str | None], list[tuple[int, str]]]


def _grouped(names: Sequence[str]) -> _Groups:
    """Group names by what is before and behind the frame's number, each with its number; ``None`` behind: there is no number.

    The frame's number is the one that alone differs between the names (``frame0001_v2``); else the last.
    """
    split = {name: _NUMBER.split(Path(name).stem) for name in names}
    number_at = -2
    if len({tuple(fragments[::2]) for fragments in split.values()}) == 1:
        columns = list(zip(*(fragments[1::2] for fragments in split.values()), strict=True))
        differ = [column for column, values in enumerate(columns) if len(set(values)) > 1]
        if len(differ) == 1:
            number_at = 2 * differ[0] + 1
    groups: _Groups = {}
    for name, fragments in split.items():
        if len(fragments) == 1:
            groups.setdefault((fragments[0], None), []).append((0, name))
            continue
        index = number_at % len(fragments)
        key = ("".join(fragments[:index]), "".join(fragments[index + 1 :]))
        groups.setdefault(key, []).append((int(fragments[index]), name))
    for prefix, suffix in list(groups):
        # Beside "foo0001" the dash of "foo-0001" is a sign, too.
        if suffix is not None and prefix.endswith("-") and (prefix[:-1], suffix) in groups:
            turned = [(-number, name) for number, name in groups.pop((prefix, suffix))]
            groups[prefix[:-1], suffix] += turned
    return groups


def _numbering(folder: Path, prefix: str, suffix: str, numbered: Sequence[tuple[int, str]]) -> Numbering:
    name = numbered[0][1]
    digit_runs = [
        re.sub(r"[^0-9]", "", other[len(prefix) : len(Path(other).stem) - len(suffix)]) for _, other in numbered
    ]
    padded = [digits for digits in digit_runs if digits.startswith("0") and len(digits) > 1]
    return Numbering(folder, prefix, len(padded[0]) if padded else 1, suffix + Path(name).suffix)


def _in_order(path: Path, numbering: Numbering, numbered: Sequence[tuple[int, str]]) -> Pictures:
    """Order the pictures by their numbers, which must follow each other."""
    folder = numbering.folder
    by_number: dict[int, str] = {}
    for number, name in numbered:
        if number in by_number:
            raise FootageError(
                f"{show_path(path)} has two pictures of number {number}: {show_path(by_number[number])} and "
                f"{show_path(name)}; take one of them away"
            )
        by_number[number] = name
    first = min(by_number)
    missing = next((number for number in range(first, first + len(by_number)) if number not in by_number), None)
    if missing is not None:
        raise FootageError(
            f"the sequence {show_path(path)} has a gap: {show_path(folder / numbering.name(missing))} is missing; "
            "render it, or name a part without gaps"
        )
    notes: tuple[str, ...] = ()
    if max(by_number) < 0:
        notes = (f"the numbers in {show_path(path)} are negative: it runs from {first} to {max(by_number)}",)
    return Pictures([folder / by_number[number] for number in sorted(by_number)], first, notes)


def _signed(prefix: str) -> bool:
    return not prefix or prefix[-1] in "._ "


def _readable_formats() -> str:
    return ", ".join(sorted(FORMATS))


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Sort key by which ``frame2`` comes before ``frame10``, and ``frame.-1`` before ``frame.0``."""
    return [
        (1, fragment) if position % 2 == 0 else (0, int(fragment))
        for position, fragment in enumerate(_NUMBER.split(name))
        if fragment
    ]
