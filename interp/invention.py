"""Painting what no frame shows: once, and then carried along the motion, so that it keeps still."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from interp.exemplar import fill_by_exemplars
from interp.pixels.depth import white_of
from interp.warp import compose

__all__ = ["Invention", "painted_in"]

ANCHORED = 24  # frames over which what was painted is taken from one plate: resampled from frame to frame it would blur
THIN = 3.0  # pixels from the border of a hole up to which it is filled smoothly: it holds no structure


@dataclass(frozen=True)
class Invention:
    """A plate in which all is painted that no frame shows, and the way there."""

    plate: np.ndarray
    """H x W x 3 in the footage's depth."""
    flow: np.ndarray | None = None
    """From a later frame to it, float32 h x w x 2; ``None``: it is that frame's own."""
    age: int = 0
    """Frames between."""

    def carried(self, backward: np.ndarray) -> Invention:
        """As the next frame sees it. ``backward``: flow from that frame to the one before it."""
        flow = backward if self.flow is None else compose(backward, self.flow)
        return Invention(self.plate, flow, self.age + 1)

    @property
    def old(self) -> bool:
        """True if the next frame had better be carried on from a plate that is nearer."""
        return self.age >= ANCHORED


def painted_in(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """``picture`` (H x W x 3, any depth) as float32 in its own code values, with ``hole`` (bool H x W) painted in: by pieces of
    what surrounds it (``exemplar``); smoothly where it is thin, or nothing round it is known (Telea, "An image inpainting
    technique based on the fast marching method", 2004)."""
    white = np.float32(white_of(picture.dtype))
    unit = picture.astype(np.float32) / white
    thickness = cv2.distanceTransform(
        cv2.copyMakeBorder(hole.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE), cv2.DIST_L2, 3
    )
    filled = fill_by_exemplars(unit, hole) if float(thickness.max()) > THIN else None
    if filled is None:
        plain = np.rint(np.clip(unit, 0, 1) * 255).astype(np.uint8)
        around = cv2.inpaint(plain, hole.astype(np.uint8), 5, cv2.INPAINT_TELEA)
        filled = np.where(hole[:, :, None], around.astype(np.float32) / np.float32(255), unit)
    return np.asarray(filled * white)
