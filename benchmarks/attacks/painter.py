"""A painter for the sweeps: quick, holds on to control maps, and what it hands on matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from restyle.painters import PAINTERS
from restyle.painters.base import Capabilities, Painter, PaintRequest
from restyle.types import Carry

__all__ = ["EdgePainter", "register"]


class EdgePainter(Painter):
    """Mixes each picture with its control map and with the mean colour of all that was painted before it."""

    name = "edges"

    def __init__(self, controls: Sequence[Mapping[str, Any]] = ()) -> None:
        self._controls = tuple(control["kind"] for control in controls)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(cost=0.1, controls=self._controls)

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"controls": list(self._controls)}

    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        mean = np.zeros(3, np.float32) if carry is None else carry.arrays["mean"]
        made = []
        for place, picture in enumerate(request.pictures):
            if place in request.fixed:
                made.append(request.fixed[place].copy())
            else:
                maps = [request.controls[kind][place].astype(np.float32) for kind in self._controls]
                mixed = np.mean([picture.astype(np.float32), *maps], axis=0) * 0.8 + mean * 0.2
                made.append(np.ascontiguousarray(mixed.astype(picture.dtype)))
            mean = made[-1].mean((0, 1), dtype=np.float32)
        return made, Carry({"mean": mean})


def register() -> None:
    """Make it known to this process, as an installed package would."""
    PAINTERS.own["edges"] = f"{__name__}:EdgePainter"
