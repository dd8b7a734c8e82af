"""Finding clips elsewhere, by their address: in a folder and all folders within it, by a pattern, or one by one.

What is found, and in which order, is what would be found if the same files lay on this machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from restyle.batch.clips import Clip, Findings, is_clip_name, stem_of
from restyle.errors import FootageError, show_path
from restyle.files.remote import Url, files_below, look_up, matching, names_in
from restyle.footage.numbering import sequences_among
from restyle.footage.staging import is_remote_pattern, reading_remote

__all__ = ["find_remote_clips", "remote_clip_at", "would_search"]

MAGIC = frozenset("*[")


def find_remote_clips(source: Url, findings: Findings) -> Iterator[Clip]:
    """Find the clips of an address. Raises ``FootageError``: nothing is there, or it cannot be listed."""
    with reading_remote(source):
        if MAGIC & set(str(source)):
            yield from _matches(source, findings)
            return
        if is_remote_pattern(source):
            yield remote_clip_at(source, PurePosixPath())
            return
        found = look_up(source)
        if found is None:
            raise FootageError(f"there is no file or folder {show_path(source)}")
        if found.is_folder:
            yield from _search(source, PurePosixPath(), findings)
        else:
            yield remote_clip_at(source, PurePosixPath())


def would_search(source: Url, folder: Url) -> bool:
    """Tell whether the search of an address would look into ``folder``, which need not be there."""
    around = [PurePosixPath(*path.parts) for path in (folder, *folder.parents)]
    whole = PurePosixPath(*source.parts)
    if not MAGIC & set(str(source)):
        return whole in around
    if "**" in source.parts:
        return _base_of(source) in (folder, *folder.parents)
    return any(path.match(str(whole)) for path in around)


def _base_of(pattern: Url) -> Url:
    """The folder that a pattern begins with."""
    plain = next(number for number, part in enumerate(pattern.parts) if MAGIC & set(part))
    return Url(*pattern.parts[:plain])


def remote_clip_at(url: Url, inner: PurePosixPath) -> Clip:
    """Make a clip of an address that somebody named. ``inner``: its ``folder``."""
    if is_remote_pattern(url):
        return Clip(url, inner, url.parent.name)
    if url.suffix:
        return Clip(url, inner, url.stem)
    with reading_remote(url):
        names = [file.url.name for file in names_in(url)] if _is_folder(url) else []
    sequences, _ = sequences_among(Path(), names)
    return Clip(url / sequences[0].pattern if len(sequences) == 1 else url, inner, url.name)


def _is_folder(url: Url) -> bool:
    found = look_up(url)
    return found is not None and found.is_folder


def _matches(pattern: Url, findings: Findings) -> Iterator[Clip]:
    base = _base_of(pattern)
    matched = matching(pattern)
    if not matched:
        raise FootageError(f"nothing matches {show_path(pattern)}")
    for file in matched:
        inner = PurePosixPath(*file.url.relative_to(base).parts)
        if file.is_folder:
            yield from _search(file.url, inner, findings)
        elif is_clip_name(file.url.name):
            yield Clip(file.url, inner.parent, file.url.stem)


def _search(folder: Url, inner: PurePosixPath, findings: Findings) -> Iterator[Clip]:
    yield from _of_tree(_Tree.of(files_below(folder)), folder, inner, findings)


class _Tree:
    """Names in a folder: of files, and of folders with what is in them."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.folders: dict[str, _Tree] = {}

    @classmethod
    def of(cls, paths: Iterable[str]) -> _Tree:
        """Make the tree of some files' paths; hidden names are left out."""
        root = cls()
        for path in paths:
            *folders, name = path.split("/")
            if any(part.startswith(".") for part in (*folders, name)):
                continue
            here = root
            for part in folders:
                here = here.folders.setdefault(part, cls())
            here.files.add(name)
        return root


def _of_tree(tree: _Tree, folder: Url, inner: PurePosixPath, findings: Findings) -> Iterator[Clip]:
    sequences, single = sequences_among(Path(), sorted(tree.files))
    findings.pictures += len(single)
    alone = len(sequences) == 1 and not any(map(is_clip_name, tree.files))
    for numbering in sequences:
        url = folder / numbering.pattern
        yield Clip(url, inner.parent, inner.name or folder.name) if alone else Clip(url, inner, stem_of(numbering))
    for name in sorted(tree.files | tree.folders.keys()):
        if name in tree.files and is_clip_name(name):
            yield Clip(folder / name, inner, Path(name).stem)
        if name in tree.folders and "job.json" not in tree.folders[name].files:
            yield from _of_tree(tree.folders[name], folder / name, inner / name, findings)
