"""Control maps: the condition pictures that ControlNets were trained on. One detector a file.

::

    detector = DETECTORS.make("canny", {"low": 80})
    condition = detector.detect(picture)  # a controls.types.ControlMap of the picture's size

``kinds()`` lists what there is with its facts, ``presence(facts)`` what of its needs is there; ``stabilise`` makes maps of
consecutive frames hold still along the footage's motion, ``write_map`` and ``read_maps`` keep them as files that can be
edited by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interp.parts import PartTable

if TYPE_CHECKING:
    from controls.maps.base import KindFacts

__all__ = ["DETECTORS", "kinds"]

DETECTORS = PartTable(
    "control map",
    "restyle.detectors",
    {
        "canny": "controls.maps.canny:Canny",
        "depth": "controls.maps.depth:DepthAnything",
        "depth-midas": "controls.maps.depth:MidasDepth",
        "depth-zoe": "controls.maps.depth:ZoeDepth",
        "flow": "controls.maps.flow:ColouredFlow",
        "lineart": "controls.maps.lineart:StandardLineart",
        "lineart-realistic": "controls.maps.lineart:RealisticLineart",
        "normal": "controls.maps.normal:BaeNormals",
        "normal-depth": "controls.maps.normal:NormalFromDepth",
        "pose": "controls.maps.pose:MediapipePose",
        "pose-dwpose": "controls.maps.dwpose:DWPose",
        "pose-openpose": "controls.maps.openpose:OpenPose",
        "softedge": "controls.maps.softedge:HedEdges",
        "softedge-pidi": "controls.maps.softedge:PidiNetEdges",
        "tile": "controls.maps.tile:Tile",
    },
)


def kinds() -> dict[str, KindFacts]:
    """Name -> what a detector needs and gives, for all of them. Imports no more than OpenCV."""
    return {name: DETECTORS.part(name).facts for name in DETECTORS.names()}
