"""The protocol of RIFE's engines, and the sizes that its network takes."""

from __future__ import annotations

from typing import Protocol

import numpy as np

__all__ = ["MULTIPLE", "RifeEngine"]

MULTIPLE = 64
"""Pixels of which both sides of what the network sees are a multiple: 16 for its coarsest level, 4 for its strides."""


class RifeEngine(Protocol):
    """Whatever runs the network."""

    name: str

    def interpolate(self, a: np.ndarray, b: np.ndarray, time: float) -> np.ndarray:
        """The picture at ``time`` (0 = ``a``, 1 = ``b``): H x W x 3 in the depth of ``a``."""
        ...
