"""Putting finished files in place: written under a hidden name, made durable, then renamed in one step."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path

from restyle.errors import OutputError, show_path, why

__all__ = ["discard", "hidden_name", "output_trouble", "settle", "sync_folder"]


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
        for file in hidden.iterdir():
            sync_file(file)
        sync_folder(hidden)
        if final.is_dir():
            shutil.rmtree(final)
    else:
        sync_file(hidden)
    os.replace(hidden, final)
    sync_folder(final.parent)


def output_trouble(path: str | os.PathLike[str], error: BaseException) -> OutputError:
    """One line about why an output could not be written."""
    from restyle.footage.video import reason

    return OutputError(
        f"cannot write {show_path(path)}: {reason(error) if not isinstance(error, OutputError) else why(error)}"
    )
