"""Footage elsewhere, by its address: which files it is, in which state, and a copy of it on this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from restyle.errors import FootageError, show_path, why
from restyle.files.cache import Copy, copy_name, hold
from restyle.files.remote import (
    RemoteError,
    RemoteFile,
    RemoteMissingError,
    Report,
    Url,
    fetch,
    look_up,
    names_in,
    place_of,
    require_usable,
)
from restyle.footage.formats import CLIPS, FORMATS
from restyle.footage.numbering import Numbering

__all__ = [
    "RemoteFootage",
    "Staged",
    "find_remote",
    "is_remote_pattern",
    "pictures_of_pattern",
    "reading_remote",
    "stage",
    "stage_all",
]

FILES = "footage"
FACTS = "facts.json"


@dataclass(frozen=True)
class Staged:
    """Footage as a path on this machine. While this object is there, the path stays."""

    path: Path
    state: str | None = None
    """What the file system elsewhere said of its files when it was copied; ``None`` for footage of this machine."""
    copy: Copy | None = None


@dataclass(frozen=True)
class RemoteFootage:
    """A piece of footage elsewhere: a file, or the pictures of a pattern or a folder."""

    url: Url
    files: tuple[RemoteFile, ...]
    whole_folder: bool = False

    @property
    def state(self) -> str:
        """Names, sizes and identities of its files, as one text: another when the footage is."""
        return "\n".join(f"{file.url.name}\t{file.size}\t{file.identity}" for file in self.files)

    @property
    def size(self) -> int:
        """Bytes, as far as they are told."""
        return sum(file.size or 0 for file in self.files)


@contextmanager
def reading_remote(url: Url) -> Iterator[None]:
    """Turn ``RemoteError`` into a ``FootageError`` that names the address."""
    try:
        yield
    except RemoteError as error:
        raise FootageError(f"cannot read {show_path(url)}: {why(error)}") from error


def is_remote_pattern(url: Url) -> bool:
    """Tell whether an address is the pattern of a sequence, by its name."""
    return url.suffix.lower() in FORMATS and Numbering.of(url) is not None


def find_remote(url: Url) -> RemoteFootage:
    """Find the files of a piece of footage. Raises ``FootageError``: there are none, or they cannot be listed."""
    with reading_remote(url):
        if is_remote_pattern(url):
            files = pictures_of_pattern(url)
            if not files:
                raise FootageError(f"no picture in {show_path(url.parent)} matches {show_path(url.name)}")
            return RemoteFootage(url, tuple(files))
        found = look_up(url)
        if found is None:
            raise FootageError(f"there is no file or folder {show_path(url)}")
        if not found.is_folder:
            return RemoteFootage(url, (found,))
        files = _pictures(url)
        if files:
            return RemoteFootage(url, tuple(files), whole_folder=True)
        clips = any(file.url.suffix.lower() in CLIPS or file.is_folder for file in names_in(url))
    if clips:
        raise FootageError(
            f"{show_path(url)} is a folder of clips: to restyle all of them, restyle batch {show_path(url)} -o OUT; "
            "or name one of them"
        )
    raise FootageError(f"the folder {show_path(url)} holds no pictures ({', '.join(sorted(FORMATS))})")


def pictures_of_pattern(url: Url) -> list[RemoteFile]:
    """List the pictures of a pattern, by name; none where there is no such folder. Raises ``RemoteError``."""
    numbering = Numbering.of(url)
    assert numbering is not None
    return [file for file in _pictures(url.parent) if numbering.number(file.url.name) is not None]


def _pictures(folder: Url) -> list[RemoteFile]:
    try:
        names = names_in(folder)
    except RemoteMissingError:
        return []
    return [
        file
        for file in names
        if not file.is_folder and file.url.suffix.lower() in FORMATS and not file.url.name.startswith(".")
    ]


def stage(source: Path | Url, *, offline: bool = False, report: Report = lambda doing: None) -> Staged:
    """Give footage as a path on this machine: it is fetched once, and again only when it has changed.

    ``report`` is called meanwhile, and may raise. Raises ``FootageError``, ``OutputError`` (no room), ``RecipeError``,
    ``MissingExtraError``.
    """
    if not isinstance(source, Url):
        return Staged(source)
    require_usable(source, offline=offline)
    found = find_remote(source)
    copy = hold(copy_name(source, found.state), partial(_fill, found, report), size=found.size, report=report)
    folder = copy.folder / FILES
    return Staged(folder if found.whole_folder else folder / source.name, found.state, copy)


def stage_all(sources: Iterable[PurePath | None], report: Report) -> list[Staged]:
    """Stage some pieces of footage, by their paths or addresses; ``None`` is left out. Raises as ``stage``."""
    return [stage(place_of(source), report=report) for source in sources if source is not None]


def _fill(found: RemoteFootage, report: Report, folder: Path) -> None:
    target = folder / FILES
    target.mkdir()
    facts = {file.url.name: [file.size, file.identity] for file in found.files}
    if len(found.files) > 1:
        _take_over(found.url, facts, target)
    with reading_remote(found.url):
        lacking = [file for file in found.files if not (target / file.url.name).exists()]
        fetch(lacking, [target / file.url.name for file in lacking], report)
        if find_remote(found.url).state != found.state:
            raise FootageError(f"{show_path(found.url)} changed while it was fetched: start again when it is finished")
    (folder / FACTS).write_text(json.dumps(facts))


def _take_over(url: Url, facts: dict[str, list[Any]], target: Path) -> None:
    """Take what has not changed from older copies of the same sequence."""
    for older in target.parents[1].glob(f"{copy_name(url)}~*"):
        with suppress(OSError, ValueError, AttributeError):
            known = json.loads((older / FACTS).read_bytes())
            for name, fact in facts.items():
                if known.get(name) == fact and not (target / name).exists():
                    os.link(older / FILES / name, target / name)
