"""Devices of this computer, as torch sees them, and the memory that is free on them."""

from __future__ import annotations

import os
from collections.abc import Callable

import torch

from restyle.errors import RecipeError
from restyle.painters.memory import MemoryEstimate, MemoryNeed
from restyle.painters.networks.machine import WIDTHS, MachineOptions, choose_machine

__all__ = ["devices", "estimate_memory", "free_memory", "whole_memory"]


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


def whole_memory(device: str) -> int | None:
    """Bytes of a GPU, whoever uses them; ``None``: nobody knows."""
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[1])
    return int(torch.mps.recommended_max_memory()) if device == "mps" else None


def estimate_memory(
    options: MachineOptions, need: Callable[[int], MemoryNeed], *, half: str = "bfloat16"
) -> MemoryEstimate | None:
    """Estimate for the device that would be chosen (``choose_machine``); ``None``: it is not there, which is said later."""
    try:
        machine = choose_machine(options, devices=devices(), free=whole_memory, need=need, resolution=0, half=half)
    except RecipeError:
        return None
    computer = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return MemoryEstimate(need(WIDTHS[machine.dtype]), machine.device, whole_memory(machine.device), computer)
