"""Soft edges by PidiNet: the outlines a person would draw, bright where they are certain."""

from __future__ import annotations

from controls.maps.aux_detector import PACKAGES
from controls.maps.base import DetectorTraits, Weights
from controls.maps.softedge_hed import CONTROLNETS, OUTPUT, HedEdges

__all__ = ["PidiNetEdges"]


class PidiNetEdges(HedEdges):
    """Su et al., "Pixel Difference Networks for Efficient Edge Detection" (ICCV 2021): quicker and sparser than HED."""

    traits = DetectorTraits(
        name="softedge-pidi",
        kind="softedge",
        about="pixel difference network (PidiNet: Su et al. 2021)",
        licence="Apache-2.0",
        output=OUTPUT,
        packages=PACKAGES,
        extra="controls",
        weights=Weights(
            "lllyasviel/Annotators",
            ("table5_pidinet.pth",),
            "its authors' own: research; for commercial use they ask to be asked (hellozhuo/pidinet)",
        ),
        multiple=64,
        stabilise_method="lines",
        controlnets=CONTROLNETS,
    )
    module, part = "pidi", "PidiNetDetector"
