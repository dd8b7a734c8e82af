"""Memory handling of the process."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["keep_freed_memory"]

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8  # glibc, <malloc.h>


def keep_freed_memory() -> bool:
    """Let freed pictures be used again instead of being handed back to the system; says whether that could be done.

    A picture is larger than what glibc's allocator keeps, so each would come as untouched pages from the system and go back
    to it; clearing and mapping those pages took a fifth of a job's processor time. It concerns the whole process and stays so.
    Without glibc nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    done = [
        mallopt(_M_ARENA_MAX, 1),  # else each thread keeps its own, and none uses another's
        mallopt(_M_MMAP_THRESHOLD, 32 << 20),  # the most that glibc takes
        mallopt(_M_TRIM_THRESHOLD, 1 << 30),
        mallopt(_M_TOP_PAD, 16 << 20),
    ]
    return all(done)
