"""Windows on a scaled picture: where on it an object's arrays lie, and how motion is brought there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

__all__ = ["Scaled", "Window", "around", "fit_similarity", "flow_on", "onto", "pull", "working_grid"]


SIDE = 200.0  # working pixels: the side of a square as large as the object's rectangle, at most


@dataclass(frozen=True)
class Window:
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
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """x and y of every pixel, float32 h x w each, counted on the whole picture."""
        x, y = np.meshgrid(
            np.arange(self.left, self.right, dtype=np.float32), np.arange(self.top, self.bottom, dtype=np.float32)
        )
        return x, y


def around(box: tuple[float, float, float, float], pad: float, grid: tuple[int, int]) -> Window:
    """The window round ``box`` (left, top, right, bottom, pixels of the grid) and ``pad`` more on each side, at least 8 x 8
    where the picture has room."""
    width, height = grid
    left, top = max(0, int(box[0] - pad)), max(0, int(box[1] - pad))
    right, bottom = min(width, int(np.ceil(box[2] + pad)) + 1), min(height, int(np.ceil(box[3] + pad)) + 1)
    left, top = max(0, min(left, width - 8)), max(0, min(top, height - 8))
    return Window(left, top, min(width, max(right, left + 8)), min(height, max(bottom, top + 8)), grid)


def working_grid(size: tuple[int, int], box: tuple[float, float, float, float]) -> tuple[int, int]:
    """Width and height to which a picture of ``size`` is shrunk for an object that fills ``box``."""
    side = float(np.sqrt(max(1.0, (box[2] - box[0]) * (box[3] - box[1]))))
    scale = min(1.0, SIDE / side)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


class Scaled:
    """One frame: its picture, and the picture in CIELAB at whatever smaller sizes are asked for."""

    def __init__(self, picture: np.ndarray) -> None:
        self.picture = picture
        self._made: dict[tuple[int, int], np.ndarray] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.picture.shape[1], self.picture.shape[0]

    def lab(self, grid: tuple[int, int]) -> np.ndarray:
        """CIELAB float32 h x w x 3 on ``grid`` (width, height)."""
        if grid not in self._made:
            from controls.masks.flowcut.colour_models import lab

            small = self.picture
            if grid != self.size:
                small = cv2.resize(small, grid, interpolation=cv2.INTER_AREA)
            self._made[grid] = lab(small)
        return self._made[grid]

    def forget(self) -> None:
        """Let go of what was made of the picture."""
        self._made.clear()


def flow_on(flow: np.ndarray, window: Window, *, linear: bool = True) -> np.ndarray:
    """A flow or confidence (h x w or h x w x 2, its own size) on the window's pixels, flow in pixels of the window's grid."""
    height, width = flow.shape[:2]
    scale = (window.grid[0] / width, window.grid[1] / height)
    x, y = window.places()
    x, y = (x + 0.5) / np.float32(scale[0]) - 0.5, (y + 0.5) / np.float32(scale[1]) - 0.5
    here = cv2.remap(flow, x, y, cv2.INTER_LINEAR if linear else cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return here * np.array(scale, np.float32) if flow.ndim == 3 else here


def pull(values: np.ndarray, source: Window, target: Window, flow: np.ndarray) -> np.ndarray:
    """``values`` (on ``source``) as seen on ``target`` along ``flow`` (h x w x 2 on ``target``, leading to ``source``'s frame);
    0 where it leads out of ``source``."""
    x, y = target.places()
    x, y = x + flow[:, :, 0] - source.left, y + flow[:, :, 1] - source.top
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)


def fit_similarity(places: np.ndarray, motion: np.ndarray, weights: np.ndarray, *, scale: float = 1.0) -> np.ndarray:
    """float64 2 x 3: the turn, zoom and shift that move ``places`` (n x 2) by ``motion`` (n x 2), least squares of weights that
    fall where the motion differs by more than ``scale`` pixels (iterated, Geman-McClure). With few samples, a shift alone."""
    from_, to = places.astype(np.float64), places.astype(np.float64) + motion
    weights = weights.astype(np.float64)
    middle = np.median(motion[weights > 0], axis=0) if (weights > 0).any() else np.zeros(2)
    found = np.hstack([np.eye(2), middle[:, None].astype(np.float64)])
    for _ in range(6):
        away = np.square(from_ @ found[:, :2].T + found[:, 2] - to).sum(axis=1)
        share = weights / np.square(1 + away / (2 * scale) ** 2)
        total = share.sum()
        if total < 1e-3:
            return found
        a, b = (share @ from_) / total, (share @ to) / total
        if total < 24:
            found = np.hstack([np.eye(2), (b - a)[:, None]])
            continue
        p, q = from_ - a, to - b
        spread = (share * np.square(p).sum(axis=1)).sum() + 1e-6 + 16 * total  # the last holds small objects still
        cos = ((share * (p * q).sum(axis=1)).sum() + 16 * total) / spread
        sin = (share * (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0])).sum() / spread
        turn = np.array([[cos, -sin], [sin, cos]])
        found = np.hstack([turn, (b - turn @ a)[:, None]])
    return found


def onto(values: np.ndarray, source: Window, target: Window, *, outside: float = 0.0) -> np.ndarray:
    """``values`` (on ``source``) on ``target``, a window of the same picture at another scale; ``outside`` beyond it."""
    if source == target:
        return values
    x, y = target.places()
    x = (x + 0.5) * np.float32(source.grid[0] / target.grid[0]) - 0.5 - source.left
    y = (y + 0.5) * np.float32(source.grid[1] / target.grid[1]) - 0.5 - source.top
    border = (outside,) * 4
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=border)
