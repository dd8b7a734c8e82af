"""Errors that nobody raised on purpose, as a person is told of them."""

from __future__ import annotations

import errno
import re
from pathlib import Path

from restyle.errors import OutputError, RestyleError, show_path, why

__all__ = ["told_of"]

INTERNAL = 70  # EX_SOFTWARE of sysexits.h
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
REMEDIES = {
    errno.EACCES: "; check whose it is, and its permissions",
    errno.EPERM: "; check whose it is, and its permissions",
    errno.EMFILE: "; allow more of them: ulimit -n 4096",
    errno.EIO: "; the disk or the network failed",
}

# Libraries have errors of their own for it, whose classes are not to be imported here: OpenCV, onnxruntime, PyTorch, C++.
_NO_MEMORY = re.compile(
    r"insufficient memory|out of memory|bad_?alloc|failed to allocate|cannot allocate memory", re.IGNORECASE
)


def told_of(error: Exception, source: Path | None) -> tuple[str, int, str]:
    """Kind, exit code and line of an error outside of the tree. ``source``: the footage at work."""
    what = " ".join(f"{type(error).__name__}: {error}".split())[:400]
    if isinstance(error, MemoryError) or _NO_MEMORY.search(what):
        whose = "" if source is None else f" for {show_path(source)}"
        return (
            "MemoryError",
            RestyleError.exit_code,
            f"not enough memory{whose}: close other programs, or scale it down",
        )
    if isinstance(error, OSError) and error.errno is not None:
        where = error.filename if isinstance(error.filename, (str, Path)) else source
        line = why(error) if where is None else f"{show_path(where)}: {why(error)}"
        code = OutputError.exit_code if error.errno in FULL else RestyleError.exit_code
        return "OSError", code, line + REMEDIES.get(error.errno, "")
    return "InternalError", INTERNAL, f"internal error: {what} (run with -v for the traceback, please report it)"
