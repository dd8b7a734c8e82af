"""Content of files: what a clip or a result is, by the bytes of its files.

Time stamps decide nothing. They only save reading: a file whose device, number, size, and times of change of content and of
anything about it (ctime, which nobody can set) are as they were when it was read has the content that it had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from restyle.errors import FootageError, show_path, why
from restyle.files.remote import Url, require_usable
from restyle.footage import files_of, probe
from restyle.footage.staging import Staged, find_remote, stage
from restyle.job.inputs import Inputs
from restyle.job.keys import digest

__all__ = ["Content", "footage_content", "footage_state", "result_content", "state_of"]


@dataclass(frozen=True)
class Content:
    """The content of some files, and the state that they were in when they were read."""

    state: str
    """Digest of the files' names and what the system says of them."""
    key: str
    """Digest of what is in them (of footage: ``job.keys.footage_key``)."""


def state_of(files: Sequence[Path]) -> str:
    """Digest what the system says of some files. Raises ``FootageError`` if one is not there."""
    facts = []
    for file in files:
        try:
            status = file.stat()
        except OSError as error:
            raise FootageError(f"cannot read {show_path(file)}: {why(error)}") from error
        facts.append([file.name, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns])
    return digest(facts)


def footage_state(
    source: Path | Url, rate: Fraction | None, deinterlace: bool, *, staged: Staged | None = None, offline: bool = False
) -> str:
    """Digest the state of a piece of footage's files, and how they are read; elsewhere, what the file system there says of
    them, or said when they were ``staged``. Raises ``FootageError``."""
    if isinstance(source, Url):
        if staged is None or staged.state is None:
            require_usable(source, offline=offline)
            told = find_remote(source).state
        else:
            told = staged.state
    else:
        told = state_of(files_of(source))
    return digest(told, str(rate), deinterlace)


def footage_content(
    source: Path | Url,
    known: Content | None = None,
    *,
    rate: Fraction | None = None,
    deinterlace: bool = False,
    offline: bool = False,
) -> Content:
    """Find the key of a piece of footage; its files are read, and fetched from elsewhere, unless they are as they were when
    ``known`` was found.

    Raises ``FootageError``, ``RecipeError``, ``OutputError`` (no room for a copy).
    """
    state = footage_state(source, rate, deinterlace, offline=offline)
    if known is not None and known.state == state:
        return known
    staged = stage(source, offline=offline)
    state = footage_state(source, rate, deinterlace, staged=staged)
    files = files_of(staged.path)
    return Content(state, Inputs().footage(probe(staged.path, rate=rate, deinterlace=deinterlace), files))


def result_content(place: Path | Url, known: Content | None = None, *, made: Path | None = None) -> Content:
    """Find what is in a result's files, as ``footage_content`` does. ``made``: where a result was written before it was sent to
    an address. Raises ``FootageError``, ``OutputError`` (no room for a copy)."""
    state = digest(find_remote(place).state) if isinstance(place, Url) else state_of(files_of(place))
    if known is not None and known.state == state:
        return known
    staged = stage(place if made is None else made)
    inputs = Inputs()
    return Content(state, digest([inputs.digest(file) for file in files_of(staged.path)]))
