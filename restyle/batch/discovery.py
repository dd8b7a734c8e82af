"""Finding clips: in folders and all folders within them, by patterns such as ``day*/**/*.mov``, or one by one.

Links are followed, but not into a folder that is being searched already. What cannot be searched is told and left out: hidden
names, job folders, and folders that may not be read.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePath, PurePosixPath

from restyle.batch.clips import Clip, Findings, is_clip_name, stem_of
from restyle.batch.remote_clips import find_remote_clips, remote_clip_at, would_search
from restyle.errors import FootageError, show_path, why
from restyle.files.remote import Url
from restyle.footage.numbering import is_pattern, sequences_among

__all__ = ["clip_at", "find_clips", "searched_with"]

MAGIC = frozenset("*?[")


def searched_with(sources: Iterable[Path | Url], folder: Path | Url) -> Path | Url | None:
    """Give the source whose search would look into ``folder``, which need not be there; ``None`` if none would."""
    if isinstance(folder, Url):
        return next((source for source in sources if isinstance(source, Url) and would_search(source, folder)), None)
    around = [folder.resolve(), *folder.resolve().parents]
    for source in sources:
        if isinstance(source, Url):
            continue
        whole = Path(os.path.abspath(source))
        if os.path.lexists(source):
            looked_into = source.is_dir() and source.resolve() in around
        elif "**" in source.parts:
            looked_into = _base_of(source).resolve() in around
        else:
            looked_into = any(path.match(str(whole)) for path in around)
        if looked_into:
            return source
    return None


def find_clips(sources: Iterable[Path | Url], findings: Findings) -> Iterator[Clip]:
    """Find the clips of some folders, patterns and files, in the order of their names, each once.

    Raises ``FootageError`` for a source that is not there, and a pattern that nothing matches.
    """
    seen: set[PurePath] = set()
    for source in sources:
        for clip in _of_source(source, findings):
            path = clip.source if isinstance(clip.source, Url) else Path(os.path.abspath(clip.source))
            if path not in seen:
                seen.add(path)
                yield clip


def _of_source(source: Path | Url, findings: Findings) -> Iterator[Clip]:
    if isinstance(source, Url):
        yield from find_remote_clips(source, findings)
    elif source.is_dir():
        yield from _search(source, PurePosixPath(), findings, ())
    elif os.path.lexists(source) or is_pattern(source):
        yield clip_at(source, PurePosixPath())
    elif MAGIC & set(str(source)):
        yield from _matches(source, findings)
    else:
        raise FootageError(f"there is no file or folder {show_path(source)}")


def clip_at(path: Path | Url, inner: PurePosixPath) -> Clip:
    """Make a clip of a path that somebody named: a file, a pattern, or a folder of pictures. ``inner``: its ``folder``."""
    if isinstance(path, Url):
        return remote_clip_at(path, inner)
    if path.is_dir():
        with suppress(OSError):
            sequences, _ = sequences_among(path, [entry.name for entry in os.scandir(path)])
            if len(sequences) == 1:
                return Clip(path / sequences[0].pattern, inner, path.resolve().name)
        return Clip(path, inner, path.name)
    if is_pattern(path):
        return Clip(path, inner, path.parent.resolve().name)
    return Clip(path, inner, path.stem)


def _matches(pattern: Path, findings: Findings) -> Iterator[Clip]:
    base = _base_of(pattern)
    matched = sorted(glob.iglob(str(pattern), recursive=True))
    if not matched:
        raise FootageError(f"nothing matches {show_path(pattern)}")
    for name in matched:
        path = Path(name)
        inner = PurePosixPath(path.relative_to(base)) if base != Path() else PurePosixPath(path)
        if path.is_dir():
            yield from _search(path, inner, findings, ())
        elif is_clip_name(path.name):
            yield Clip(path, inner.parent, path.stem)


def _base_of(path: Path) -> Path:
    """The folder that a file lies in, or that a pattern begins with."""
    parts = path.parts[:-1]
    plain = next((number for number, part in enumerate(parts) if MAGIC & set(part)), len(parts))
    return Path(*parts[:plain])


def _search(
    folder: Path, inner: PurePosixPath, findings: Findings, above: tuple[tuple[int, int], ...]
) -> Iterator[Clip]:
    """The clips in a folder and in those within it. ``above``: (device, number) of the folders that lead here."""
    try:
        state = os.stat(folder)
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        findings.note(f"cannot read the folder {show_path(folder)}: {why(error)}; its clips are left out")
        return
    here = (state.st_dev, state.st_ino)
    if here in above:
        findings.note(f"{show_path(folder)} is a link to a folder that it lies in: not followed")
        return
    names = [entry.name for entry in entries if not entry.name.startswith(".")]
    sequences, single = sequences_among(folder, names)
    findings.pictures += len(single)
    alone = len(sequences) == 1 and not any(is_clip_name(name) for name in names)
    for numbering in sequences:
        pattern = folder / numbering.pattern
        if alone:
            yield Clip(pattern, inner.parent, inner.name or folder.resolve().name)
        else:
            yield Clip(pattern, inner, stem_of(numbering))
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if is_clip_name(entry.name) and not entry.is_dir():
            yield Clip(folder / entry.name, inner, Path(entry.name).stem)
        elif entry.is_dir() and not (folder / entry.name / "job.json").is_file():
            yield from _search(folder / entry.name, inner / entry.name, findings, (*above, here))
