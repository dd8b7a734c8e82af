"""Surface normals from nearness, and as pictures."""

from __future__ import annotations

import math

import cv2
import numpy as np

__all__ = ["CONTROLNETS", "PROTOCOL", "normal_picture", "normals_from_nearness"]

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
