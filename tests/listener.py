"""A painter that writes down what it was told, and paints what it was told into the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from restyle.painters.base import Capabilities, PaintRequest
from restyle.types import Carry


class Listener:
    """Each painting is the footage's picture, with its top left pixel telling its words and its maps."""

    name = "listener"
    notes = ()
    heard: list[PaintRequest] = []  # noqa: RUF012 (emptied by the test that looks at it)

    def __init__(self, style: str | None = None, controls: Sequence[Mapping[str, Any]] = (), chain: str = "ends"):
        self.capabilities = Capabilities(
            reads_prompts=True,
            controls=tuple(control["kind"] for control in controls),
            inpaints=True,
            chain=chain,  # type: ignore[arg-type]
        )
        self._options = [dict(control) for control in controls]

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"controls": self._options}

    def memory(self, size: tuple[int, int], frames: int) -> None:
        """It takes little."""

    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        Listener.heard.append(request)
        paintings = []
        for place, picture in enumerate(request.pictures):
            painting = request.fixed.get(place, picture).copy()
            if place not in request.fixed:
                word = len(request.prompts[place].prompt) if request.prompts else 0
                painting[0, 0] = (word, sum(int(maps[place].mean()) for maps in request.controls.values()) % 256, 7)
            paintings.append(painting)
        return paintings, Carry()

    def close(self) -> None:
        pass
