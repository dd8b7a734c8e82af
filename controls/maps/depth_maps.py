"""Depth maps: near is bright. All networks here know distance up to a scale and a shift only, each frame's own (see
``controls.stabilise.depth``)."""

from __future__ import annotations

import numpy as np

from controls.maps.pictures import as_picture
from controls.types import ControlMap

__all__ = ["CONTROLNETS", "OUTPUT", "depth_map", "to_unit"]

CONTROLNETS = {"sd15": "lllyasviel/control_v11f1p_sd15_depth", "sdxl": "diffusers/controlnet-depth-sdxl-1.0"}
OUTPUT = "near is 255, far is 0, linear in "


def depth_map(values: np.ndarray, *, black: float = 0.0, white: float = 1.0) -> ControlMap:
    """The map of nearness in [0, 1] (float32 H x W). ``black`` and ``white``, the values shown as 0 and as 255, go with it as
    ``facts``, so that a stabilised map is shown alike."""
    shown = (values - np.float32(black)) / np.float32(max(white - black, 1e-6))
    picture = as_picture((shown.clip(0, 1) * np.float32(255)).astype(np.uint8))  # cut off, as ControlNet's own tools do
    return ControlMap("depth", picture, values, {"black": float(black), "white": float(white)})


def to_unit(values: np.ndarray) -> np.ndarray:
    """Values stretched to [0, 1], float32 H x W."""
    values = values.astype(np.float32) - np.float32(values.min())
    return values / np.float32(max(float(values.max()), 1e-6))
