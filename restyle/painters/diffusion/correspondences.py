"""The footage's motion between keyframes, on the grids that a diffusion model works on: latents, tokens, noise."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch

from interp.types import Motion, Tracker
from interp.warp import resize_confidence, resize_flow

__all__ = ["VISIBLE", "Correspondences"]

VISIBLE = 0.5  # confidence from which a point counts as visible in the other keyframe


class Correspondences:
    """Points of one row of a window -> the same points in another (``attention.TokenCorrespondences``).

    ``positions``: row -> number within the tracker's run; a row that is not in the run (the anchor of an earlier window) has no
    motion. ``grid``: width and height in latents. ``device``: where tensors are to lie; they are kept there.
    """

    def __init__(
        self, tracker: Tracker, positions: Mapping[int, int], grid: tuple[int, int], device: torch.device
    ) -> None:
        self._tracker = tracker
        self._positions = positions
        self._grid = grid
        self._device = device
        self.motion = lru_cache(maxsize=64)(self._motion)
        self.tokens = lru_cache(maxsize=256)(self._tokens)

    def known(self, *rows: int) -> bool:
        """Whether there is motion between them."""
        return all(row in self._positions for row in rows)

    def _motion(self, here: int, there: int) -> Motion:
        return self._tracker.motion(self._positions[here], self._positions[there])

    def flow(self, here: int, there: int, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
        """Flow float32 height x width x 2 in cells of that grid, and confidence float32 height x width."""
        motion = self.motion(here, there)
        return resize_flow(motion.flow, width, height), resize_confidence(motion.confidence, width, height)

    def latents(self, here: int, there: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Flow and confidence on the latents' grid, as tensors."""
        flow, confidence = self.flow(here, there, *self._grid)
        parts = (torch.from_numpy(np.ascontiguousarray(part)).to(self._device) for part in (flow, confidence))
        return next(parts), next(parts)

    def _tokens(self, here: int, there: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """See ``attention.TokenCorrespondences``."""
        width, height = self._token_grid(count)
        flow, confidence = self.flow(here, there, width, height)
        rows, columns = np.mgrid[0:height, 0:width]
        x = np.rint(columns + flow[..., 0]).astype(np.int64)
        y = np.rint(rows + flow[..., 1]).astype(np.int64)
        visible = (confidence > VISIBLE) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        index = y.clip(0, height - 1) * width + x.clip(0, width - 1)
        return torch.from_numpy(index.ravel()).to(self._device), torch.from_numpy(visible.ravel()).to(self._device)

    def _token_grid(self, count: int) -> tuple[int, int]:
        """Width and height of the UNet's grid that has so many tokens: the latents', halved so many times."""
        width, height = self._grid
        while width * height > count:
            width, height = -(-width // 2), -(-height // 2)
        if width * height != count:
            raise ValueError(f"no level of a grid of {self._grid[0]}x{self._grid[1]} latents has {count} tokens")
        return width, height
