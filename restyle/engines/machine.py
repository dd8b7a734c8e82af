"""This machine: its cores and its memory, and how many jobs at once they are enough for."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from restyle.errors import RecipeError

__all__ = ["Budget", "available_memory", "cores", "gpu_names", "usual_memory"]

SHARE = 0.8  # of the memory that is free, taken unless somebody says otherwise
THREADS = 2  # a job that paints keeps about two cores busy
BASE_MEMORY = 700 << 20  # bytes of a process with its networks
PICTURES = 150  # pictures that a job holds at its peak, about: a window, and what is made of it
MOST_PICTURES = 4 << 30  # bytes of them: windows of huge pictures are shorter


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


def gpu_names() -> tuple[str, ...]:
    """List NVIDIA's GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return tuple(name for name in named.split(",") if name.strip() not in ("", "-1"))
    return tuple(str(number) for number, _ in enumerate(Path("/proc/driver/nvidia/gpus").glob("*")))


class Budget:
    """Share of the machine that a batch may take. ``None``: what is reasonable.

    ``jobs``: at once. ``threads``: of each. ``memory``: bytes of all together. ``gpus``: GPUs of each, such as 1, or 0.5 for
    two jobs on one; ``None``: they see them all, and nobody counts.
    Raises ``RecipeError`` for one that leaves nothing, or that the machine does not have.
    """

    def __init__(
        self,
        jobs: int | None = None,
        threads: int | None = None,
        memory: int | None = None,
        gpus: float | None = None,
    ) -> None:
        for name, value in (("jobs", jobs), ("threads", threads), ("memory", memory)):
            if value is not None and value < 1:
                raise RecipeError(f"--{name} is at least 1, got {value}")
        if gpus is not None and not (0 < gpus < 1 or (gpus >= 1 and gpus == int(gpus))):
            raise RecipeError(f"--gpus is a whole number, or a fraction of one GPU such as 0.5, got {gpus}")
        self.asked_jobs = jobs is not None
        self.gpus = gpus
        self.memory = int(SHARE * available_memory()) if memory is None else memory
        most = max(1, self.memory // usual_memory(0))
        if gpus is not None and gpu_names():
            most = min(most, max(1, int(len(gpu_names()) / gpus)))
        self.jobs = jobs or min(max(1, cores() // (threads or THREADS)), most)
        self.threads = threads or (0 if self.jobs == 1 else max(1, cores() // self.jobs))

    @property
    def shares(self) -> tuple[str, ...]:
        """Lists of the GPUs that each job in turn sees (CUDA_VISIBLE_DEVICES); empty where nobody asked to share them.

        Raises ``RecipeError`` if there are not enough."""
        if self.gpus is None:
            return ()
        names, each = gpu_names(), max(1, int(self.gpus))
        if len(names) < self.gpus * self.jobs:
            raise RecipeError(
                f"{self.jobs} jobs with {self.gpus:g} GPUs each are more than this machine's {len(names)}: take fewer --jobs, "
                "or a smaller --gpus"
            )
        return tuple(",".join(names[start : start + each]) for start in range(0, len(names) - each + 1, each))
