"""Watching folders: a clip is taken when it has stopped growing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import PurePath

from restyle.batch.clips import Clip
from restyle.batch.entries import Entries, Entry
from restyle.errors import FootageError, RestyleError
from restyle.files.remote import Url
from restyle.footage import files_of
from restyle.footage.staging import find_remote

__all__ = ["SETTLED", "watched"]

SETTLED = 5.0  # seconds for which a clip's files have to stay as they are
EVERY = 2.0  # seconds between two searches

_State = tuple[tuple[str, int, int], ...]


def watched(
    entries: Entries, settled: float = SETTLED, every: float = EVERY
) -> Iterator[Entry | tuple[Clip, str] | None]:
    """Search again and again, without end: each clip once it is there and has stopped growing, and again when it has changed.

    ``None``: nothing new just now. A clip that cannot be an entry is given with the reason. Folders are looked through, not
    listened to: that works on every file system, network shares too. ``settled``: seconds for which a clip has to stay as it
    is. ``every``: seconds between two searches.
    """
    settled = SETTLED if settled is None else settled
    every = EVERY if every is None else every
    since: dict[PurePath, tuple[_State, float]] = {}
    taken: dict[PurePath, _State] = {}
    while True:
        began = time.monotonic()
        names: dict[str, PurePath] = {}
        for clip in _search(entries):
            now = _state_of(clip)
            known = since.get(clip.source)
            if known is None or known[0] != now:
                since[clip.source] = (now, time.monotonic())
                known = since[clip.source]
            if not now or taken.get(clip.source) == now or time.monotonic() - known[1] < settled:
                continue
            taken[clip.source] = now
            try:
                entry = entries.entry(clip)
                first = names.setdefault(entry.name.casefold(), clip.source)
                yield entry if first == clip.source else (clip, f"the result of {first} has the same name")
            except RestyleError as error:
                yield clip, str(error)
        while True:
            yield None
            if time.monotonic() - began >= every:
                break


def _search(entries: Entries) -> list[Clip]:
    """The clips that are there now; a folder that is gone for a moment (a share) holds none."""
    try:
        return list(entries.clips())
    except FootageError:
        return []


def _state_of(clip: Clip) -> _State:
    """Names, sizes and times of change of a clip's files; empty while there are none, or while they are no clip."""
    try:
        if isinstance(clip.source, Url):
            found = find_remote(clip.source)
            return () if not found.size else ((found.state, found.size, 0),)
        states = [(file.name, file.stat()) for file in files_of(clip.source)]
    except (OSError, FootageError):
        return ()
    if not all(state.st_size for _, state in states):
        return ()
    return tuple((name, state.st_size, state.st_mtime_ns) for name, state in states)
