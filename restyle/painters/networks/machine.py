"""The device that is computed on, and how. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from restyle.errors import RecipeError
from restyle.painters.memory import MemoryNeed

__all__ = ["WIDTHS", "Machine", "MachineOptions", "choose_machine"]

WIDTHS = {"float16": 2, "bfloat16": 2, "float32": 4}  # bytes of a number
TILES_FROM = 1152  # side of the square of as many pixels, from which the VAE works in tiles


class MachineOptions(Protocol):
    """The options that decide."""

    @property
    def device(self) -> str | None:
        """``cuda``, one GPU of several (``cuda:1``), ``mps`` or ``cpu``; ``None``: the best there is."""

    @property
    def dtype(self) -> str | None:
        """``float16``, ``bfloat16`` or ``float32``; ``None``: what suits the device."""

    @property
    def offload(self) -> bool | None:
        """Keep in the device's memory only what is at work; ``None``: where it would not fit otherwise."""


@dataclass(frozen=True)
class Machine:
    """A device, and how it is used."""

    device: str
    dtype: str
    offload: bool
    """One network at a time is in the device's memory ..."""
    tiles: bool
    by_layer: bool = False
    """... or one layer, where a network is larger than that."""

    @property
    def description(self) -> str:
        """For the log."""
        moved = "weights moved in layer by layer, which is slow" if self.by_layer else "weights moved in as needed"
        more = [text for on, text in ((self.offload, moved), (self.tiles, "VAE in tiles")) if on]
        return f"painting on {self.device} in {self.dtype}" + (f" ({', '.join(more)})" if more else "")


def choose_machine(
    options: MachineOptions,
    *,
    devices: set[str],
    free: Callable[[str], int | None],
    need: Callable[[int], MemoryNeed],
    resolution: int,
    half: str = "float16",
) -> Machine:
    """Choose by the options and by what is there.

    ``devices``: those of this computer, each GPU also by its number (``cuda:1``); ``free``: gives the bytes that are free on a
    device, ``None`` where that is not known; ``need``: gives what is needed at so many bytes a number; ``half``: what is
    computed with on a GPU. Raises ``RecipeError`` for a device that is not there.
    """
    device = options.device or next(name for name in ("cuda", "mps", "cpu") if name in devices)
    if device not in devices:
        raise RecipeError(f"there is no device {device!r} here; there are: {', '.join(sorted(devices))}")
    dtype = options.dtype or ("float32" if device == "cpu" else half)
    room = None if device == "cpu" else free(device)
    way = "whole" if room is None else need(WIDTHS[dtype]).way(room)
    offload = device != "cpu" and (way != "whole" if options.offload is None else options.offload)
    tiles = resolution >= TILES_FROM or (way != "whole" and resolution > 768)
    return Machine(device, dtype, offload, tiles=tiles, by_layer=offload and way == "layers")
