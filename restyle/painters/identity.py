"""Paints nothing: for tests, plumbing and timing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from restyle.painters.base import Capabilities, Painter, PaintRequest
from restyle.types import Carry

__all__ = ["IdentityPainter"]


class IdentityPainter(Painter):
    """Gives every picture back as it came (and every given painting as it was given)."""

    name = "identity"

    @property
    def capabilities(self) -> Capabilities:
        """See ``Painter.capabilities``."""
        return Capabilities(shares_looks=True, chain="none")

    @property
    def identity(self) -> Mapping[str, Any]:
        """See ``Painter.identity``."""
        return {}

    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        """See ``Painter.paint``."""
        return [request.fixed.get(number, picture).copy() for number, picture in enumerate(request.pictures)], Carry()
