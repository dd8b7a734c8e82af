"""The device that is computed on, and how. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from restyle.errors import RecipeError
from restyle.painters.diffusion.options import Options

__all__ = ["Machine", "choose_machine"]

WIDTHS = {"float16": 2, "bfloat16": 2, "float32": 4}  # bytes of a number
ROOM = 1.35  # times the weights: what has to be free on a device to hold them and the work
TILES_FROM = 1536  # pixels of the long side from which the VAE works in tiles


@dataclass(frozen=True)
class Machine:
    """A device, and how it is used."""

    device: str
    dtype: str
    offload: bool
    tiles: bool

    @property
    def description(self) -> str:
        """For the log."""
        more = [text for on, text in ((self.offload, "weights moved in as needed"), (self.tiles, "VAE in tiles")) if on]
        return f"painting on {self.device} in {self.dtype}" + (f" ({', '.join(more)})" if more else "")


def choose_machine(
    options: Options,
    *,
    devices: set[str],
    free: Callable[[str], int | None],
    weights: Callable[[int], int],
    resolution: int,
) -> Machine:
    """Choose by the options and by what is there.

    ``devices``: those of this computer, each GPU also by its number (``cuda:1``); ``free``: gives the bytes that are free on a
    device, ``None`` where that is not known; ``weights``: gives the bytes of all weights at so many bytes a number. Raises
    ``RecipeError`` for a device that is not there.
    """
    device = options.device or next(name for name in ("cuda", "mps", "cpu") if name in devices)
    if device not in devices:
        raise RecipeError(f"there is no device {device!r} here; there are: {', '.join(sorted(devices))}")
    dtype = options.dtype or ("float32" if device == "cpu" else "float16")
    room = None if device == "cpu" else free(device)
    short = room is not None and room < ROOM * weights(WIDTHS[dtype])
    offload = device != "cpu" and (short if options.offload is None else options.offload)
    return Machine(device, dtype, offload, tiles=resolution >= TILES_FROM or (short and resolution > 768))
