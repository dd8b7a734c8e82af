"""The picture itself, blurred: what tile ControlNets, which paint detail into a coarse picture, are shown."""

from __future__ import annotations

import cv2
import numpy as np

from controls.maps.base import DetectorTraits
from controls.maps.pictures import picture_to_detect
from controls.types import ControlMap

__all__ = ["Tile"]


class Tile:
    """The footage in 8 bits, less the detail finer than ``down`` pixels.

    ``down``: by how much the picture is shrunk and grown again (1 to 8 in ControlNet 1.1's own use); 1 leaves it as it is.
    """

    traits = DetectorTraits(
        name="tile",
        kind="tile",
        about="the picture itself, less its finest detail (ControlNet 1.1 tile)",
        licence="Apache-2.0",
        output="the picture's colours, 0 to 255",
        controlnets={"sd15": "lllyasviel/control_v11f1e_sd15_tile", "sdxl": "xinsir/controlnet-tile-sdxl-1.0"},
    )

    def __init__(self, *, down: float = 1.0) -> None:
        if not 1 <= down <= 64:
            raise ValueError(f"tile's down is 1 to 64, got {down:g}")
        self._down = down

    def detect(self, picture: np.ndarray) -> ControlMap:
        """A map without ``values``: the picture is all there is."""
        picture = picture_to_detect(picture)
        if self._down > 1:
            height, width = picture.shape[:2]
            small = (max(1, round(width / self._down)), max(1, round(height / self._down)))
            picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
            picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)
        return ControlMap("tile", picture)
