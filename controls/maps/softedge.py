"""Soft edges: the outlines a person would draw, bright where they are sure."""

from __future__ import annotations

from typing import Any

import numpy as np

from controls.maps.base import KindFacts, Weights
from controls.maps.vendors import PACKAGES, AuxDetector
from controls.types import ControlMap

__all__ = ["HedEdges", "PidiNetEdges"]

_OUTPUT = "0 off the outlines, up to 255 on a sure one"
_CONTROLNETS = {
    "sd15": "lllyasviel/control_v11p_sd15_softedge",
    "sdxl": "TheMistoAI/MistoLine",  # for lines of any kind
}


class HedEdges(AuxDetector):
    """Xie & Tu, "Holistically-Nested Edge Detection" (ICCV 2015), in ControlNet's own network.

    ``safe``: in three steps only, so that no picture is hidden in the values. Others as ``AuxDetector``.
    """

    facts = KindFacts(
        name="softedge",
        kind="softedge",
        about="holistically nested edges (HED: Xie & Tu 2015), ControlNet's own network",
        licence="Apache-2.0",
        output=_OUTPUT,
        packages=PACKAGES,
        extra="controls",
        weights=Weights("lllyasviel/Annotators", ("ControlNetHED.pth",), "Apache-2.0"),
        multiple=64,
        stabilise_method="lines",
        controlnets=_CONTROLNETS,
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


class PidiNetEdges(HedEdges):
    """Su et al., "Pixel Difference Networks for Efficient Edge Detection" (ICCV 2021): quicker and sparser than HED."""

    facts = KindFacts(
        name="softedge-pidi",
        kind="softedge",
        about="pixel difference network (PidiNet: Su et al. 2021)",
        licence="Apache-2.0",
        output=_OUTPUT,
        packages=PACKAGES,
        extra="controls",
        weights=Weights(
            "lllyasviel/Annotators",
            ("table5_pidinet.pth",),
            "its authors' own: research; for commercial use they ask to be asked (hellozhuo/pidinet)",
        ),
        multiple=64,
        stabilise_method="lines",
        controlnets=_CONTROLNETS,
    )
    module, part = "pidi", "PidiNetDetector"
