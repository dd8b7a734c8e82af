"""Surface normals of what a depth map describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from controls.maps import DETECTORS
from controls.maps.base import Detector, DetectorTraits
from controls.maps.depth_anything import DepthAnything
from controls.maps.normals import CONTROLNETS, PROTOCOL, normal_picture, normals_from_nearness
from controls.types import ControlMap

__all__ = ["NormalFromDepth"]


class NormalFromDepth:
    """Normals of the surfaces that a depth map describes.

    ``depth``: the depth detector's name, made with ``depth_options``; or a detector. ``smooth``: sigma, in pixels, by which
    nearness is smoothed first. ``field_of_view``, ``infinity``: as ``normals_from_nearness``.
    """

    traits = DetectorTraits(
        name="normal-depth",
        kind="normal",
        about="normals of the surfaces that a depth map describes, exact for planes",
        licence="Apache-2.0",
        output=PROTOCOL,
        packages=DepthAnything.traits.packages,
        extra="controls",
        weights=DepthAnything.traits.weights,
        stabilise_method="normal",
        controlnets=CONTROLNETS,
    )

    def __init__(
        self,
        *,
        depth: str | Detector = "depth",
        depth_options: Mapping[str, Any] | None = None,
        smooth: float = 1.0,
        field_of_view: float = 55.0,
        infinity: float = 0.05,
    ) -> None:
        if smooth < 0:
            raise ValueError(f"normal's smooth is a sigma of at least 0 pixels, got {smooth:g}")
        if isinstance(depth, str):
            detector = DETECTORS.make(depth, depth_options)
            if detector.traits.kind != "depth" or not isinstance(detector, Detector):
                raise ValueError(f"normals are made from a depth detector, {depth!r} makes {detector.traits.kind}")
            depth = detector
        self._depth, self._smooth, self._view, self._infinity = depth, smooth, field_of_view, infinity

    def detect(self, picture: np.ndarray) -> ControlMap:
        """``values`` are the unit normals, float32 H x W x 3."""
        return self.derive(self._depth.detect(picture))

    def derive(self, depth: ControlMap) -> ControlMap:
        """The map that belongs to a depth map, such as a stabilised one, or one drawn by hand. Raises ``ValueError`` where it
        has no ``values``."""
        if depth.values is None or depth.values.ndim != 2:
            raise ValueError(f"normals need the values of a depth map, this map ({depth.kind}) has none")
        near = depth.values if not self._smooth else cv2.GaussianBlur(depth.values, (0, 0), self._smooth)
        normals = normals_from_nearness(near, field_of_view=self._view, infinity=self._infinity)
        return ControlMap("normal", normal_picture(normals), normals)
