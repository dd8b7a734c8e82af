"""Along the footage's motion; by RIFE only where that motion explains neither painting."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from interp.interpolate.hybrid import blend_where
from interp.interpolate.rife import Rife
from interp.propagate.along_motion import AlongMotionFiller, Blended
from interp.types import Gap

__all__ = ["HybridFiller"]


class HybridFiller(AlongMotionFiller):
    """The filler ``along-motion`` whose repairs are RIFE's: two paintings' textures merged, not a look carried over.

    Options: those of ``along-motion`` and of ``interp.rife.open_rife``, whose errors it raises. The network is asked only for
    in-betweens of which a part is unexplained, and only where there are two paintings.
    """

    name = "hybrid"

    def __init__(
        self,
        detail: float = 0.8,
        repair: float = 0.25,
        engine: str = "auto",
        model: str | Path | None = None,
        device: str = "auto",
        allow_pickle: bool = False,
    ) -> None:
        super().__init__(detail, repair)
        self._rife = Rife(engine, model, device, allow_pickle)

    def _repaired(self, gap: Gap, position: int, blended: Blended) -> np.ndarray:
        left, right = gap.left, gap.right
        if left is None or right is None:
            return super()._repaired(gap, position, blended)
        unexplained = np.clip((self._repair - blended.usable) * np.float32(1 / self._repair), 0, 1)
        time = position / (len(gap.frames) - 1)
        return blend_where(blended.picture, unexplained, partial(self._rife.at, left, right, time))
