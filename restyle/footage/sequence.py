"""Image sequences: ``shot/frame.%04d.png`` or a folder of pictures, in natural order."""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from restyle.errors import FootageError, show_path, why
from restyle.footage.colour import to_depth
from restyle.footage.stills import FORMATS, read_facts, read_with_alpha
from restyle.types import FootageSpec, Frame

__all__ = ["Numbering", "find_pictures", "is_pattern", "probe_sequence", "read_sequence"]

_FIELD = re.compile(r"%(0\d+)?d")


@dataclass(frozen=True)
class Numbering:
    """The file name pattern of a sequence: ``prefix``, a number padded with zeros to ``digits``, ``suffix``."""

    folder: Path
    prefix: str
    digits: int
    suffix: str

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Numbering | None:
        """The numbering that a path with one ``%d`` or ``%04d`` in its last part tells; ``None`` if it has none."""
        whole = Path(path)
        found = list(_FIELD.finditer(whole.name))
        if len(found) != 1:
            return None
        field = found[0]
        return cls(whole.parent, whole.name[: field.start()], int(field[1] or "1"), whole.name[field.end() :])

    def name(self, number: int) -> str:
        """File name of a picture."""
        return f"{self.prefix}{number:0{self.digits}d}{self.suffix}"

    def number(self, name: str) -> int | None:
        """The number in a file's name; ``None`` if it is not of this sequence."""
        if not (name.startswith(self.prefix) and name.endswith(self.suffix)):
            return None
        digits = name[len(self.prefix) : len(name) - len(self.suffix)]
        if not digits.isascii() or not digits.isdigit():
            return None
        return int(digits) if self.name(int(digits)) == name else None


def is_pattern(path: str | os.PathLike[str]) -> bool:
    """Whether a path is the pattern of a sequence. A file or folder of that very name comes first."""
    return not os.path.lexists(path) and Numbering.of(path) is not None and Path(path).suffix.lower() in FORMATS


def find_pictures(path: Path) -> tuple[list[Path], int]:
    """The pictures of a sequence in order, and the number of the first (0 if they carry none).

    Raises ``FootageError`` for a missing folder, no pictures, pictures of several kinds, and a gap in the numbers.
    """
    folder = path if path.is_dir() else path.parent
    try:
        names = [entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except FileNotFoundError as error:
        raise FootageError(f"there is no folder {show_path(folder)}") from error
    except OSError as error:
        raise FootageError(f"cannot read the folder {show_path(folder)}: {why(error)}") from error
    if path.is_dir():
        names = sorted((n for n in names if Path(n).suffix.lower() in FORMATS), key=_natural)
        kinds = sorted({FORMATS[Path(n).suffix.lower()] for n in names})
        if not names:
            raise FootageError(f"the folder {show_path(path)} holds no pictures ({', '.join(sorted(FORMATS))})")
        if len(kinds) > 1:
            raise FootageError(
                f"the folder {show_path(path)} holds pictures of several kinds ({', '.join(kinds)}); "
                "name one sequence by its pattern, as frame.%04d.png"
            )
        numbering = _common_numbering(folder, names)
        if numbering is None:
            return [folder / name for name in names], 0
    else:
        found = Numbering.of(path)
        assert found is not None
        numbering = found
    numbers = sorted(n for n in map(numbering.number, names) if n is not None)
    if not numbers:
        raise FootageError(f"no picture in {show_path(folder)} matches {show_path(path.name)}")
    for number, expected in zip(numbers, range(numbers[0], numbers[0] + len(numbers)), strict=True):
        if number != expected:
            raise FootageError(
                f"the sequence {show_path(path)} has a gap: {show_path(folder / numbering.name(expected))} is missing; "
                "render it, or name a part without gaps"
            )
    return [folder / numbering.name(number) for number in numbers], numbers[0]


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Sort key by which ``frame2`` comes before ``frame10``."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"([0-9]+)", name) if part]


def _common_numbering(folder: Path, names: list[str]) -> Numbering | None:
    """How all of these names are numbered, if they differ in their last number only."""
    found = [re.fullmatch(r"(.*?)([0-9]+)([^0-9]*\.[^.]*)", name) for name in names]
    if any(match is None for match in found) or len({(m[1], m[3]) for m in found if m}) != 1:
        return None
    first = found[0]
    assert first is not None
    padded = [m[2] for m in found if m and (m[2].startswith("0") and len(m[2]) > 1)]
    digits = len(padded[0]) if padded else 1
    numbering = Numbering(folder, first[1], digits, first[3])
    return numbering if all(numbering.number(name) is not None for name in names) else None


def probe_sequence(path: Path, rate: Fraction) -> FootageSpec:
    """What a sequence is, from the headers of all its pictures. Raises ``FootageError`` naming the first odd one."""
    files, first = ([path], 0) if path.is_file() else find_pictures(path)
    facts = read_facts(files[0])
    for file in files[1:]:
        other = read_facts(file)
        if (other.width, other.height) != (facts.width, facts.height):
            raise FootageError(
                f"{show_path(file)} is {other.width}x{other.height}, but the sequence begins with "
                f"{facts.width}x{facts.height}; all pictures must have one size"
            )
        if other.dtype != facts.dtype:
            raise FootageError(
                f"{show_path(file)} has {other.bits} bits a channel, but the sequence begins with {facts.bits}; "
                "all pictures must have one depth"
            )
    suffix = {"uint8": "24", "uint16": "48le", "float32": "f32le"}[facts.dtype]
    return FootageSpec(
        path=os.fspath(path),
        kind="sequence",
        width=facts.width,
        height=facts.height,
        dtype=facts.dtype,  # type: ignore[arg-type]
        bits=facts.bits,
        rate=rate,
        time_base=1 / rate,
        frames=len(files),
        codec=FORMATS[files[0].suffix.lower()],
        pixel_format="rgb" + suffix,
        has_alpha=facts.alpha,
        first_number=first,
    )


def read_sequence(
    spec: FootageSpec, start: int, stop: int | None, size: tuple[int, int] | None
) -> Generator[Frame, None, None]:
    """The frames of a sequence, a few of them read ahead by threads. Closing the iterator stops them."""
    path = Path(spec.path)
    files = [path] if path.is_file() else find_pictures(path)[0]
    wanted = range(start, min(len(files), len(files) if stop is None else stop))
    ahead = 3
    with ThreadPoolExecutor(2, thread_name_prefix="pictures") as pool:
        pending: dict[int, Future[Frame]] = {}
        try:
            for index in wanted:
                for soon in range(index, min(index + ahead, wanted.stop)):
                    if soon not in pending:
                        pending[soon] = pool.submit(_read, spec, files[soon], soon, size)
                yield pending.pop(index).result()
        finally:
            for job in pending.values():
                job.cancel()


def _read(spec: FootageSpec, file: Path, index: int, size: tuple[int, int] | None) -> Frame:
    picture, alpha = read_with_alpha(file)
    if picture.shape[:2] != (spec.height, spec.width) or str(picture.dtype) != spec.dtype:
        raise FootageError(
            f"{show_path(file)} changed while it was read: it is {picture.shape[1]}x{picture.shape[0]} now"
        )
    if size is not None:
        import cv2

        shrink = size[0] <= spec.width and size[1] <= spec.height
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)
        return Frame(index, index, to_depth(small, "uint8"))
    return Frame(index, index, picture, alpha if spec.has_alpha else None)
