"""Weights on this machine: given as files and folders, or in the hub's cache. Imports neither torch nor diffusers."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from restyle.errors import MissingModelError, RecipeError, show_path
from restyle.painters.diffusion.fetching import fetch, look_up, store_of
from restyle.painters.diffusion.selection import PICKLED, lacking

__all__ = ["cached", "find", "is_hub_id", "mark", "pull_line", "size_of", "snapshot"]


def is_hub_id(source: str) -> bool:
    """Whether it can only be ``owner/name`` on the model hub."""
    parts = source.split("/")
    return len(parts) == 2 and all(parts) and not source.startswith((".", "~")) and not Path(source).exists()


def pull_line(hub_id: str, files: Sequence[str] = ()) -> str:
    """The command that fetches it."""
    return shlex.join(["restyle", "models", "pull", hub_id, *(word for file in files for word in ("--file", file))])


def find(
    source: str,
    what: str,
    *,
    offline: bool,
    allow_pickle: bool = False,
    files: Sequence[str] = (),
    variant: str | None = None,
    name: str | None = None,
) -> Path:
    """A folder or file on this machine for a path or a hub id, fetched first if it has to be and may be.

    ``what``: in words, for messages. ``files``: the only ones that are needed; ``variant``: see ``selection.chosen``;
    ``name``: that ``restyle models`` knows it by. Raises ``MissingModelError``, ``RecipeError`` (a pickled file that is not
    allowed), ``OutputError`` (no room for it).
    """
    path = Path(source).expanduser()
    if path.is_file():
        if path.suffix.lower() in PICKLED and not allow_pickle:
            raise RecipeError(
                f"{what} {show_path(path)} is pickled: whoever made it can run any program here. Take a .safetensors file"
                + ("" if what == "model" else ", or trust it with --painter-option allow_pickle=true")
            )
        return path
    if path.is_dir():
        absent = next((file for file in files if not (path / file).is_file()), None)
        if absent is not None:
            raise MissingModelError(f"{what}: there is no file {absent!r} in the folder {show_path(path)}")
        return path
    if not is_hub_id(source):
        raise MissingModelError(f"{what} {source!r} is no file or folder, nor an id on the model hub (owner/name)")
    here = cached(source, files, allow_pickle=allow_pickle)
    if here is not None:
        return here
    if offline:
        line = pull_line(name) if name else pull_line(source, files)
        raise MissingModelError(f"{what} {source!r} is not on this machine, and --offline fetches nothing: {line}")
    return fetch(look_up(source, what, files=files, variant=variant))


def snapshot(hub_id: str) -> Path | None:
    """The folder of a hub id in the hub's cache, whole or not. Raises ``MissingExtraError``."""
    store = store_of(hub_id)
    try:
        folder = store / "snapshots" / (store / "refs" / "main").read_text().strip()
    except OSError:
        return None
    return folder if folder.is_dir() else None


def cached(hub_id: str, files: Sequence[str] = (), *, allow_pickle: bool = False) -> Path | None:
    """The folder of a hub id's files in the hub's cache, if all that is needed is there; whoever put it there.

    Raises ``MissingExtraError``.
    """
    folder = snapshot(hub_id)
    whole = folder is not None and lacking(folder, files, allow_pickle=allow_pickle) is None
    return folder if whole else None


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder, links followed."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def mark(path: Path) -> list[Any]:
    """What decides a model's weights, without reading all of them: names, sizes, and both ends of each file."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    kinds = (".safetensors", ".json", ".txt", *PICKLED)
    return [
        [file.relative_to(path).as_posix() if path.is_dir() else file.name, file.stat().st_size, _ends(file)]
        for file in files
        if file.suffix.lower() in kinds
    ]


def _ends(file: Path, block: int = 1 << 18) -> str:
    found = hashlib.blake2b(digest_size=16)
    with open(file, "rb") as stream:
        found.update(stream.read(block))
        stream.seek(max(0, file.stat().st_size - block))
        found.update(stream.read(block))
    return found.hexdigest()
