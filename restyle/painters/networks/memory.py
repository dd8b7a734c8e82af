"""The device's memory running out: how that is told, and what is given back before something is tried again."""

from __future__ import annotations

import gc
from collections.abc import Callable

import torch

__all__ = ["MEMORY_ERRORS", "StartAgain", "peak_of", "ran_out", "release"]

MEMORY_ERRORS = (torch.OutOfMemoryError, RuntimeError)
"""What it may be raised as; ``ran_out`` tells it from other errors of these kinds."""

# CUDA and MPS; cuBLAS and cuDNN, which reserve memory of their own; the CPU's allocator; MPS again,
# for what is larger than its largest buffer
WORDS = ("out of memory", "alloc_failed", "can't allocate memory", "not enough memory", "invalid buffer size")


class StartAgain(Exception):
    """Memory ran out, and less is computed at once from now on: what was begun is to be begun again."""


def ran_out(error: BaseException) -> bool:
    """Whether it was memory that failed."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error).lower() for words in WORDS)


def release(device: torch.device) -> None:
    """Give back what the allocator keeps. Of use only where the error is no longer held: its frames hold what was at work."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def peak_of(device: torch.device, work: Callable[[], object]) -> int:
    """Bytes of a GPU's memory that ``work`` takes at its peak, beyond what is taken before it; on MPS, which tells no peaks,
    what the driver has taken for it. 0 on the CPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        torch.cuda.synchronize(device)
        return int(torch.cuda.max_memory_allocated(device) - before)
    if device.type == "mps":
        torch.mps.empty_cache()
        before = torch.mps.driver_allocated_memory()
        work()
        torch.mps.synchronize()
        return max(0, torch.mps.driver_allocated_memory() - before)
    work()
    return 0
