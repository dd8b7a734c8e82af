"""Networks of a pipeline on the device: all of them, or in turns."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["Placing"]


class Placing:
    """Networks that lie on a device together, or take turns on it, from when its memory runs out on. What is painted is the
    same either way.

    ``may``: whether they may begin to; ``in_turns``: whether they do already.
    """

    def __init__(self, pipe: Any, device: torch.device, *, may: bool, in_turns: bool) -> None:
        self._pipe = pipe
        self._device = device
        self._may = may and device.type != "cpu"
        self._in_turns = in_turns
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for a person."""
        return tuple(self._notes)

    @property
    def hint(self) -> str:
        """The end of a sentence that says what takes less memory."""
        return "" if self._in_turns else ", or offload=true"

    def take_turns(self) -> bool:
        """Have them take turns from now on; false where nothing changes by that."""
        if not self._may or self._in_turns:
            return False
        self._pipe.enable_model_cpu_offload(device=self._device)
        self._in_turns = True
        self._notes[f"networks take turns, for memory ran out on {self._device}"] = None
        return True
