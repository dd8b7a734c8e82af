"""Surface normals by a network of their own (Bae)."""

from __future__ import annotations

import numpy as np

from controls.maps.aux_detector import PACKAGES, AuxDetector
from controls.maps.base import DetectorTraits, Weights
from controls.maps.normals import CONTROLNETS, PROTOCOL
from controls.types import ControlMap

__all__ = ["BaeNormals"]


class BaeNormals(AuxDetector):
    """Bae, Budvytis & Cipolla, "Estimating and Exploiting the Aleatoric Uncertainty in Surface Normal Estimation" (ICCV 2021).
    Options as ``AuxDetector``."""

    traits = DetectorTraits(
        name="normal",
        kind="normal",
        about="surface normals by a network (Bae, Budvytis & Cipolla 2021)",
        licence="Apache-2.0",
        output=PROTOCOL,
        packages=PACKAGES,
        extra="controls",
        weights=Weights("lllyasviel/Annotators", ("scannet.pt",), "MIT"),
        multiple=64,
        stabilise_method="normal",
        controlnets=CONTROLNETS,
    )
    module, part = "normalbae", "NormalBaeDetector"

    def detect(self, picture: np.ndarray) -> ControlMap:
        """A map without ``values``: the network's are 8-bit."""
        return ControlMap("normal", self._called(picture))
