"""Memory that runs out: what is given up for it, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import torch

from restyle.errors import PainterError
from restyle.painters.networks.memory import MEMORY_ERRORS, ran_out, release
from restyle.painters.networks.pipelines import Loaded, place

__all__ = ["Fitting"]

Made = TypeVar("Made")


class Fitting:
    """A loaded model that gives something up whenever memory runs out: the VAE works in tiles; networks take turns on the
    device; layers do. What is given up stays so."""

    def __init__(self, loaded: Loaded, *, tell: Callable[[str], None]) -> None:
        self._loaded = loaded
        self._tell = tell
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for a person about what was given up."""
        return tuple(self._notes)

    def __call__(self, work: Callable[[], Made]) -> Made:
        """Do the work. Raises ``PainterError`` where memory runs out with nothing left to give up."""
        while True:
            try:
                return work()
            except MEMORY_ERRORS as error:
                if not ran_out(error):
                    raise
            release(torch.device(self._loaded.machine.device))  # here the error is gone, and what its frames held
            self._give_up()

    def _give_up(self) -> None:
        loaded, machine = self._loaded, self._loaded.machine
        if getattr(loaded.own.vae, "use_tiling", None) is False:  # one that has no tiles has no such word
            loaded.own.vae.enable_tiling()
            how = "the VAE works in tiles"
        elif machine.device != "cpu" and not machine.by_layer:
            loaded.machine = replace(machine, offload=True, by_layer=machine.offload)
            place(loaded.own, loaded.machine)
            how = "weights are moved in layer by layer" if machine.offload else "weights are moved in as needed"
        else:
            raise PainterError(
                f"out of memory on {machine.device}, whatever is given up for it: use a smaller resolution, or a smaller model "
                "(--painter-option)"
            )
        note = f"{how}, for memory ran out on {machine.device}"
        self._notes[note] = None
        self._tell(note)
