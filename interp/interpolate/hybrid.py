"""Along the motion where motion explains, by RIFE where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from interp.flow.dis import QuickDisEstimator
from interp.interpolate.along_motion import PairMotion, blend_warped
from interp.interpolate.rife import Rife
from interp.types import FlowEstimator
from interp.warp import blend, resize_confidence

__all__ = ["Hybrid", "blend_where"]

CONFIDENCE = (0.3, 0.7)  # of the motion, over which RIFE's picture gives way to the warped frames
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
        self._flow = flow or QuickDisEstimator()
        self._rife = Rife(engine, model, device, allow_pickle)

    def interpolate(self, a: np.ndarray, b: np.ndarray, times: Sequence[float]) -> Iterator[np.ndarray]:
        """The pictures at ``times``, ascending, above 0 (``a``) and below 1 (``b``), in the depth of ``a``."""
        motion = PairMotion(self._flow, a, b)
        for time in times:
            at_time = motion.at(time)
            confidence = cv2.min(at_time.in_a, at_time.in_b) - np.float32(CONFIDENCE[0])
            unexplained = 1 - np.clip(confidence / np.float32(CONFIDENCE[1] - CONFIDENCE[0]), 0, 1)
            yield blend_where(
                blend_warped(a, b, at_time), unexplained.astype(np.float32), partial(self._rife.at, a, b, time)
            )


def blend_where(picture: np.ndarray, unexplained: np.ndarray, replacement: Callable[[], np.ndarray]) -> np.ndarray:
    """``picture``, softly replaced by ``replacement()`` where it is ``unexplained`` (float32 h x w in [0, 1], of any size);
    ``replacement`` is not called where nothing is."""
    height, width = picture.shape[:2]
    share = cv2.GaussianBlur(cv2.dilate(unexplained, np.ones((GROW, GROW), np.uint8)), (0, 0), GROW / 4)
    if float((share > 0.1).mean()) < NOTHING:
        return picture
    share = resize_confidence(share.reshape(share.shape[:2]), width, height)
    return blend(replacement(), picture, share)
