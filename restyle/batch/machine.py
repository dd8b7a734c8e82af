"""This machine: its cores and its memory, and how many jobs at once they are enough for."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from restyle.errors import RecipeError

__all__ = ["Budget", "available_memory", "cores", "parse_size", "usual_memory"]

SHARE = 0.8  # of the memory that is free, taken unless somebody says otherwise
THREADS = 2  # a job that paints keeps about two cores busy
BASE_MEMORY = 700 << 20  # bytes of a process with its networks
PICTURES = 150  # pictures that a job holds at its peak, about: a window, and what is made of it
MOST_PICTURES = 4 << 30  # bytes of them: windows of huge pictures are shorter
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def parse_size(text: str) -> int:
    """Bytes of a size as a person writes it: ``500M``, ``1.5G``, ``20GB``. Raises ``RecipeError``."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if match is None:
        raise RecipeError(f"a size is such as 500M, 8G or 1.5T, got {text!r}")
    return int(float(match[1]) * UNITS[match[2].upper()])


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_memory() -> int:
    """Bytes of memory that can still be had, by the system and by the limit of the container it runs in."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    with suppress(OSError, ValueError, IndexError):
        found.append(int(Path("/proc/meminfo").read_text().partition("MemAvailable:")[2].split()[0]) << 10)
    with suppress(OSError, ValueError):  # cgroup v2
        group = Path("/sys/fs/cgroup")
        found.append(int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    return max(0, min(found))


def usual_memory(picture_bytes: int) -> int:
    """Bytes that a job takes at its peak, about, for pictures of a size, where none has been measured yet."""
    return BASE_MEMORY + min(MOST_PICTURES, PICTURES * picture_bytes)


class Budget:
    """Share of the machine that a batch may take. ``None``: what is reasonable.

    ``jobs``: at once. ``threads``: of each. ``memory``: bytes of all together.
    Raises ``RecipeError`` for one that leaves nothing.
    """

    def __init__(self, jobs: int | None = None, threads: int | None = None, memory: int | None = None) -> None:
        for name, value in (("jobs", jobs), ("threads", threads), ("memory", memory)):
            if value is not None and value < 1:
                raise RecipeError(f"--{name} is at least 1, got {value}")
        self.memory = int(SHARE * available_memory()) if memory is None else memory
        by_memory = max(1, self.memory // usual_memory(0))
        self.jobs = jobs or min(max(1, cores() // (threads or THREADS)), by_memory)
        self.threads = threads or (0 if self.jobs == 1 else max(1, cores() // self.jobs))
