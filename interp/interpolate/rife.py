"""In-betweens by RIFE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from interp.rife import open_rife

__all__ = ["Rife"]


class Rife:
    """The interpolator ``rife``. Options and errors: ``interp.rife.open_rife``."""

    name = "rife"

    def __init__(
        self,
        engine: str = "auto",
        model: str | Path | None = None,
        device: str = "auto",
        allow_pickle: bool = False,
    ) -> None:
        self._engine = open_rife(engine, model, device=device, allow_pickle=allow_pickle)

    def interpolate(self, a: np.ndarray, b: np.ndarray, times: Sequence[float]) -> Iterator[np.ndarray]:
        """The pictures at ``times``, ascending, above 0 (``a``) and below 1 (``b``), in the depth of ``a``."""
        for time in times:
            yield self.at(a, b, time)

    def at(self, a: np.ndarray, b: np.ndarray, time: float) -> np.ndarray:
        """One such picture."""
        return self._engine.interpolate(a, b, time)
