from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interp.types import Motion
from restyle.painters.base import PaintRequest
from restyle.types import TextPrompt

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Tiny models lose more to threads than they win."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Shift:
    """A tracker whose frames all move by the same number of pixels."""

    def __init__(self, size: tuple[int, int], by: tuple[float, float] = (0.0, 0.0), seen: float = 1.0) -> None:
        self._size, self._by, self._seen = size, by, seen

    def motion(self, here: int, there: int) -> Motion:
        width, height = self._size
        flow = np.empty((height, width, 2), np.float32)
        flow[...] = np.array(self._by, np.float32) * (there - here)
        rows, columns = np.mgrid[0:height, 0:width]
        x, y = columns + flow[..., 0], rows + flow[..., 1]
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        return Motion(flow, (inside * self._seen).astype(np.float32))


def picture(number: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """Some picture, smooth enough that resizing and coding do not matter."""
    import cv2

    rough = np.random.default_rng(number).integers(0, 256, (8, 8, 3)).astype(np.float32)
    return cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def job(
    pictures: list[np.ndarray], *, tracker: Any = None, first: int = 0, step: int = 10, **more: Any
) -> PaintRequest:
    """A window of keyframes ``step`` frames apart."""
    count = len(pictures)
    height, width = pictures[0].shape[:2]
    return PaintRequest(
        shot=0,
        frames=tuple(first + step * n for n in range(count)),
        pictures=tuple(pictures),
        seeds=more.pop("seeds", tuple(1000 + first + n for n in range(count))),
        tracker=tracker or Shift((width, height)),
        positions=tuple(step * n for n in range(count)),
        prompts=more.pop("prompts", tuple(TextPrompt("a red car", "fog") for _ in range(count))),
        **more,
    )


def partly_fitting_lora(tiny: Callable[[str], str], file: Path, kept: float) -> tuple[str, int, int]:
    """A LoRA some of whose layers SD 1.5 has not, how many it has, and how many there are. diffusers passes over the others."""
    from safetensors.torch import load_file, save_file

    layers = load_file(Path(tiny("lora-sd15")) / "pytorch_lora_weights.safetensors")
    names = sorted({name.rpartition(".lora")[0] for name in layers})
    gone = set(names[round(len(names) * kept) :])
    renamed = {
        name.replace("unet.", "unet.nowhere.") if name.rpartition(".lora")[0] in gone else name: values
        for name, values in layers.items()
    }
    save_file(renamed, file)
    return str(file), len(names) - len(gone), len(names)


OFF = {"attention": "none", "warp_noise": False, "shape_until": 0.0, "colour_from": 1.0, "resolution": 0}
