"""In-betweens of real frames along their own motion.

Flow is measured both ways. The point of the first frame that moves through a pixel of the in-between at time t is found by
inverting the map x -> x + t * flow(x), by fixed-point iteration; the point of the second frame likewise. Inverting scatters
nothing, and so leaves no holes.

Each of the two points also says something of the *other* frame: whether the flow leads back to it from there. What the second
frame does not show again is about to be covered, and only the first frame may show it; what the first does not show has been
uncovered, and is the second's. (The reasoning of Herbst, Seitz & Baker, "Occlusion reasoning for temporal interpolation using
optical flow", 2009, and of section 3.3 of Baker et al., "A database and evaluation methodology for optical flow", IJCV 2011,
both of which scatter.)

Things smaller than they move far (a ball in flight) are lost to any flow from coarse to fine: they fade from place to place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from interp.flow import checked_flow
from interp.flow.dis import QuickDisEstimator
from interp.pixels.sizes import luma_at, motion_size
from interp.types import FlowEstimator
from interp.warp import blend, consistency, resize_confidence, resize_flow, symmetric_flow, warp

__all__ = ["AlongMotion", "MotionAtTime", "PairMotion", "blend_warped"]

STEPS = 3  # of the fixed-point iteration; one more changes nothing that can be measured
LEAST = 1e-3  # weight that either frame keeps: where neither is seen, time decides
SHARE_SIGMA = 0.7  # sigma, in working pixels, of the border between what the one and the other frame shows
LEAST_SIDE = (
    640  # pixels of the long side at which motion is measured at least, or all there are: each is used but once
)


class PairMotion:
    """The motion from one frame, ``a``, to its neighbour ``b`` and back, measured once for all times between them."""

    def __init__(self, flow: FlowEstimator, a: np.ndarray, b: np.ndarray) -> None:
        size = motion_size(a.shape[1], a.shape[0], least=LEAST_SIDE)
        luma_a, luma_b = luma_at(a, size), luma_at(b, size)
        forward, backward = checked_flow(flow, luma_a, luma_b), checked_flow(flow, luma_b, luma_a)
        self.visible_in_b = consistency(forward, backward)
        """float32 h x w in [0, 1]: confidence that a point of ``a`` is visible in ``b``."""
        self.visible_in_a = consistency(backward, forward)
        """The reverse, for points of ``b``."""
        self.forward = symmetric_flow(forward, backward, self.visible_in_b)
        self.backward = symmetric_flow(backward, forward, self.visible_in_a)

    def at(self, time: float) -> MotionAtTime:
        """The motion from the in-between at ``time`` to both frames."""
        to_a, to_b = _inverse(self.forward, time), _inverse(self.backward, 1 - time)
        return MotionAtTime(time, to_a, to_b, warp(self.visible_in_a, to_b), warp(self.visible_in_b, to_a))


@dataclass(frozen=True)
class MotionAtTime:
    """From an in-between to the frames ``a`` and ``b`` beside it."""

    time: float
    """0 is ``a``, 1 is ``b``."""
    to_a: np.ndarray
    """Flow, float32 h x w x 2, working pixels: where each pixel of the in-between lies in ``a``."""
    to_b: np.ndarray
    in_a: np.ndarray
    """float32 h x w in [0, 1]: confidence that ``a`` shows the pixel."""
    in_b: np.ndarray


class AlongMotion:
    """The interpolator ``along-motion``: the default, without weights. Deterministic.

    ``flow``: what measures motion; by default DIS down to every other pixel of a picture of 640 to 960 pixels.
    """

    name = "along-motion"

    def __init__(self, flow: FlowEstimator | None = None) -> None:
        self._flow = flow or QuickDisEstimator()

    def interpolate(self, a: np.ndarray, b: np.ndarray, times: Sequence[float]) -> Iterator[np.ndarray]:
        """The pictures at ``times``, ascending, above 0 (``a``) and below 1 (``b``), in the depth of ``a``."""
        motion = PairMotion(self._flow, a, b)
        for time in times:
            yield blend_warped(a, b, motion.at(time))


def blend_warped(a: np.ndarray, b: np.ndarray, motion: MotionAtTime) -> np.ndarray:
    """Warp both frames to the in-between and blend them, weighted by time and by which of them shows the pixel."""
    height, width = a.shape[:2]
    weight_a = (1 - motion.time) * (motion.in_a + np.float32(LEAST))
    weight_b = motion.time * (motion.in_b + np.float32(LEAST))
    share = cv2.GaussianBlur((weight_a / (weight_a + weight_b)).astype(np.float32), (0, 0), SHARE_SIGMA)
    share = resize_confidence(share.reshape(motion.in_a.shape), width, height)
    warped_a, warped_b = (
        warp(picture, resize_flow(flow, width, height), interpolation="cubic")
        for picture, flow in ((a, motion.to_a), (b, motion.to_b))
    )
    return blend(warped_a, warped_b, share)


def _inverse(flow: np.ndarray, time: float) -> np.ndarray:
    """From each pixel of the in-between back to the point that ``time * flow`` carries there."""
    part = flow * np.float32(-time)
    back = part
    for _ in range(STEPS - 1):
        back = warp(part, back)
    return back
