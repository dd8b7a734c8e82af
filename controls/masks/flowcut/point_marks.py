"""Points as a region of the working grid shows them: discs that are certain, and patches of like colour round them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from controls.masks.flowcut.params import SeedParams
from controls.masks.flowcut.region import Box, Region, region_around
from controls.masks.patches import connected_patch, nearer_than
from controls.types import Point

__all__ = ["PointMarks", "scaled"]


@dataclass(frozen=True)
class PointMarks:
    """The points of one object on one frame."""

    points: Sequence[Point]
    size: tuple[int, int]
    """Width and height of the picture."""
    params: SeedParams

    @property
    def any_positive(self) -> bool:
        """True if a point is on the object."""
        return any(point.positive for point in self.points)

    def discs(self, region: Region, only: Point | None = None) -> np.ndarray:
        """float32 h x w: 1 at positive points, -1 at negative ones, a small disc each, else 0. ``only``: of one point."""
        marks = np.zeros(region.shape, np.float32)
        radius = self.radius(region.grid)
        for point in self.points if only is None else (only,):
            at, others = self.position(point, region.grid), self._opposite(point, region.grid)
            inside = nearer_than(region.shape, (region.left, region.top), at, radius, others)
            x, y = round(at[0]) - region.left, round(at[1]) - region.top
            if 0 <= x < region.shape[1] and 0 <= y < region.shape[0]:
                inside[y, x] = True
            marks[inside] = 1 if point.positive else -1
        return marks

    def patches(self, region: Region, picture: np.ndarray) -> np.ndarray:
        """float32 h x w: the same of the patches round the points. ``picture``: of the region, CIELAB float32 h x w x 3."""
        found = self.discs(region)
        for point in self.points:
            x, y = self.position(point, region.grid)
            x, y = x - region.left, y - region.top
            if not (-0.5 <= x < region.shape[1] - 0.5 and -0.5 <= y < region.shape[0] - 0.5):
                continue
            others = [(a - region.left, b - region.top) for a, b in self._opposite(point, region.grid)]
            patch = connected_patch(picture, (x, y), self.params.patch_radius * max(region.grid), others)
            found[patch & (found == 0)] = 1 if point.positive else -1
        return found

    def widened(self, region: Region, *, positive: bool = False) -> Region:
        """The region with room for every point, or every positive one, and its disc."""
        box = [float(edge) for edge in (region.left, region.top, region.right - 1, region.bottom - 1)]
        for point in self.points:
            if point.positive or not positive:
                x, y = self.position(point, region.grid)
                box = [min(box[0], x - 12), min(box[1], y - 12), max(box[2], x + 12), max(box[3], y + 12)]
        return region_around((box[0], box[1], box[2], box[3]), 0, region.grid)

    def radius(self, grid: tuple[int, int]) -> float:
        """Radius of a disc on a grid."""
        return max(1.5, self.params.point_radius * max(grid))

    def position(self, point: Point, grid: tuple[int, int]) -> tuple[float, float]:
        """x and y of a point on a grid."""
        x, y, *_ = scaled((point.x, point.y, point.x, point.y), self.size, grid)
        return x, y

    def _opposite(self, point: Point, grid: tuple[int, int]) -> list[tuple[float, float]]:
        return [self.position(each, grid) for each in self.points if each.positive != point.positive]


def scaled(box: Box, size: tuple[int, int], grid: tuple[int, int]) -> Box:
    """A box of the picture (``size``: its width and height) on a grid."""
    a, b = grid[0] / size[0], grid[1] / size[1]
    left, right = ((edge + 0.5) * a - 0.5 for edge in (box[0], box[2]))
    top, bottom = ((edge + 0.5) * b - 0.5 for edge in (box[1], box[3]))
    return left, top, right, bottom
