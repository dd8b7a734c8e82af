"""Files, folders or ids on the model hub -> where they lie on this machine. Imports neither torch nor diffusers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from restyle.errors import MissingModelError, show_path
from restyle.weights.fetching import check_room, fetch
from restyle.weights.hub import ALL, Offer, cached, hub_library, is_hub_id, look_up, pinned, pull_line
from restyle.weights.pickles import is_pickled, refuse_pickle
from restyle.weights.selection import Selection

__all__ = ["Wanted", "find_all", "find_weights"]


@dataclass(frozen=True)
class Wanted:
    """Weights that are needed."""

    source: str
    """A file, a folder, or a hub id: ``owner/name``, ``owner/name@revision``."""
    kind: str
    """Kind of model, in words, for messages."""
    selection: Selection = ALL
    allow_pickle: bool = False
    name: str | None = None
    """The one that ``restyle models`` knows it by."""


def find_weights(
    source: str,
    kind: str,
    selection: Selection = ALL,
    *,
    offline: bool,
    allow_pickle: bool = False,
    name: str | None = None,
    extra: str = "diffusion",
) -> Path:
    """A folder or file on this machine: ``find_all`` of one."""
    (path,) = find_all([Wanted(source, kind, selection, allow_pickle, name)], offline=offline, extra=extra)
    return path


def find_all(wanted: Sequence[Wanted], *, offline: bool, extra: str = "diffusion") -> list[Path]:
    """A folder or file on this machine for each, fetched first if it has to be and may be: none, unless there is room for all.

    ``extra``: that installs the hub's library for what uses the weights.

    Raises ``MissingModelError``, ``RecipeError`` (a pickled file that is not allowed), ``OutputError`` (no room),
    ``MissingExtraError``.
    """
    paths = [_local(one, offline=offline, extra=extra) for one in wanted]
    offers: dict[int, Offer] = {}
    for number, (one, path) in enumerate(zip(wanted, paths, strict=True)):
        if path is None:
            hub_id, selection = pinned(one.source, one.selection)
            offers[number] = look_up(hub_id, one.kind, selection)
    if offers:
        check_room(list(offers.values()))
    return [path if path is not None else fetch(offers[number]) for number, path in enumerate(paths)]


def _local(wanted: Wanted, *, offline: bool, extra: str) -> Path | None:
    """Its place on this machine; ``None``: it has to be fetched. Raises as ``find_all``."""
    source, kind, selection = wanted.source, wanted.kind, wanted.selection
    path = Path(source).expanduser()
    if path.is_file():
        if is_pickled(path) and not wanted.allow_pickle:
            raise refuse_pickle(path, kind)
        return path
    if path.is_dir():
        absent = next((file for file in selection.files if not (path / file).is_file()), None)
        if absent is not None:
            raise MissingModelError(f"{kind}: there is no file {absent!r} in the folder {show_path(path)}")
        return path
    if not is_hub_id(source):
        raise MissingModelError(
            f"{kind} {source!r} is no file or folder, nor an id on the model hub (owner/name, owner/name@revision)"
        )
    hub_library(kind, extra)
    hub_id, selection = pinned(source, selection)
    folder = cached(hub_id, selection, allow_pickle=wanted.allow_pickle)
    if folder is None and offline:
        line = pull_line(wanted.name) if wanted.name else pull_line(hub_id, selection)
        raise MissingModelError(f"{kind} {source!r} is not on this machine, and --offline fetches nothing: {line}")
    return folder
