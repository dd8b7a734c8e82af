"""The noise that stochastic schedulers draw within their steps, moved with the footage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from restyle.painters.diffusion.noise import coarse, redraw

__all__ = ["StepNoise"]


class StepNoise(TorchFunctionMode):
    """Within it, what a scheduler draws (LCM, ancestral Euler, TCD ...) is drawn anew from rows' own moved noise, so that it is
    the same on what is the same.

    ``fine``: each row's noise on the fine grid, C x H x W float32. Schedulers take no noise that is ready; all draw it by
    ``torch.randn``, for all rows at once if they are given no generator.
    """

    def __init__(self, fine: Sequence[np.ndarray]) -> None:
        super().__init__()
        self._fine = fine
        self.draws = 0
        """Number of times that a scheduler drew."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        more = dict(kwargs or {})
        if func is not torch.randn:
            return func(*args, **more)
        self.draws += 1
        noise = torch.from_numpy(np.stack([coarse(redraw(row, self.draws)) for row in self._fine]))
        return noise.to(more.get("device"), more.get("dtype"))
