"""Surface normals, from a depth map or from a network of their own (Bae)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from controls.maps import DETECTORS
from controls.maps.base import Detector, KindFacts, Weights
from controls.maps.depth import DepthAnything
from controls.maps.vendors import PACKAGES, AuxDetector
from controls.types import ControlMap

__all__ = ["BaeNormals", "NormalFromDepth", "normal_picture", "normals_from_nearness"]

CONTROLNETS = {"sd15": "lllyasviel/control_v11p_sd15_normalbae"}
PROTOCOL = "blue faces the camera, red the left, green the top (each 0 to 255, 128 is none), as ControlNet 1.1 asks"


def normals_from_nearness(nearness: np.ndarray, *, field_of_view: float = 55.0, infinity: float = 0.05) -> np.ndarray:
    """Unit normals toward the camera, float32 h x w x 3: x to the left, y up, z to the camera.

    ``nearness``: float32 h x w, an affine function of 1/distance in [0, 1], near = 1, as depth networks give. ``infinity``:
    what to add to it so that 0 is infinitely far; only that one number (not the scale) bears on normals.
    ``field_of_view``: degrees across the long side.

    A plane n . P = 1 seen by a pinhole camera at P = (u, v, 1) / d, with u and v the ray's slopes and d = 1/distance, obeys
    d = n . (u, v, 1): d is affine in the picture, and its slope there is n. So normals are exact for planes.
    """
    if not 0 < field_of_view < 180:
        raise ValueError(f"a field of view is between 0 and 180 degrees, got {field_of_view:g}")
    height, width = nearness.shape
    focal = max(width, height) / 2 / math.tan(math.radians(field_of_view) / 2)
    d = nearness.astype(np.float32) + np.float32(infinity)
    across = cv2.Scharr(d, cv2.CV_32F, 1, 0, scale=focal / 32, borderType=cv2.BORDER_REPLICATE)
    down = cv2.Scharr(d, cv2.CV_32F, 0, 1, scale=focal / 32, borderType=cv2.BORDER_REPLICATE)
    if width > 1:  # a border's own difference is one-sided, over half the distance
        across[:, [0, -1]] *= 2
    if height > 1:
        down[[0, -1]] *= 2
    u = (np.arange(width, dtype=np.float32) - (width - 1) / 2) / np.float32(focal)
    v = (np.arange(height, dtype=np.float32) - (height - 1) / 2) / np.float32(focal)
    forward = d - u[None, :] * across - v[:, None] * down
    # n points away from the camera, x right, y down, z forward; the surface's outside is -n: x left, y up, z to us.
    normals = np.dstack([across, down, forward])
    length = np.linalg.norm(normals, axis=2, keepdims=True)
    flat = np.array([0, 0, 1], np.float32)
    return np.where(length > 1e-9, normals / np.maximum(length, 1e-9), flat).astype(np.float32)


def normal_picture(normals: np.ndarray) -> np.ndarray:
    """Unit normals (x left, y up, z to the camera) as uint8 h x w x 3: -1 is 0, 1 is 255."""
    return np.rint((np.clip(normals, -1, 1) + 1) * np.float32(127.5)).astype(np.uint8)


class NormalFromDepth:
    """Normals of the surfaces that a depth map describes.

    ``depth``: the depth detector's name, made with ``depth_options``; or a detector. ``smooth``: sigma, in pixels, by which
    nearness is smoothed first. ``field_of_view``, ``infinity``: as ``normals_from_nearness``.
    """

    facts = KindFacts(
        name="normal-depth",
        kind="normal",
        about="normals of the surfaces that a depth map describes, exact for planes",
        licence="Apache-2.0",
        output=PROTOCOL,
        packages=DepthAnything.facts.packages,
        extra="controls",
        weights=DepthAnything.facts.weights,
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
            made = DETECTORS.make(depth, depth_options)
            if made.facts.kind != "depth" or not isinstance(made, Detector):
                raise ValueError(f"normals are made from a depth detector, {depth!r} makes {made.facts.kind}")
            depth = made
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


class BaeNormals(AuxDetector):
    """Bae, Budvytis & Cipolla, "Estimating and Exploiting the Aleatoric Uncertainty in Surface Normal Estimation" (ICCV 2021).
    Options as ``AuxDetector``."""

    facts = KindFacts(
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
