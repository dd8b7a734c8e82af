"""Control maps: the condition pictures that ControlNets were trained on. One detector a file.

::

    detector = DETECTORS.make("canny", {"low": 80})
    condition = detector.detect(picture)  # a controls.types.ControlMap of the picture's size

``kinds()`` lists what there is with its traits, ``presence(traits)`` what of its needs is there; ``stabilise`` makes maps of
consecutive frames hold still along the footage's motion, ``write_map`` and ``read_maps`` keep them as files that can be
edited by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interp.parts import PartTable

if TYPE_CHECKING:
    from controls.maps.base import DetectorTraits

__all__ = ["DETECTORS", "kinds"]

DETECTORS = PartTable(
    "control map",
    "restyle.detectors",
    {
        "canny": "controls.maps.canny:Canny",
        "depth": "controls.maps.depth_anything:DepthAnything",
        "depth-midas": "controls.maps.depth_midas:MidasDepth",
        "depth-zoe": "controls.maps.depth_zoe:ZoeDepth",
        "flow": "controls.maps.flow:ColouredFlow",
        "lineart": "controls.maps.lineart_standard:StandardLineart",
        "lineart-realistic": "controls.maps.lineart_realistic:RealisticLineart",
        "normal": "controls.maps.normal_bae:BaeNormals",
        "normal-depth": "controls.maps.normal_from_depth:NormalFromDepth",
        "pose": "controls.maps.pose_mediapipe:MediapipePose",
        "pose-dwpose": "controls.maps.pose_dwpose:DWPose",
        "pose-openpose": "controls.maps.pose_openpose:OpenPose",
        "softedge": "controls.maps.softedge_hed:HedEdges",
        "softedge-bsds": "controls.maps.softedge_bsds:BsdsEdges",
        "softedge-pidi": "controls.maps.softedge_pidinet:PidiNetEdges",
        "tile": "controls.maps.tile:Tile",
    },
)


def kinds() -> dict[str, DetectorTraits]:
    """Name -> what a detector needs and gives, for all of them. Imports no more than OpenCV."""
    return {name: DETECTORS.part(name).traits for name in DETECTORS.names()}
