"""Without motion: to compare with, and for drawings that are meant to stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

__all__ = ["CrossFade", "Hold"]


class Hold:
    """The interpolator ``hold``: the earlier frame stands until the next one comes."""

    name = "hold"

    def interpolate(self, a: np.ndarray, b: np.ndarray, times: Sequence[float]) -> Iterator[np.ndarray]:
        """``a``, for each of ``times``."""
        for _ in times:
            yield a.copy()


class CrossFade:
    """The interpolator ``cross-fade``: a mixture of both frames."""

    name = "cross-fade"

    def interpolate(self, a: np.ndarray, b: np.ndarray, times: Sequence[float]) -> Iterator[np.ndarray]:
        """``a + time * (b - a)``, rounded, for each of ``times``."""
        for time in times:
            yield cv2.addWeighted(a, 1 - time, b, time, 0)
