"""Devices of this computer, as torch sees them, and the memory that is free on them."""

from __future__ import annotations

import torch

__all__ = ["devices", "free_memory"]


def devices() -> set[str]:
    """Name them; each GPU also by its number (``cuda:1``)."""
    names = {"cpu"}
    if torch.cuda.is_available():
        names |= {"cuda", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))}
    if torch.backends.mps.is_available():
        names.add("mps")
    return names


def free_memory(device: str) -> int | None:
    """Bytes free on a GPU, with what torch's allocator holds and does not use. MPS shares its memory with the rest of the
    computer, and tells how much of it is well used."""
    if device.startswith("cuda"):
        reserved = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0] + reserved)
    if device == "mps":
        return max(0, torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return None
