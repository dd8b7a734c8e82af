from __future__ import annotations

from typing import Any

import numpy as np

from restyle.painters.base import PaintRequest
from restyle.types import TextPrompt

from ..diffusion.conftest import Shift, one_thread

__all__ = ["film_request", "one_thread"]


def film_request(frames: tuple[np.ndarray, ...], first: int = 0, *, seed: int = 100, **more: Any) -> PaintRequest:
    """All frames of a window, that do not move, asked for with the same words."""
    count = len(frames)
    usual: dict[str, Any] = {
        "shot": 0,
        "frames": tuple(range(first, first + count)),
        "pictures": frames,
        "seeds": tuple(seed + first + number for number in range(count)),
        "tracker": Shift(frames[0].shape[1::-1]),
        "positions": tuple(range(count)),
        "prompts": (TextPrompt("a red car", "fog"),) * count,
    }
    return PaintRequest(**(usual | more))
