"""Motion in colour, by the Middlebury wheel: Baker, Scharstein, Lewis, Roth, Black & Szeliski, "A Database and Evaluation
Methodology for Optical Flow" (IJCV 2011)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from controls.maps.base import DetectorTraits
from controls.maps.pictures import picture_to_detect
from controls.types import ControlMap
from interp.flow import ESTIMATORS
from interp.pixels.sizes import motion_size
from interp.tracks import MotionTrack
from interp.warp import resize_flow

__all__ = ["ColouredFlow", "colour_flow", "colour_wheel"]

# How many steps the wheel takes from each of its colours to the next: red, yellow, green, cyan, blue, magenta, red.
_STEPS = (15, 6, 4, 11, 13, 6)
_COLOURS = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0))


@lru_cache(maxsize=1)
def colour_wheel() -> np.ndarray:
    """The wheel's 55 colours: float32 55 x 3 in [0, 1]."""
    runs = [
        np.linspace(here, there, steps, endpoint=False)
        for here, there, steps in zip(_COLOURS, _COLOURS[1:], _STEPS, strict=False)
    ]
    wheel = np.concatenate(runs).astype(np.float32)
    wheel.setflags(write=False)
    return wheel


def colour_flow(flow: np.ndarray, *, longest: float) -> np.ndarray:
    """``flow`` (float32 h x w x 2) as uint8 h x w x 3: hue is the direction, white is still, full colour is ``longest`` pixels;
    what is faster still is darkened."""
    if not longest > 0:
        raise ValueError(f"the longest motion is more than 0 pixels, got {longest:g}")
    x, y = flow[..., 0] / np.float32(longest), flow[..., 1] / np.float32(longest)
    wheel = colour_wheel()
    position = (np.arctan2(-y, -x) / np.float32(np.pi) + 1) / 2 * (len(wheel) - 1)
    low = position.astype(np.int32)
    part = (position - low)[..., None]
    colour = wheel[low] * (1 - part) + wheel[(low + 1) % len(wheel)] * part
    length = np.hypot(x, y)[..., None]
    colour = np.where(length <= 1, 1 - length * (1 - colour), colour * np.float32(0.75))
    return np.floor(colour * np.float32(255)).astype(np.uint8)


class ColouredFlow:
    """Motion to the next frame, in colour.

    ``longest``: the motion, as a share of the picture's long side, that has full colour. It is one number for all frames, for
    a scale of each frame's own would make colours pump. ``estimator``: by what motion is measured.
    """

    traits = DetectorTraits(
        name="flow",
        kind="flow",
        about="motion to the next frame, by the Middlebury colour wheel (Baker et al. 2011)",
        licence="Apache-2.0",
        output="hue is the direction, white is still, full colour is the longest motion",
        takes="pair",
    )

    def __init__(self, *, longest: float = 0.05, estimator: str = "dis") -> None:
        if not longest > 0:
            raise ValueError(f"flow's longest is a share of the picture's long side, more than 0, got {longest:g}")
        self._longest, self._estimator = longest, ESTIMATORS.make(estimator)

    def detect_pair(self, here: np.ndarray, there: np.ndarray, *, backward: bool = False) -> ControlMap:
        """Motion from ``here`` to ``there``; with ``backward``, the reverse of it. Raises ``ValueError`` for two sizes."""
        here, there = picture_to_detect(here), picture_to_detect(there)
        if here.shape != there.shape:
            raise ValueError(f"two neighbouring frames have one size, got {here.shape} and {there.shape}")
        height, width = here.shape[:2]
        track = MotionTrack(self._estimator, working=motion_size(width, height))
        track.add(here)
        track.add(there)
        flow = track.motion(0, 1).flow
        return self.draw(-flow if backward else flow, (width, height))

    def draw(self, flow: np.ndarray, size: tuple[int, int]) -> ControlMap:
        """The map of a known motion, float32 h x w x 2 of any grid, for frames of ``size`` (width, height). ``values`` are the
        motion in the frame's pixels, float32 H x W x 2."""
        flow = resize_flow(flow, *size)
        longest = self._longest * max(size)
        return ControlMap("flow", colour_flow(flow, longest=longest), flow, {"longest": longest})
