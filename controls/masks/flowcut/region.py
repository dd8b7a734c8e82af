"""Regions of interest on a scaled picture: where on it an object's arrays lie, and how values and motion are brought there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from controls.masks.flowcut.colour_models import lab

__all__ = ["Region", "ScaledPicture", "region_around", "resample", "sample_flow", "warp_region", "working_grid"]

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Region:
    """A rectangle of whole pixels on a picture of ``grid`` (width, height) pixels; right and bottom are not part of it."""

    left: int
    top: int
    right: int
    bottom: int
    grid: tuple[int, int]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    @property
    def corner(self) -> np.ndarray:
        """x and y of the upper left pixel."""
        return np.array([self.left, self.top])

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def coordinates(self) -> tuple[np.ndarray, np.ndarray]:
        """x and y of every pixel, float32 h x w each, counted on the whole picture."""
        x, y = np.meshgrid(
            np.arange(self.left, self.right, dtype=np.float32), np.arange(self.top, self.bottom, dtype=np.float32)
        )
        return x, y

    def outside(self, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positions to which ``flow`` (float32 h x w x 2) leads from each pixel, x and y, and bool h x w: True outside."""
        x, y = self.coordinates()
        x, y = x + flow[:, :, 0], y + flow[:, :, 1]
        width, height = self.grid
        return x, y, (x < 0) | (y < 0) | (x > width - 1) | (y > height - 1)


def region_around(box: Box, pad: float, grid: tuple[int, int]) -> Region:
    """The region around ``box`` (left, top, right, bottom, pixels of the grid) and ``pad`` more on each side, at least 8 x 8
    where the picture has room."""
    width, height = grid
    left, top = max(0, int(box[0] - pad)), max(0, int(box[1] - pad))
    right, bottom = min(width, int(np.ceil(box[2] + pad)) + 1), min(height, int(np.ceil(box[3] + pad)) + 1)
    left, top = max(0, min(left, width - 8)), max(0, min(top, height - 8))
    return Region(left, top, min(width, max(right, left + 8)), min(height, max(bottom, top + 8)), grid)


def working_grid(size: tuple[int, int], box: Box, working_side: float) -> tuple[int, int]:
    """Width and height to which a picture of ``size`` is shrunk for an object that fills ``box``."""
    side = float(np.sqrt(max(1.0, (box[2] - box[0]) * (box[3] - box[1]))))
    scale = min(1.0, working_side / side)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


class ScaledPicture:
    """One frame: its picture, and the picture in CIELAB at whatever smaller sizes are asked for."""

    def __init__(self, picture: np.ndarray) -> None:
        self.picture = picture
        self._scaled: dict[tuple[int, int], np.ndarray] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.picture.shape[1], self.picture.shape[0]

    def lab(self, grid: tuple[int, int]) -> np.ndarray:
        """CIELAB float32 h x w x 3 on ``grid`` (width, height)."""
        if grid not in self._scaled:
            small = self.picture
            if grid != self.size:
                small = cv2.resize(small, grid, interpolation=cv2.INTER_AREA)
            self._scaled[grid] = lab(small)
        return self._scaled[grid]

    def release(self) -> None:
        """Let go of what was computed from the picture."""
        self._scaled.clear()


def sample_flow(flow: np.ndarray, region: Region) -> np.ndarray:
    """A flow or confidence (h x w or h x w x 2, its own size) on the region's pixels, flow in pixels of the region's grid."""
    height, width = flow.shape[:2]
    scale = (region.grid[0] / width, region.grid[1] / height)
    x, y = region.coordinates()
    x, y = (x + 0.5) / np.float32(scale[0]) - 0.5, (y + 0.5) / np.float32(scale[1]) - 0.5
    here = cv2.remap(flow, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return here * np.array(scale, np.float32) if flow.ndim == 3 else here


def warp_region(values: np.ndarray, source: Region, target: Region, flow: np.ndarray) -> np.ndarray:
    """``values`` (on ``source``) as seen on ``target`` along ``flow`` (h x w x 2 on ``target``, leading to ``source``'s frame);
    0 where it leads out of ``source``."""
    x, y = target.coordinates()
    x, y = x + flow[:, :, 0] - source.left, y + flow[:, :, 1] - source.top
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)


def resample(values: np.ndarray, source: Region, target: Region, *, outside: float = 0.0) -> np.ndarray:
    """``values`` (on ``source``) on ``target``, a region of the same picture at another scale; ``outside`` beyond it."""
    if source == target:
        return values
    x, y = target.coordinates()
    x = (x + 0.5) * np.float32(source.grid[0] / target.grid[0]) - 0.5 - source.left
    y = (y + 0.5) * np.float32(source.grid[1] / target.grid[1]) - 0.5 - source.top
    border = (outside,) * 4
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=border)
