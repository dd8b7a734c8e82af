"""The colour of what stays, where its edge is mixed with what is replaced."""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["WINDOWS", "foreground"]

WINDOWS = (181, 61, 21, 7)
"""Sides of the windows over which colours are averaged, pixels; from what is far to what is near."""
BORDER = 5  # pixels, a side: as far as a matte's border, soft or hard, may lie beside the thing's
SURENESS = 4  # power of alpha by which a colour counts
LEAST = np.float32(2e-3)  # mean weight of a window at which it counts half


def foreground(picture: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours F of ``picture = alpha F + (1 - alpha) B``, float32 H x W x 3: where alpha is surely 1 the picture's own, and
    going out from there the nearest of those.

    ``picture``: float32 H x W x 3, ``alpha``: float32 H x W in [0, 1]. Weighted averages over ever smaller windows, as in
    Forte, "Approximate Fast Foreground Colour Estimation" (ICIP 2021), but without its last step, which takes from each pixel
    what its alpha does not explain: mattes of footage are off by a pixel or two, and then that paints the edge with the error.
    """
    sure = cv2.erode(alpha, np.ones((BORDER, BORDER), np.uint8), borderType=cv2.BORDER_REPLICATE) ** SURENESS
    front = picture
    for side in WINDOWS:
        mass = cv2.blur(sure, (side, side)).reshape(sure.shape)
        total = cv2.blur(front * sure[:, :, None], (side, side)) + LEAST * front
        near = total / (mass + LEAST)[:, :, None]
        front = near + sure[:, :, None] * (picture - near)
    return np.asarray(front, np.float32)
