"""Line drawings by a difference of Gaussians: white lines on black, as line-art ControlNets are shown them."""

from __future__ import annotations

import cv2
import numpy as np

from controls.maps.base import DetectorTraits
from controls.maps.pictures import as_picture, picture_to_detect
from controls.types import ControlMap
from interp.pixels.sizes import detection_size, resized

__all__ = ["CONTROLNETS", "StandardLineart"]

CONTROLNETS = {"sd15": "lllyasviel/control_v11p_sd15_lineart", "sdxl": "TheMistoAI/MistoLine"}


class StandardLineart:
    """Lines where the picture is darker than its surroundings: a difference of Gaussians; needs no weights.

    ``sigma``: width of the surroundings, in pixels of the size that it looks at; ``threshold``: code values of 255 below which
    nothing counts as a line when the strength of a typical one is measured; ``resolution``: short side to look at, ``None``
    is the picture's own. The same drawing as controlnet_aux's ``LineartStandardDetector``.
    """

    traits = DetectorTraits(
        name="lineart",
        kind="lineart",
        about="difference of Gaussians, the darker side only ('lineart standard')",
        licence="Apache-2.0",
        output="0 off the lines; 127 on a line of typical strength, up to 255 on a strong one",
        multiple=64,
        stabilise_method="lines",
        controlnets=CONTROLNETS,
    )

    def __init__(self, *, sigma: float = 6.0, threshold: float = 8.0, resolution: int | None = 512) -> None:
        if not sigma > 0 or threshold < 0 or (resolution is not None and resolution < 1):
            raise ValueError(
                f"lineart takes sigma > 0, threshold >= 0 and resolution >= 1, got {sigma}, {threshold}, {resolution}"
            )
        self._sigma, self._threshold, self._resolution = sigma, threshold, resolution

    def detect(self, picture: np.ndarray) -> ControlMap:
        """``values`` are the picture's, in [0, 1], before they are rounded."""
        picture = picture_to_detect(picture)
        size = picture.shape[1::-1]
        multiple = 1 if self._resolution is None else self.traits.multiple
        small = resized(picture, detection_size(*size, resolution=self._resolution, multiple=multiple)).astype(
            np.float32
        )
        darker = (cv2.GaussianBlur(small, (0, 0), self._sigma) - small).min(axis=2).clip(0, 255)
        counts = darker[darker > self._threshold]
        typical = max(16.0, float(np.median(counts))) if counts.size else 16.0
        drawn = (darker * np.float32(127 / typical)).clip(0, 255)
        plane = drawn.astype(np.uint8)
        if plane.shape[::-1] != size:
            plane = cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC)
            drawn = cv2.resize(drawn, size, interpolation=cv2.INTER_CUBIC).clip(0, 255)
        return ControlMap("lineart", as_picture(plane), drawn / np.float32(255))
