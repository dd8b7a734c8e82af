"""Mattes of the people in the picture, with no prompt but that: by MediaPipe's selfie segmentation, whose network is inside
the package (mediapipe 0.10.14, Apache-2.0; 256 x 256 pixels). Meant for one or a few people who are near; it tells nobody
from another.

Each frame's matte is refined to the picture's edges, and mixed with the one before it, warped along the motion, so that it
keeps still where the network wavers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from controls.masks.flowcut.soft_edge import soft_edge
from controls.mediapipe_network import open_network
from controls.prompts import check_kinds
from controls.types import Masked, MaskerTraits, People, Pictures, Prompted
from interp.flow.dis import QuickDisEstimator
from interp.pixels.depth import to_uint8
from interp.pixels.sizes import luma_at, motion_size
from interp.quiet import without_warnings
from interp.warp import consistency, resize_confidence, warp

__all__ = ["EDGE", "PeopleMasker", "people_network"]

MEMORY = 0.6  # how much of the matte before counts, where the motion's confidence is full
EDGE = 0.008  # of the long side: how far the picture's edges draw the matte's
LEAST = 0.001  # share of the picture below which nobody is there


class PeopleMasker:
    """The masker of ``People`` prompts (``NAME=people``); all objects get the same matte."""

    name = "people"
    traits = MaskerTraits(title="MediaPipe", prompts=frozenset({People}), packages=("mediapipe",), extra="pose")

    def follow(self, pictures: Pictures, prompts: Sequence[Prompted]) -> Iterator[Masked]:
        """Yield every frame's matte, ascending. Frames in which nobody is seen, after somebody was, are said to be lost.

        Raises ``MissingPackageError``, ``ControlError``.
        """
        check_kinds(self.name, self.traits, prompts)
        names = tuple(dict.fromkeys(prompted.name for prompted in prompts))
        return self._follow(pictures, names, people_network())

    def _follow(self, pictures: Pictures, names: Sequence[str], network: Any) -> Iterator[Masked]:
        estimator = QuickDisEstimator()
        size = motion_size(*pictures.size)
        before: np.ndarray | None = None
        luma_before: np.ndarray | None = None
        seen = False
        for number, picture in enumerate(pictures.read(0, len(pictures))):
            shown = to_uint8(picture)
            with without_warnings():
                mask = network.process(np.ascontiguousarray(shown)).segmentation_mask
            matte = np.array(mask, np.float32).reshape(shown.shape[:2])
            luma = luma_at(shown, size)
            if before is not None and luma_before is not None:
                back, there = estimator.estimate(luma, luma_before), estimator.estimate(luma_before, luma)
                confidence = resize_confidence(consistency(back, there), *pictures.size).reshape(matte.shape)
                matte += np.float32(MEMORY) * confidence * (warp(before, back).reshape(matte.shape) - matte)
            before, luma_before = matte, luma
            refined = soft_edge(matte, shown, radius=max(2, round(EDGE * max(pictures.size))))
            somebody = float(refined.mean()) >= LEAST
            seen = seen or somebody
            lost = frozenset(names) if seen and not somebody else frozenset()
            yield Masked(number, dict.fromkeys(names, refined), lost)


def people_network() -> Any:
    """MediaPipe's ``SelfieSegmentation``."""
    return open_network("mattes of people", "selfie_segmentation", "SelfieSegmentation", model_selection=0)
