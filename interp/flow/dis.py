"""Dense inverse search: Kroeger, Timofte, Dai & Van Gool, "Fast Optical Flow using Dense Inverse Search" (ECCV 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

__all__ = ["QUICK", "DisEstimator", "DisOptions", "QuickDisEstimator"]

SMALLEST = 16  # pixels; below that a side has no room for the pyramid, and the picture is padded


@dataclass(frozen=True)
class DisOptions:
    """The search's own settings. OpenCV's presets stop at a half ("medium") or a quarter ("fast") of the picture; motion is
    measured on small pictures already, so these go down to the last pixel. That keeps motion from bleeding over the borders
    of objects, and cost is held by a wider stride."""

    finest_scale: int = 0
    patch_size: int = 8
    patch_stride: int = 5
    iterations: int = 6
    refinements: int = 3
    """Steps of variational refinement."""


QUICK = DisOptions(finest_scale=1, patch_stride=4, iterations=16, refinements=1)
"""Down to every other pixel only. Between two neighbours that is as good; composed over many frames the difference tells."""


class DisEstimator:
    """OpenCV's DIS flow. The same pictures give the same flow."""

    name = "dis"

    def __init__(self, options: DisOptions | None = None) -> None:
        options = options or DisOptions()
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._search.setFinestScale(options.finest_scale)
        self._search.setPatchSize(options.patch_size)
        self._search.setPatchStride(options.patch_stride)
        self._search.setGradientDescentIterations(options.iterations)
        self._search.setVariationalRefinementIterations(options.refinements)

    def estimate(self, here: np.ndarray, there: np.ndarray) -> np.ndarray:
        """Flow float32 h x w x 2 from ``here`` to ``there``, both uint8 h x w luma of one size."""
        if here.shape != there.shape or here.ndim != 2 or here.dtype != np.uint8 or there.dtype != np.uint8:
            raise ValueError(
                f"two uint8 pictures of one size, got {here.shape} {here.dtype}, {there.shape} {there.dtype}"
            )
        height, width = here.shape
        below, right = max(0, SMALLEST - height), max(0, SMALLEST - width)
        if below or right:
            pad = (0, below, 0, right, cv2.BORDER_REPLICATE)
            here, there = cv2.copyMakeBorder(here, *pad), cv2.copyMakeBorder(there, *pad)
        flow = self._search.calc(here, there, None)
        return np.ascontiguousarray(flow[:height, :width])


class QuickDisEstimator(DisEstimator):
    """DIS at a third of the cost, for motion that is used once and not composed."""

    name = "dis-quick"

    def __init__(self) -> None:
        super().__init__(QUICK)
