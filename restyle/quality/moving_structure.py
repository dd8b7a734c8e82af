"""Structure in moving parts: whether what moves keeps its shape in a result.

A picture's mean hides a hand, which is one per cent of it, and a warp error praises a smear. So the picture is looked at in
blocks, ``ACROSS`` to its width. In each, the smoothed gradient magnitude of the result is correlated with the source's (best of
shifts by a pixel, for brush marks do not keep to edges): its *agreement*. The same for a painting of that frame is what the
look allows: the *ceiling*. What is missing to it is the block's *loss*, counted over blocks that move and have edges.

Without a painting of every frame at hand, the ceiling comes from painted frames: their agreement, carried along the footage's
motion since, and no higher than that of blocks with as strong edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np

from interp.structure import LEAST_EDGES, Bands, agreement, block_means, edges_of
from interp.warp import warp

__all__ = [
    "LEAST_LOSS",
    "LOST",
    "WORST",
    "BlockLoss",
    "Ceiling",
    "StructureLoss",
    "block_losses",
    "moving_blocks",
    "restyled_blocks",
    "worst_moments",
]

LOST = 0.35  # loss of agreement from which a block counts as lost
WORST = 0.05  # share of the blocks that make up the figure of the worst
LEAST_LOSS = 0.1  # losses below are not kept one by one: a look's marks vary as much
LEAST_MOTION = 0.0015  # of the width, from one frame to the next, from which a block moves


@dataclass(frozen=True)
class BlockLoss:
    """The loss of one block of one frame."""

    frame: int
    row: int
    column: int
    loss: float


class MeasuredFrame(Protocol):
    """The figures of one frame that are summed up."""

    @property
    def moving_blocks(self) -> int | None:
        """Blocks that move and have edges."""
        ...

    @property
    def block_losses(self) -> Sequence[tuple[int, int, float]] | None:
        """(row, column, loss) of those that lose something."""
        ...


@dataclass
class StructureLoss:
    """Losses of many frames, summed up in flat memory but for the blocks that lose at least ``LEAST_LOSS``."""

    blocks: int = 0
    """Blocks that move and have edges, in all frames."""
    losses: list[float] = field(default_factory=list)
    """Of those that lose at least ``LEAST_LOSS``."""

    @classmethod
    def of(cls, frames: Iterable[MeasuredFrame]) -> StructureLoss:
        """Sum up how much of its structure what moves lost."""
        total = cls()
        for frame in frames:
            total.add(frame.moving_blocks or 0, [loss for _, _, loss in frame.block_losses or ()])
        return total

    def add(self, blocks: int, losses: Iterable[float]) -> None:
        """Count one frame's blocks."""
        self.blocks += blocks
        self.losses += losses

    @property
    def lost(self) -> float | None:
        """Share of the blocks that lose more than ``LOST``; ``None`` where nothing moved."""
        return sum(loss > LOST for loss in self.losses) / self.blocks if self.blocks else None

    @property
    def worst(self) -> float | None:
        """Mean loss of the worst twentieth; what lost too little to be kept counts as half of ``LEAST_LOSS``."""
        if not self.blocks:
            return None
        count = max(1, round(self.blocks * WORST))
        worst = sorted(self.losses, reverse=True)[:count]
        return (sum(worst) + (count - len(worst)) * LEAST_LOSS / 2) / count


class Ceiling:
    """Agreement that the look allows, block by block: of the last painted frame, carried along the footage's motion since."""

    def __init__(self) -> None:
        self._painted: tuple[np.ndarray, np.ndarray] | None = None  # gradients of the footage, and of its painting
        self._bands: Bands | None = None

    def carry(self, backward: np.ndarray) -> None:
        """Follow the footage by one frame. ``backward``: flow h x w x 2 from the new frame to the one before."""
        if self._painted is not None:
            source, painting = self._painted
            self._painted = warp(source, backward), warp(painting, backward)

    def paint(self, source: np.ndarray, painting: np.ndarray, restyled: np.ndarray) -> None:
        """Take a painted frame for what the look allows. ``source``, ``painting``: gradients; ``restyled``: bool rows x
        columns, blocks that are painted at all."""
        bands = Bands.of(agreement(source, painting), edges_of(source), restyled)
        if bands is not None:
            self._painted, self._bands = (source, painting), bands

    def at(self, edges: np.ndarray) -> np.ndarray | None:
        """The ceiling of each block, no more than is usual with such edges; ``None`` before anything was painted."""
        if self._painted is None or self._bands is None:
            return None
        return np.minimum(agreement(*self._painted), self._bands.at(edges))


def moving_blocks(flow: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Blocks that move and have edges: bool rows x columns. ``flow``: float32 h x w x 2, between neighbouring frames."""
    motion = block_means(cv2.magnitude(flow[..., 0], flow[..., 1]), edges.shape)
    return (motion > LEAST_MOTION * flow.shape[1]) & (edges > LEAST_EDGES)


def restyled_blocks(region: np.ndarray | None, grid: tuple[int, ...]) -> np.ndarray:
    """Blocks that are restyled for the most part: bool rows x columns. ``region``: float32 H x W; ``None``: all are."""
    return np.ones(grid, bool) if region is None else block_means(region, grid) > 0.5


def block_losses(frame: int, moving: np.ndarray, ceiling: np.ndarray, follows: np.ndarray) -> list[BlockLoss]:
    """Losses of at least ``LEAST_LOSS`` among the moving blocks, the greatest first."""
    loss = np.where(moving, ceiling - follows, 0)
    rows, columns = np.nonzero(loss >= LEAST_LOSS)
    found = [BlockLoss(frame, int(r), int(c), float(loss[r, c])) for r, c in zip(rows, columns, strict=True)]
    return sorted(found, key=lambda block: -block.loss)


def worst_moments(losses: Sequence[BlockLoss], count: int) -> list[BlockLoss]:
    """The ``count`` blocks that lose most, of different moments: one for each place within half a second or so."""
    chosen: list[BlockLoss] = []
    for block in sorted(losses, key=lambda block: (-block.loss, block.frame, block.row, block.column)):
        near = any(
            abs(block.frame - other.frame) < 8
            and abs(block.row - other.row) < 4
            and abs(block.column - other.column) < 4
            for other in chosen
        )
        if not near:
            chosen.append(block)
        if len(chosen) == count:
            break
    return chosen
