"""A file, a folder or an id on the model hub -> where it lies on this machine. Imports neither torch nor diffusers."""

from __future__ import annotations

from pathlib import Path

from restyle.errors import MissingModelError, show_path
from restyle.weights.fetching import fetch
from restyle.weights.hub import ALL, cached, hub_library, is_hub_id, look_up, pinned, pull_line
from restyle.weights.pickles import is_pickled, refuse_pickle
from restyle.weights.selection import Selection

__all__ = ["find_weights"]


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
    """A folder or file on this machine for a path or a hub id (``owner/name``, ``owner/name@revision``), fetched first if it
    has to be and may be.

    ``kind``: of model, in words, for messages. ``name``: that ``restyle models`` knows it by; ``extra``: that installs the
    hub's library for what uses the weights.

    Raises ``MissingModelError``, ``RecipeError`` (a pickled file that is not allowed), ``OutputError`` (no room for it),
    ``MissingExtraError``.
    """
    path = Path(source).expanduser()
    if path.is_file():
        if is_pickled(path) and not allow_pickle:
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
    folder = cached(hub_id, selection, allow_pickle=allow_pickle)
    if folder is not None:
        return folder
    if offline:
        line = pull_line(name) if name else pull_line(hub_id, selection)
        raise MissingModelError(f"{kind} {source!r} is not on this machine, and --offline fetches nothing: {line}")
    return fetch(look_up(hub_id, kind, selection))
