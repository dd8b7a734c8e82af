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

import cv2
import numpy as np

from interp.flow import estimated, estimator
from interp.pixels.sizes import luma_at, motion_size
from interp.types import FlowEstimator
from interp.warp import consistency, mix, resize_confidence, resize_flow, symmetric, warp

__all__ = ["AlongMotion", "Course"]

STEPS = 3  # of the fixed-point iteration; one more changes nothing that can be measured
LEAST = 1e-3  # weight that either frame keeps: where neither is seen, time decides
SOFT = 0.7  # sigma, in working pixels, of the border between what the one and the other frame shows
LEAST_SIDE = (
    640  # pixels of the long side at which motion is measured at least, or all there are: each is used but once
)


class Course:
    """The motion from one frame to its neighbour and back, measured once, from which any time between them can be drawn."""

    def __init__(self, flow: FlowEstimator, a: np.ndarray, b: np.ndarray) -> None:
        size = motion_size(a.shape[1], a.shape[0], least=LEAST_SIDE)
        grey = [luma_at(picture, size) for picture in (a, b)]
        there, back = estimated(flow, grey[0], grey[1]), estimated(flow, grey[1], grey[0])
        self.seen_there, self.seen_back = consistency(there, back), consistency(back, there)
        """float32 h x w: how surely each point of the first frame is seen in the second, and the reverse."""
        self.there = symmetric(there, back, self.seen_there)
        self.back = symmetric(back, there, self.seen_back)

    def at(self, time: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """For the in-between at ``time``: where each pixel lies in the first and in the second frame (flows, working pixels),
        and how surely each of the two frames shows it (float32 h x w)."""
        to_a, to_b = _inverse(self.there, time), _inverse(self.back, 1 - time)
        return to_a, to_b, warp(self.seen_back, to_b), warp(self.seen_there, to_a)


class AlongMotion:
    """The interpolator ``along-motion``: the default, without weights. Deterministic.

    ``flow``: what measures motion; by default DIS down to every other pixel of a picture of 640 to 960 pixels.
    """

    name = "along-motion"

    def __init__(self, flow: FlowEstimator | None = None) -> None:
        self._flow = flow or estimator("dis-quick")

    def interpolate(self, a: np.ndarray, b: np.ndarray, times: Sequence[float]) -> Iterator[np.ndarray]:
        """The pictures at ``times``, ascending, above 0 (``a``) and below 1 (``b``), in the depth of ``a``."""
        course = Course(self._flow, a, b)
        for time in times:
            yield draw(a, b, time, *course.at(time))


def draw(
    a: np.ndarray,
    b: np.ndarray,
    time: float,
    to_a: np.ndarray,
    to_b: np.ndarray,
    in_a: np.ndarray,
    in_b: np.ndarray,
) -> np.ndarray:
    """Pull both frames to the in-between and share its pixels by time and by which of them shows the place (``Course.at``)."""
    height, width = a.shape[:2]
    of_a, of_b = (1 - time) * (in_a + np.float32(LEAST)), time * (in_b + np.float32(LEAST))
    share = cv2.GaussianBlur((of_a / (of_a + of_b)).astype(np.float32), (0, 0), SOFT).reshape(in_a.shape)
    share = resize_confidence(share, width, height)
    one, other = (
        warp(picture, resize_flow(flow, width, height), interpolation="cubic")
        for picture, flow in ((a, to_a), (b, to_b))
    )
    return mix(one, other, share)


def _inverse(flow: np.ndarray, time: float) -> np.ndarray:
    """From each pixel of the in-between back to the point that ``time * flow`` carries there."""
    part = flow * np.float32(-time)
    back = part
    for _ in range(STEPS - 1):
        back = warp(part, back)
    return back
