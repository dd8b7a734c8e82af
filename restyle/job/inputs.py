"""The files that a job reads: identified by their content, and watched while it works."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from interp.regular import require_regular
from restyle.errors import FootageError, RecipeError, show_path, why
from restyle.job.anchors import anchor_files
from restyle.job.keys import footage_key
from restyle.job.mattes import matte_files
from restyle.recipe import Recipe
from restyle.types import FootageSpec

__all__ = ["FileFacts", "Inputs", "named_files", "require_files"]

_State = tuple[int, int, int, int, int]
FileFacts = tuple[_State, str]
"""State of a file, and the digest of its content in that state."""

LARGEST = 1 << 44  # bytes of a file: there is longer footage than memory, none longer than disks
BLOCK = 1 << 22  # bytes between two looks at whether the work was cancelled


def named_files(recipe: Recipe) -> list[Path]:
    """List every file that a recipe names, whatever for (what its strings name, and is there), and folders of maps."""
    files: list[Path] = matte_files(recipe.objects)
    waiting: list[Any] = [recipe.model_dump(mode="json")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            with suppress(OSError, ValueError):  # a prompt is no path: too long, or with characters that none has
                if Path(value).is_file():
                    files.append(Path(value))
    files += anchor_files(recipe)
    files += [Path(control.source) for control in recipe.controls if control.source is not None]
    return list(dict.fromkeys(files))


def require_files(recipe: Recipe) -> None:
    """Look at the files that have to be there for what a recipe wants, before any work. Raises ``RecipeError``."""
    wanted: list[Any] = [*recipe.storyboard.values(), *matte_files(recipe.objects), *anchor_files(recipe)]
    wanted += [layer.source for layer in recipe.layers if layer.source and not layer.source.startswith("#")]
    for path in wanted:
        try:
            require_regular(path, largest=LARGEST)
        except OSError as error:
            raise RecipeError(f"cannot read {show_path(path)}: {why(error)}") from None


class Inputs:
    """Files that are read, each once from end to end for its digest.

    ``check`` asks the system whether any of them was written to, moved or replaced since, which costs no reading: a preserved
    time stamp does not hide a change, since the system's own (ctime) cannot be set. ``report`` is called while large files are
    read, and may raise. ``known``: what another found (``facts``), so that a file which nobody touched since is not read again.
    """

    def __init__(
        self, report: Callable[[str], None] = lambda doing: None, known: Mapping[str, FileFacts] | None = None
    ) -> None:
        self._report = report
        self._known = known or {}
        self._states: dict[Path, tuple[_State, str | None]] = {}

    @property
    def facts(self) -> dict[str, FileFacts]:
        """The state and the digest of each file that was read: path -> facts."""
        return {str(path): (state, digest) for path, (state, digest) in self._states.items() if digest is not None}

    def watch(self, path: str | os.PathLike[str]) -> None:
        """Watch a file without reading it. Raises ``FootageError`` if there is none."""
        try:
            self._states.setdefault(Path(path), (_state(Path(path)), None))
        except OSError as error:
            raise FootageError(f"cannot read {show_path(path)}: {why(error)}") from error

    def digest(self, path: str | os.PathLike[str]) -> str:
        """Digest (32 hexadecimal digits) of a file's content, as it was when it was first asked for.

        Raises ``FootageError`` if the file cannot be read, or changes while it is.
        """
        file = Path(path)
        digest = self._states.get(file, (None, None))[1]
        if digest is None:
            try:
                require_regular(file, largest=LARGEST)
                before = _state(file)
                state, known = self._known.get(str(file), (None, ""))
                digest = known if state == before else self._read(file)
                if _state(file) != before:
                    raise changed(file)
            except OSError as error:
                raise FootageError(f"cannot read {show_path(path)}: {why(error)}") from error
            self._states[file] = before, digest
        return digest

    def footage(self, spec: FootageSpec, files: Iterable[Path]) -> str:
        """Digest of a piece of footage, free of names: a moved clip is the same clip. Raises as ``digest``."""
        return footage_key(spec, [self.digest(path) for path in files])

    def check(self) -> None:
        """Raise ``FootageError`` if a file is no longer what it was when it was read."""
        for path, (state, digest) in list(self._states.items()):
            try:
                now = _state(path)
                if now == state:
                    continue
                if digest is None or now[:-1] != state[:-1] or self._read(path) != digest:
                    raise changed(path)
            except OSError as error:
                raise FootageError(f"{show_path(path)} went away while it was worked on: {why(error)}") from error
            self._states[path] = now, digest  # only its mode, its owner or its number of names changed

    def _read(self, path: Path) -> str:
        hasher = hashlib.blake2b(digest_size=16)
        with open(path, "rb", buffering=0) as file:
            while block := file.read(BLOCK):
                hasher.update(block)
                self._report(f"reading {path.name}")
        return hasher.hexdigest()


def _state(path: Path) -> _State:
    """Read a file's device, number, size, and times of change of its content and of anything about it."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def changed(path: Path) -> FootageError:
    """Make the error of a file that changed while it was used."""
    return FootageError(
        f"{show_path(path)} changed while it was worked on; nothing of it was kept: start again when it is finished"
    )
