"""Errors that nobody raised on purpose, in the words of one line for a person."""

from __future__ import annotations

import errno
from pathlib import Path, PurePath

from restyle.errors import OutputError, RestyleError, lacks_memory, show_path, why

__all__ = ["describe"]

INTERNAL = 70  # EX_SOFTWARE of sysexits.h
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
REMEDIES = {
    errno.EACCES: "; check whose it is, and its permissions",
    errno.EPERM: "; check whose it is, and its permissions",
    errno.EMFILE: "; allow more of them: ulimit -n 4096",
    errno.EIO: "; the disk or the network failed",
}


def describe(error: Exception, source: PurePath | None) -> tuple[str, int, str]:
    """Kind, exit code and line of an error outside of the tree. ``source``: the footage at work."""
    what = " ".join(f"{type(error).__name__}: {error}".split())[:400]
    if lacks_memory(error):
        line = why(error) if source is None else f"{show_path(source)}: {why(error)}"
        return "MemoryError", RestyleError.exit_code, line
    if isinstance(error, OSError) and error.errno is not None:
        where = error.filename if isinstance(error.filename, (str, Path)) else source
        line = why(error) if where is None else f"{show_path(where)}: {why(error)}"
        code = OutputError.exit_code if error.errno in FULL else RestyleError.exit_code
        return "OSError", code, line + REMEDIES.get(error.errno, "")
    return "InternalError", INTERNAL, f"internal error: {what} (run with -v for the traceback, please report it)"
