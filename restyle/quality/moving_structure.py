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

import cv2
import numpy as np

__all__ = [
    "ACROSS",
    "LEAST_LOSS",
    "LOST",
    "WORST",
    "BlockLoss",
    "Ceiling",
    "StructureLoss",
    "agreement",
    "block_losses",
    "edges_of",
    "gradients",
    "grid_of",
    "moving_blocks",
    "restyled_blocks",
    "worst_moments",
]

ACROSS = 24  # blocks to the picture's width
LOST = 0.35  # loss of agreement from which a block counts as lost
WORST = 0.05  # share of the blocks that make up the figure of the worst
LEAST_LOSS = 0.1  # losses below are not kept one by one: a look's marks vary as much
LEAST_MOTION = 0.0015  # of the width, from one frame to the next, from which a block moves
LEAST_EDGES = 0.004  # mean gradient magnitude (code values of 1 a pixel) from which a block has edges
NOISE = 1e-12  # product of variances below which nothing correlates
EDGE_BANDS = (0.008, 0.014, 0.022, 0.035)  # mean gradient magnitudes between which blocks are alike


@dataclass(frozen=True)
class BlockLoss:
    """The loss of one block of one frame."""

    frame: int
    row: int
    column: int
    loss: float


@dataclass
class StructureLoss:
    """Losses of many frames, summed up in flat memory but for the blocks that lose at least ``LEAST_LOSS``."""

    blocks: int = 0
    """Blocks that move and have edges, in all frames."""
    losses: list[float] = field(default_factory=list)
    """Of those that lose at least ``LEAST_LOSS``."""

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
    """Agreement that the look allows, block by block, carried from painted frame to painted frame."""

    def __init__(self) -> None:
        self._map: np.ndarray | None = None  # h x w, at the measuring size
        self._bands: np.ndarray | None = None  # by strength of edges

    def carry(self, backward: np.ndarray) -> None:
        """Follow the footage by one frame. ``backward``: flow h x w x 2 from the new frame to the one before."""
        if self._map is None:
            return
        height, width = backward.shape[:2]
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        self._map = cv2.remap(
            self._map,
            columns + backward[..., 0],
            rows + backward[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def paint(self, agreement: np.ndarray, edges: np.ndarray, restyled: np.ndarray, size: tuple[int, int]) -> None:
        """Take a painted frame for what the look allows. ``edges``: mean gradient magnitude of the source's blocks;
        ``restyled``: blocks that are painted at all; ``size``: width and height of the pictures."""
        strong = restyled & (edges > LEAST_EDGES)
        if not strong.any():
            return
        band = np.digitize(edges, EDGE_BANDS)
        typical = float(agreement[strong].mean())
        means = [
            float(agreement[strong & (band == n)].mean()) if (strong & (band == n)).any() else typical for n in range(5)
        ]
        self._bands = np.array(means, np.float32)
        known = np.where(strong, agreement, self._bands[band]).astype(np.float32)
        self._map = cv2.resize(known, size, interpolation=cv2.INTER_LINEAR)

    def at(self, edges: np.ndarray) -> np.ndarray | None:
        """The ceiling of each block; ``None`` before anything was painted."""
        if self._map is None or self._bands is None:
            return None
        carried = _block_means(self._map, edges.shape)
        return np.minimum(carried, self._bands[np.digitize(edges, EDGE_BANDS)])


def gradients(luma: np.ndarray) -> np.ndarray:
    """Smoothed gradient magnitude, float32 h x w. ``luma``: float32 h x w in [0, 1], some 320 pixels wide."""
    smooth = cv2.GaussianBlur(luma, (0, 0), 1.0)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    return cv2.GaussianBlur(cv2.magnitude(across, down), (0, 0), 1.5)


def grid_of(width: int, height: int) -> tuple[int, int]:
    """Count the rows and columns of blocks of a picture."""
    columns = min(ACROSS, width)
    return max(1, min(height, round(columns * height / width))), columns


def agreement(source: np.ndarray, result: np.ndarray) -> np.ndarray:
    """Normalised correlation of two gradient maps in each block, the best of shifts by up to one pixel: float32 rows x columns
    in [-1, 1]."""
    height, width = source.shape
    grid = grid_of(width, height)
    mean = _block_means(source, grid)
    variance = _block_means(source * source, grid) - mean * mean
    padded = cv2.copyMakeBorder(result, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    best = np.full(grid, -1, np.float32)
    for down in range(3):
        for across in range(3):
            moved = np.ascontiguousarray(padded[down : down + height, across : across + width])
            other = _block_means(moved, grid)
            spread = _block_means(moved * moved, grid) - other * other
            joint = _block_means(source * moved, grid) - mean * other
            best = np.maximum(best, joint / np.sqrt(np.maximum(variance, 0) * np.maximum(spread, 0) + NOISE))
    return best


def edges_of(source: np.ndarray) -> np.ndarray:
    """Mean gradient magnitude of each block, float32 rows x columns. ``source``: as ``gradients`` gives it."""
    return _block_means(source, grid_of(source.shape[1], source.shape[0]))


def moving_blocks(flow: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Blocks that move and have edges: bool rows x columns. ``flow``: float32 h x w x 2, between neighbouring frames."""
    motion = _block_means(cv2.magnitude(flow[..., 0], flow[..., 1]), edges.shape)
    return (motion > LEAST_MOTION * flow.shape[1]) & (edges > LEAST_EDGES)


def restyled_blocks(region: np.ndarray | None, grid: tuple[int, ...]) -> np.ndarray:
    """Blocks that are restyled for the most part: bool rows x columns. ``region``: float32 H x W; ``None``: all are."""
    return np.ones(grid, bool) if region is None else _block_means(region, grid) > 0.5


def block_losses(frame: int, moving: np.ndarray, ceiling: np.ndarray, agreement: np.ndarray) -> list[BlockLoss]:
    """Losses of at least ``LEAST_LOSS`` among the moving blocks, the greatest first."""
    loss = np.where(moving, ceiling - agreement, 0)
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


def _block_means(values: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
    return cv2.resize(values, (grid[1], grid[0]), interpolation=cv2.INTER_AREA).reshape(grid[0], grid[1])
