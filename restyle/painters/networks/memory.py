"""The device's memory running out: how that is told, and what is given back before something is tried again."""

from __future__ import annotations

import gc

import torch

__all__ = ["MEMORY_ERRORS", "ran_out", "release"]

MEMORY_ERRORS = (torch.OutOfMemoryError, RuntimeError)
"""What it may be raised as; ``ran_out`` tells it from other errors of these kinds."""

# CUDA and MPS; cuBLAS and cuDNN, which reserve memory of their own; the CPU's allocator; MPS again,
# for what is larger than its largest buffer
WORDS = ("out of memory", "alloc_failed", "can't allocate memory", "not enough memory", "invalid buffer size")


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
