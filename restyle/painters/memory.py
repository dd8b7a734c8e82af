"""Estimates of the memory that painting takes, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["MemoryEstimate", "MemoryNeed", "Way"]

GIB = 1 << 30
MARGIN = 1.1  # times what is needed: what a device's libraries take, and what lies between its blocks

Way = Literal["whole", "turns", "layers"]
"""``whole``: all networks lie in a device's memory; ``turns``: one at a time; ``layers``: one layer at a time."""


@dataclass(frozen=True)
class MemoryNeed:
    """An estimate, in bytes."""

    weights: int
    """All networks."""
    largest: int
    """The largest network alone."""
    work: int
    """Numbers that a window is computed with beside them. 0: that is not known."""
    decoding: int = 0
    """Numbers that its pictures are decoded with, unless the VAE works in tiles."""

    @property
    def whole(self) -> int:
        """All networks, and what is computed with."""
        return self.weights + max(self.work, self.decoding)

    def way(self, room: int) -> Way:
        """The way in which a device of so many bytes is used."""
        if MARGIN * self.whole <= room:
            return "whole"
        return "turns" if MARGIN * (self.largest + self.work) <= room else "layers"


@dataclass(frozen=True)
class MemoryEstimate:
    """Needs of painting a window, and what there is."""

    need: MemoryNeed
    device: str
    """The device that is painted on: ``cuda``, ``cuda:1``, ``mps``, ``cpu``."""
    room: int | None
    """Bytes of a GPU's memory; ``None``: of the CPU, or nobody knows."""
    computer: int
    """Bytes of this computer's own memory, through which weights pass wherever they go."""

    @property
    def lack(self) -> str | None:
        """Line that says what there is too little of; ``None``: it fits, if need be layer by layer."""
        own = self.need.weights + (self.need.work if self.device == "cpu" else 0)
        if own > self.computer:
            return (
                f"painting takes about {_gib(own)} GiB of memory, this computer has {_gib(self.computer)}: take a smaller "
                "model (restyle models list), or --painter-option dtype=bfloat16"
            )
        if self.room is not None and self.need.work > self.room:
            return (
                f"painting takes about {_gib(self.need.work)} GiB of memory beside the weights, {self.device} has "
                f"{_gib(self.room)}: use a smaller resolution, or fewer frames at once (--painter-option)"
            )
        return None

    @property
    def line(self) -> str:
        """Line for a person."""
        if self.lack is not None:
            return self.lack
        least = "" if self.need.work else "at least "
        text = f"painting takes {least}about {_gib(self.need.whole)} GiB of memory"
        if self.room is None:
            return f"{text}; this computer has {_gib(self.computer)}"
        how = {
            "whole": "",
            "turns": ": networks take turns in it",
            "layers": ": weights are moved in layer by layer, which is slow",
        }
        return f"{text}; {self.device} has {_gib(self.room)}{how[self.need.way(self.room)]}"


def _gib(count: int) -> str:
    return f"{count / GIB:.0f}" if count >= 10 * GIB else f"{count / GIB:.1f}"
