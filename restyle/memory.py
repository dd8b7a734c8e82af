"""Memory handling of the process."""

from __future__ import annotations

import ctypes
import resource
import sys
from contextlib import suppress
from pathlib import Path

__all__ = ["forget_peak", "keep_freed_memory", "peak_memory"]

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


def forget_peak() -> None:
    """Let the process's peak of memory begin anew, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """Peak of the process's memory in bytes."""
    with suppress(OSError, IndexError, ValueError):
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
