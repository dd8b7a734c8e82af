"""Rendered scenes with exact motion, for tests: a textured world under a moving camera, and a disc that passes over it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


def texture(height: int, width: int, seed: int = 0, finest: int = 4) -> np.ndarray:
    """uint8 height x width x 3: noise of several octaves, smooth enough to be tracked."""
    random = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    cell = max(finest, max(height, width) // 4)
    while cell >= finest:
        grid = random.random((height // cell + 3, width // cell + 3, 3)).astype(np.float32)
        size = (grid.shape[1] * cell, grid.shape[0] * cell)
        total += cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC)[:height, :width] * cell**0.5
        cell //= 2
    low, high = np.percentile(total, (1, 99))
    return (np.clip((total - low) / (high - low), 0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True)
class Scene:
    """Frames with exact backward flow: ``to_first[t][y, x]`` leads from frame t to frame 0; ``hidden[t]`` marks the pixels
    of frame t that frame 0 does not show."""

    frames: list[np.ndarray]
    to_first: list[np.ndarray]
    hidden: list[np.ndarray]


def moving_scene(count: int, *, size: tuple[int, int] = (160, 120), pan: tuple[float, float] = (1.5, 0.5), disc: float = 3.0,
                 seed: int = 1) -> Scene:  # fmt: skip
    """The world moves by ``pan`` pixels a frame; a textured disc crosses it ``disc`` pixels a frame faster (0: no disc)."""
    width, height = size
    reach = int(max(abs(pan[0]), abs(pan[1])) * count) + 8
    world = texture(height + 2 * reach, width + 2 * reach, seed)
    paint = texture(height, width, seed + 7)
    paint[:, :, 0] = 255 - paint[:, :, 0] // 3
    radius = height // 5
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    frames, flows, hidden = [], [], []

    def centre(t: int) -> tuple[float, float]:
        return (width * 0.25 + (disc + pan[0]) * t, height * 0.5 + pan[1] * t)

    first = np.hypot(x - centre(0)[0], y - centre(0)[1]) <= radius if disc else np.zeros((height, width), bool)
    for t in range(count):
        picture = cv2.remap(
            world, x + reach - np.float32(pan[0] * t), y + reach - np.float32(pan[1] * t), cv2.INTER_CUBIC
        )
        flow = np.dstack([np.full_like(x, -pan[0] * t), np.full_like(x, -pan[1] * t)])
        over = np.zeros((height, width), bool)
        if disc:
            dx, dy = centre(t)[0] - centre(0)[0], centre(t)[1] - centre(0)[1]
            over = np.hypot(x - centre(t)[0], y - centre(t)[1]) <= radius
            picture[over] = cv2.remap(paint, x - np.float32(dx), y - np.float32(dy), cv2.INTER_CUBIC)[over]
            flow[over] = (-dx, -dy)
        there = np.rint(np.dstack([x, y]) + flow).astype(int)
        out = (there[..., 0] < 0) | (there[..., 1] < 0) | (there[..., 0] >= width) | (there[..., 1] >= height)
        inside = np.clip(there, 0, (width - 1, height - 1))
        behind = first[inside[..., 1], inside[..., 0]] & ~over
        frames.append(np.ascontiguousarray(picture))
        flows.append(flow.astype(np.float32))
        hidden.append(out | behind)
    return Scene(frames, flows, hidden)


def recoloured(picture: np.ndarray) -> np.ndarray:
    """A "painting" that depends on each pixel alone: so the painting of a moved picture is the moved painting."""
    turned = 255 - picture[:, :, ::-1].astype(np.int32) * 3 // 4
    return np.ascontiguousarray(turned.astype(np.uint8))


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    white = 1.0 if a.dtype == np.float32 else float(np.iinfo(a.dtype).max)
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return 99.0 if error == 0 else 10 * np.log10(white**2 / error)
