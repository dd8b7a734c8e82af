"""Structure of a picture in blocks: how well one picture's edges follow another's.

The picture is looked at in blocks, ``ACROSS`` to its width. In each, smoothed gradient magnitudes are correlated, at the best
of shifts by a pixel, for brush marks do not keep to edges. What a look allows is known from its paintings (``Bands``): weak
edges are lost in brush marks, strong ones are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from interp.pixels.depth import to_unit
from interp.pixels.sizes import shrunk

__all__ = [
    "ACROSS",
    "LEAST_EDGES",
    "Bands",
    "agreement",
    "block_means",
    "edges_of",
    "gradients",
    "gradients_of",
    "gradients_of_picture",
    "grid_of",
    "has_structure",
]

ACROSS = 24  # blocks to the picture's width
SIDE = 320  # long side, in pixels, at which gradients are taken
LEAST_EDGES = 0.004  # mean gradient magnitude (code values of 1 a pixel) from which a block has edges
NOISE = 1e-12  # product of variances below which nothing correlates
EDGE_BANDS = (0.008, 0.014, 0.022, 0.035)  # mean gradient magnitudes between which blocks are alike


@dataclass(frozen=True)
class Bands:
    """Agreement that a look allows, by the strength of the source's edges: float32, one value a band."""

    values: np.ndarray

    @classmethod
    def of(cls, agreement: np.ndarray, edges: np.ndarray, counted: np.ndarray) -> Bands | None:
        """Learn it from a painting's blocks. ``counted``: bool, blocks that are painted; ``None`` where none has edges."""
        strong = counted & (edges > LEAST_EDGES)
        if not strong.any():
            return None
        band = np.digitize(edges, EDGE_BANDS)
        typical = float(agreement[strong].mean())
        inside = [strong & (band == number) for number in range(len(EDGE_BANDS) + 1)]
        return cls(np.array([agreement[each].mean() if each.any() else typical for each in inside], np.float32))

    def at(self, edges: np.ndarray) -> np.ndarray:
        """The agreement that blocks with such edges can be expected to have."""
        return self.values[np.digitize(edges, EDGE_BANDS)]


def gradients_of(luma: np.ndarray) -> np.ndarray:
    """Smoothed gradient magnitude of a picture of any size, taken at ``SIDE``. ``luma``: H x W of uint8, uint16 or float32."""
    return gradients(to_unit(shrunk(luma, SIDE)))


def gradients_of_picture(picture: np.ndarray) -> np.ndarray:
    """The same of a picture, H x W x 3 RGB of uint8, uint16 or float32."""
    return gradients_of(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))


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
    mean = block_means(source, grid)
    variance = block_means(source * source, grid) - mean * mean
    padded = cv2.copyMakeBorder(result, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    best = np.full(grid, -1, np.float32)
    for down in range(3):
        for across in range(3):
            moved = np.ascontiguousarray(padded[down : down + height, across : across + width])
            other = block_means(moved, grid)
            spread = block_means(moved * moved, grid) - other * other
            joint = block_means(source * moved, grid) - mean * other
            best = np.maximum(best, joint / np.sqrt(np.maximum(variance, 0) * np.maximum(spread, 0) + NOISE))
    return best


def edges_of(source: np.ndarray) -> np.ndarray:
    """Mean gradient magnitude of each block, float32 rows x columns. ``source``: as ``gradients`` gives it."""
    return block_means(source, grid_of(source.shape[1], source.shape[0]))


def has_structure(source: np.ndarray) -> np.ndarray:
    """Blocks that have edges to be lost, bool rows x columns: strong enough, and not the same all over the block, where no
    correlation means anything (blocks of few pixels, a plain slope). ``source``: as ``gradients`` gives it."""
    grid = grid_of(source.shape[1], source.shape[0])
    mean = block_means(source, grid)
    variance = block_means(source * source, grid) - mean * mean
    return (mean > LEAST_EDGES) & (variance * variance > 16 * NOISE)


def block_means(values: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
    """Mean of each block, float32 rows x columns. ``grid``: rows and columns."""
    return cv2.resize(values, (grid[1], grid[0]), interpolation=cv2.INTER_AREA).reshape(grid[0], grid[1])
