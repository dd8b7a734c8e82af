"""Along the motion where motion explains, by RIFE where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from interp.flow import estimator
from interp.interpolate.along_motion import Course, draw
from interp.interpolate.rife import Rife
from interp.types import FlowEstimator
from interp.warp import mix, resize_confidence

__all__ = ["Hybrid", "blend_in"]

SURE = (0.3, 0.7)  # of how well the motion explains a place, over which RIFE's picture gives way to what was pulled
GROW = 9  # working pixels by which what is not explained is taken wider: its border is blurred by both
NOTHING = 2e-4  # share of the picture below which the network is not asked


class Hybrid:
    """The interpolator ``hybrid``: RIFE is not asked where all motion is plain. Options, errors: ``interp.rife.open_rife``."""

    name = "hybrid"

    def __init__(
        self,
        engine: str = "auto",
        model: str | Path | None = None,
        device: str = "auto",
        allow_pickle: bool = False,
        flow: FlowEstimator | None = None,
    ) -> None:
        self._flow = flow or estimator("dis-quick")
        self._rife = Rife(engine, model, device, allow_pickle)

    def interpolate(self, a: np.ndarray, b: np.ndarray, times: Sequence[float]) -> Iterator[np.ndarray]:
        """The pictures at ``times``, ascending, above 0 (``a``) and below 1 (``b``), in the depth of ``a``."""
        course = Course(self._flow, a, b)
        for time in times:
            to_a, to_b, in_a, in_b = course.at(time)
            pulled = draw(a, b, time, to_a, to_b, in_a, in_b)
            lost = 1 - np.clip((cv2.min(in_a, in_b) - np.float32(SURE[0])) / np.float32(SURE[1] - SURE[0]), 0, 1)
            yield blend_in(pulled, lost.astype(np.float32), partial(self._rife.at, a, b, time))


def blend_in(picture: np.ndarray, lost: np.ndarray, other: Callable[[], np.ndarray]) -> np.ndarray:
    """``picture`` with ``other()`` in its place where it is ``lost`` (float32 h x w, of any size), softly; ``other`` is not
    called where nothing is."""
    height, width = picture.shape[:2]
    lost = cv2.GaussianBlur(cv2.dilate(lost, np.ones((GROW, GROW), np.uint8)), (0, 0), GROW / 4)
    if float((lost > 0.1).mean()) < NOTHING:
        return picture
    made = other()
    share = resize_confidence(lost.reshape(lost.shape[:2]), width, height)
    return mix(made, picture, share)
