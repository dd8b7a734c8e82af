"""Folders that a command fills: which files in them are its own.

A list of the files, with their sizes and digests, lies in the folder. Only what it names, and only as it was written, is ever
replaced or removed; what a person put there or changed is not.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from interp.regular import require_regular
from restyle.errors import OutputError, OutputExistsError, show_path, why
from restyle.files.writing import discard, finalise, output_lock, partial_path

__all__ = ["LARGEST_LIST", "LIST_NAME", "OwnFiles", "content_digest", "foreign_files", "new_folder", "refuse_inputs"]

LIST_NAME = ".restyle-files.json"
LARGEST_LIST = 1 << 28  # bytes of a list that is read: some millions of names


def content_digest(path: Path) -> str:
    """Digest (32 hexadecimal digits) of a file's content. Raises ``OSError``, also for a link."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(handle, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


Facts = tuple[int, str]
"""A file's size in bytes, and the digest of its content."""


@dataclass(frozen=True)
class OwnFiles:
    """The files that one command wrote into a folder."""

    command: str
    """Name of the command: ``matte``, ``controls``, ``run``."""
    files: Mapping[str, tuple[Facts, ...]]
    """Path within the folder -> facts of the file: several while an older file is being replaced."""

    @classmethod
    def read(cls, folder: Path) -> OwnFiles | None:
        """Read the folder's list; ``None`` if it has none, or none that can be read."""
        path = folder / LIST_NAME
        try:
            if path.is_symlink():
                return None
            require_regular(path, largest=LARGEST_LIST)
            return cls.parse(path.read_bytes())
        except OSError:
            return None

    @classmethod
    def parse(cls, data: bytes) -> OwnFiles | None:
        """Read the content of a list; ``None`` if it is none."""
        try:
            plain = json.loads(data)
            files = {
                str(name): tuple((int(size), str(digest)) for size, digest in known)
                for name, known in plain["files"].items()
            }
            return cls(str(plain["command"]), files)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    @classmethod
    def of_folder(cls, folder: Path, command: str, names: Iterable[str] | None = None) -> OwnFiles:
        """List ``names``, or all that lies in a folder. Raises ``OSError``."""
        if names is None:
            names = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if not path.is_dir()]
        return cls(command, {name: (_facts(folder / name),) for name in names if name != LIST_NAME})

    def joined(self, newer: OwnFiles) -> OwnFiles:
        """Combine both lists: a file may be as either says."""
        files = {name: known + newer.files.get(name, ()) for name, known in self.files.items()}
        return OwnFiles(newer.command, {**newer.files, **files})

    def replaced(self, newer: OwnFiles) -> OwnFiles:
        """Combine both lists: where both name a file, the newer one holds."""
        return OwnFiles(newer.command, {**self.files, **newer.files})

    def to_text(self) -> str:
        """Write the list as it lies in the folder."""
        plain = {"command": self.command, "files": dict(sorted(self.files.items()))}
        return json.dumps(plain, indent=0) + "\n"

    def intact(self, folder: Path) -> bool:
        """Check that everything lies there as it was written, and nothing else."""
        try:
            return not foreign_files(folder, self) and all((folder / name).is_file() for name in self.files)
        except OSError:
            return False

    def has(self, folder: Path, name: str) -> bool:
        """Check that a file lies there as it was written."""
        known = self.files.get(name, ())
        path = folder / name
        try:
            state = path.lstat()
            if not stat.S_ISREG(state.st_mode) or all(size != state.st_size for size, _ in known):
                return False
            return _facts(path) in known
        except OSError:
            return False


def _facts(path: Path) -> Facts:
    return path.lstat().st_size, content_digest(path)


def foreign_files(folder: Path, own: OwnFiles | None) -> list[str]:
    """List files, links and the like in a folder that are not as its list says, by names within it. Raises ``OSError``."""
    foreign = []

    def unreadable(error: OSError) -> None:
        raise error

    for root, folders, files in os.walk(folder, onerror=unreadable, followlinks=False):
        here = Path(root)
        links = [name for name in folders if (here / name).is_symlink()]
        for name in sorted([*files, *links]):
            inside = str((here / name).relative_to(folder))
            if inside != LIST_NAME and not (own is not None and own.has(folder, inside)):
                foreign.append(inside)
    return foreign


def refuse_inputs(final: Path, inputs: Iterable[Path], what: str = "") -> None:
    """Raise ``OutputError`` if an output, by any name, is a file that is read for it, lies in one, or holds one.

    ``what``: words for the inputs, where "PATH, which is read for it" would say less.
    """
    if not os.path.lexists(final):
        return
    target = final.resolve()
    for path in inputs:
        with suppress(OSError):
            real = path.resolve()
            same = real == target or os.path.samefile(real, final)
            inside = real in target.parents and not target.is_dir()
            if same or inside or (target.is_dir() and target in real.parents):
                how = "is" if same else "lies in" if inside else "holds"
                described = what or f"{show_path(path)}, which is read for it"
                raise OutputError(f"{show_path(final)} {how} {described}; give the output another name")


@contextmanager
def new_folder(final: Path, *, command: str, overwrite: bool, inputs: Iterable[Path] = ()) -> Iterator[Path]:
    """Open an empty folder under a hidden name to write into; leaving the block without an exception gives it its final name.

    With ``overwrite`` a folder of that name is replaced if everything in it was written by ``command`` and is still as it was
    written. ``inputs``: what is read meanwhile; it is never in the way.

    Raises, before anything is done, ``OutputExistsError`` if there is something of that name and ``overwrite`` is not set,
    ``OutputError`` if something there is not the command's own or it cannot be written, ``OutputLockedError``.
    """
    if final.name in ("", ".."):  # "." and the like
        final = final.resolve()
    shown = show_path(final)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {shown}: {why(error)}") from error
    with output_lock(final):
        try:
            _check(final, command, overwrite, [*inputs])
            part = partial_path(final)
            part.mkdir()
        except OSError as error:
            raise OutputError(f"cannot write {shown}: {why(error)}") from error
        try:
            yield part
            (part / LIST_NAME).write_text(OwnFiles.of_folder(part, command).to_text())
            _replace(part, final)
        except OSError as error:
            raise OutputError(f"cannot write {shown}: {why(error)}") from error
        finally:
            discard(part)


def _check(final: Path, command: str, overwrite: bool, inputs: list[Path]) -> None:
    shown = show_path(final)
    refuse_inputs(final, inputs)
    if not os.path.lexists(final):
        return
    if final.is_symlink() or not final.is_dir():
        raise OutputExistsError(f"{shown} is there already, and is no folder: give another name")
    if not overwrite:
        if not any(final.iterdir()):
            return
        raise OutputExistsError(f"{shown} is there already: give another name, or --overwrite")
    own = OwnFiles.read(final)
    if own is not None and own.command != command:
        raise OutputError(f"{shown} was made by 'restyle {own.command}': give another name, or remove it")
    if unknown := foreign_files(final, own):
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise OutputError(
            f"{shown} holds {show_path(unknown[0])}{more}, not written by 'restyle {command}' or changed since: "
            "move what is to be kept, or give another name"
        )


def _replace(part: Path, final: Path) -> None:
    """Put a finished folder in the place of an older one of our own."""
    if not final.is_dir():
        finalise(part, final)
        return
    old_folder = part.with_suffix(".old")  # not swept as unfinished things are: a person may have put something into it
    os.rename(final, old_folder)
    try:
        if unknown := foreign_files(old_folder, OwnFiles.read(old_folder)):  # looked at again: hours may have passed
            raise OutputError(
                f"{show_path(final / unknown[0])} was put there or changed meanwhile: move it, and start again"
            )
        finalise(part, final)
    except BaseException:
        os.rename(old_folder, final)
        raise
    discard(old_folder)
