"""Putting finished files in place: written under a hidden name, made durable, then renamed in one step."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from restyle.errors import OutputError, OutputExistsError, show_path, why

__all__ = ["discard", "hidden_name", "new_folder", "output_trouble", "settle", "sync_folder"]


def hidden_name(final: Path) -> Path:
    """The temporary name beside a final one: hidden, of a length that always fits, the same on every run."""
    mark = hashlib.sha256(os.fsencode(final.name)).hexdigest()[:16]
    return final.with_name(f".restyle-{mark}.part")


def discard(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sync_file(path: Path) -> None:
    """Make a file's content durable. Raises ``OSError``, also for what the disk could not take before."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def settle(hidden: Path, final: Path) -> None:
    """Make a finished file or folder of files durable and give it its final name. Raises ``OSError``."""
    if hidden.is_dir():
        for path in [*hidden.rglob("*"), hidden]:
            (sync_folder if path.is_dir() else sync_file)(path)
        if final.is_dir():
            shutil.rmtree(final)
    else:
        sync_file(hidden)
    os.replace(hidden, final)
    sync_folder(final.parent)


@contextmanager
def new_folder(final: Path, *, overwrite: bool) -> Iterator[Path]:
    """An empty folder under a hidden name to write into; leaving the block without an exception gives it its final name.

    Raises ``OutputExistsError``, before anything is done, if there is something of that name and ``overwrite`` is not set;
    ``OutputError`` if it cannot be written.
    """
    if final.exists() and not overwrite:
        raise OutputExistsError(f"{show_path(final)} is there already: give another name, or --overwrite")
    hidden = hidden_name(final)
    try:
        discard(hidden)
        hidden.mkdir(parents=True)
        yield hidden
        settle(hidden, final)
    except OSError as error:
        raise output_trouble(final, error) from error
    finally:
        discard(hidden)


def output_trouble(path: str | os.PathLike[str], error: BaseException) -> OutputError:
    """One line about why an output could not be written."""
    from restyle.footage.video import reason

    return OutputError(
        f"cannot write {show_path(path)}: {reason(error) if not isinstance(error, OutputError) else why(error)}"
    )
