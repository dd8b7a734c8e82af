"""Soft edges by HED: the outlines a person would draw, bright where they are certain."""

from __future__ import annotations

from typing import Any

import numpy as np

from controls.maps.aux_detector import PACKAGES, AuxDetector
from controls.maps.base import DetectorTraits, Weights
from controls.types import ControlMap

__all__ = ["CONTROLNETS", "OUTPUT", "HedEdges"]

OUTPUT = "0 off the outlines, up to 255 on a sure one"
CONTROLNETS = {
    "sd15": "lllyasviel/control_v11p_sd15_softedge",
    "sdxl": "TheMistoAI/MistoLine",  # for lines of any kind
}


class HedEdges(AuxDetector):
    """Xie & Tu, "Holistically-Nested Edge Detection" (ICCV 2015), in ControlNet's own network.

    ``safe``: in three steps only, so that no picture is hidden in the values. Others as ``AuxDetector``.
    """

    traits = DetectorTraits(
        name="softedge",
        kind="softedge",
        about="holistically nested edges (HED: Xie & Tu 2015), ControlNet's own network",
        licence="Apache-2.0",
        output=OUTPUT,
        packages=PACKAGES,
        extra="controls",
        weights=Weights("lllyasviel/Annotators", ("ControlNetHED.pth",), "Apache-2.0"),
        multiple=64,
        stabilise_method="lines",
        controlnets=CONTROLNETS,
    )
    module, part = "hed", "HEDdetector"

    def __init__(
        self,
        *,
        safe: bool = False,
        weights: str | None = None,
        resolution: int | None = 512,
        device: str = "cpu",
    ) -> None:
        super().__init__(weights=weights, resolution=resolution, device=device)
        self._options: dict[str, Any] = {"safe": safe}

    def detect(self, picture: np.ndarray) -> ControlMap:
        """A map without ``values``: the network's are 8-bit."""
        return ControlMap("softedge", self._called(picture, **self._options))
