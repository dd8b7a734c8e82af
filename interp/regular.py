"""Files that a person names: opened only if they are files, and of a size that can be meant."""

from __future__ import annotations

import os
import stat

__all__ = ["UnfitFileError", "require_regular"]

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


class UnfitFileError(OSError):
    """Something that is not opened, by what it is or by its size; ``str`` says in a few words why."""


def require_regular(path: str | os.PathLike[str], *, largest: int) -> None:
    """Look at what a path leads to before it is opened: opening a pipe waits for ever, a device never ends.

    ``largest``: bytes that can be meant. Raises ``UnfitFileError``, and other ``OSError`` where there is nothing.
    """
    try:
        status = os.stat(path)
    except ValueError as error:  # a NUL, or a character that no name has
        raise UnfitFileError("no file can have that name") from error
    if not stat.S_ISREG(status.st_mode):
        raise UnfitFileError(f"it is {_KINDS.get(stat.S_IFMT(status.st_mode), 'something else')}, not a file")
    if status.st_size > largest:
        raise UnfitFileError(f"it has {status.st_size:,} bytes, at most {largest:,} can be meant")
