"""Memory that runs out: what is given up for it, step by step, and kept with the job where pictures depend on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import torch

from restyle.errors import PainterError
from restyle.painters.networks.memory import MEMORY_ERRORS, ran_out, release
from restyle.painters.networks.pipelines import Loaded, place
from restyle.painters.settings import RunSettings, Settings

__all__ = ["Fitting"]

Made = TypeVar("Made")


class Fitting:
    """A loaded model that gives something up whenever memory runs out: the VAE works in tiles; networks take turns on the
    device; layers do. What is given up stays so."""

    def __init__(self, loaded: Loaded, *, tell: Callable[[str], None]) -> None:
        self._loaded = loaded
        self._tell = tell
        self._notes: dict[str, None] = {}
        self._own = RunSettings()  # of this process: what one job found out holds for the next
        self._settings: Settings = self._own
        self._facts: dict[str, Any] | None = None
        self._first_tiled = self._tiled

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for a person about what was given up."""
        return tuple(self._notes)

    def begin(self, settings: Settings | None, facts: Mapping[str, Any]) -> None:
        """Take up what is known of these ``facts`` in this job: whether the VAE works in tiles, for pictures depend on it; what
        another job found out in this process, if it knows nothing."""
        machine = self._loaded.machine
        self._settings = self._own if settings is None else settings
        self._facts = {**facts, "device": machine.device, "dtype": machine.dtype}
        if self._tiled is None:
            return
        values = [one.get(self._facts) for one in (self._settings, self._own)]
        known = next((each for each in values if isinstance(each, bool)), self._first_tiled)
        vae = self._loaded.own.vae
        (vae.enable_tiling if known else vae.disable_tiling)()
        self._keep()

    def __call__(self, work: Callable[[], Made]) -> Made:
        """Do the work, from its beginning whenever something is given up. Raises ``PainterError`` where memory runs out with
        nothing left to give up."""
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
        if self._tiled is False:
            loaded.own.vae.enable_tiling()
            self._keep()
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

    @property
    def _tiled(self) -> bool | None:
        """Whether the VAE works in tiles; ``None``: it is of a kind that has none."""
        return getattr(self._loaded.own.vae, "use_tiling", None)

    def _keep(self) -> None:
        """Write it down, before anything is painted by it."""
        if self._facts is not None:
            for settings in (self._own, self._settings):
                settings.put(self._facts, bool(self._tiled))
