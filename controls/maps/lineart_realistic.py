"""Line drawings by a network: white lines on black."""

from __future__ import annotations

import numpy as np

from controls.maps.aux_detector import PACKAGES, AuxDetector
from controls.maps.base import DetectorTraits, Weights
from controls.maps.lineart_standard import CONTROLNETS
from controls.types import ControlMap

__all__ = ["RealisticLineart"]


class RealisticLineart(AuxDetector):
    """Chan, Durand & Isola, "Learning to Generate Line Drawings That Convey Geometry and Semantics" (CVPR 2022).

    ``coarse``: fewer, bolder lines. Others as ``AuxDetector``.
    """

    traits = DetectorTraits(
        name="lineart-realistic",
        kind="lineart",
        about="line drawings by a network (Chan, Durand & Isola 2022)",
        licence="Apache-2.0",
        output="0 off the lines, up to 255 on one",
        packages=PACKAGES,
        extra="controls",
        weights=Weights("lllyasviel/Annotators", ("sk_model.pth", "sk_model2.pth"), "MIT"),
        multiple=64,
        stabilise_method="lines",
        controlnets=CONTROLNETS,
    )
    module, part = "lineart", "LineartDetector"

    def __init__(
        self,
        *,
        coarse: bool = False,
        weights: str | None = None,
        resolution: int | None = 512,
        device: str = "cpu",
    ) -> None:
        super().__init__(weights=weights, resolution=resolution, device=device)
        self._coarse = coarse

    def detect(self, picture: np.ndarray) -> ControlMap:
        """A map without ``values``: the network's are 8-bit."""
        return ControlMap("lineart", self._called(picture, coarse=self._coarse))
