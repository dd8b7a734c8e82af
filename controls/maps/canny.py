"""Canny edges: Canny, "A Computational Approach to Edge Detection" (PAMI 1986), as ControlNets were trained on them."""

from __future__ import annotations

import cv2
import numpy as np

from controls.maps.base import DetectorTraits
from controls.maps.pictures import as_picture, picture_to_detect
from controls.types import ControlMap
from interp.pixels.sizes import detection_size, resized, restored

__all__ = ["Canny"]

WEAK = 0.5  # value of a line that is only seen with the faint thresholds


class Canny:
    """White lines, one pixel wide, on black.

    ``low``, ``high``: the gradient (L1 norm of Sobel, 0 to 2040) above which a line goes on, and above which it may begin.
    ``resolution``: short side to detect at; ``None`` is the picture's own. ``faint``: what share of both thresholds a faint
    line must reach; faint lines are not drawn, but let stabilising tell a line that fades for a frame from one that is gone.
    """

    traits = DetectorTraits(
        name="canny",
        kind="canny",
        about="Canny edges (Canny 1986), by OpenCV",
        licence="Apache-2.0",
        output="255 on a line, else 0",
        stabilise_method="edges",
        controlnets={"sd15": "lllyasviel/control_v11p_sd15_canny", "sdxl": "diffusers/controlnet-canny-sdxl-1.0"},
    )

    def __init__(
        self, *, low: float = 100, high: float = 200, resolution: int | None = None, faint: float = 0.5
    ) -> None:
        if not 0 < low <= high:
            raise ValueError(f"canny's thresholds are 0 < low <= high, got {low:g} and {high:g}")
        if not 0 < faint <= 1:
            raise ValueError(f"canny's faint is a share in (0, 1], got {faint:g}")
        if resolution is not None and resolution < 1:
            raise ValueError(f"a resolution is at least 1 pixel, got {resolution}")
        self._low, self._high, self._faint, self._resolution = low, high, faint, resolution

    def detect(self, picture: np.ndarray) -> ControlMap:
        """``values`` are 1 on a line, 0.5 on a faint one, else 0."""
        picture = picture_to_detect(picture)
        size = picture.shape[1::-1]
        small = resized(picture, detection_size(*size, resolution=self._resolution, multiple=1))
        lines = cv2.Canny(small, self._low, self._high)
        faint = cv2.Canny(small, self._low * self._faint, self._high * self._faint)
        values = np.where(lines > 0, np.float32(1), (faint > 0) * np.float32(WEAK))
        return ControlMap("canny", as_picture(restored(lines, size)), restored(values, size))
