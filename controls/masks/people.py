"""Mattes of the people in the picture, with no prompt but that: by MediaPipe's selfie segmentation, whose network is inside
the package (mediapipe 0.10.14, Apache-2.0; 256 x 256 pixels). Meant for one or a few people who are near; it tells nobody
from another.

Each frame's matte is refined to the picture's edges, and mixed with the one before it, moved along the motion, so that it keeps
still where the network wavers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from controls.errors import ControlError
from controls.masks.flowcut.soft_edge import soft_edge
from controls.prompts import check_name
from controls.types import Masked, Pictures, Prompted
from interp.errors import MissingPackageError
from interp.flow.dis import QuickDisEstimator
from interp.pixels.depth import to_uint8
from interp.pixels.sizes import luma_at, motion_size
from interp.quiet import without_logs, without_warnings
from interp.warp import consistency, resize_confidence, warp

__all__ = ["PeopleMasker"]

MEMORY = 0.6  # how much of the matte before counts, where the motion is sure
EDGE = 0.008  # of the long side: how far the picture's edges draw the matte's
LEAST = 0.001  # share of the picture below which nobody is there


class PeopleMasker:
    """The masker behind ``NAME=people:``. ``names``: objects that all get the same matte.

    Raises ``MissingPackageError``, ``ControlError`` when it is made.
    """

    name = "people"

    def __init__(self, names: Sequence[str]) -> None:
        for name in names:
            check_name(name)
        self._names = tuple(names)
        try:
            with without_warnings(), without_logs():  # of protobuf's, about mediapipe's
                from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

                self._network = SelfieSegmentation(model_selection=0)
                self._network.process(np.zeros((64, 64, 3), np.uint8))  # it says what it says the first time
        except ModuleNotFoundError as error:
            raise MissingPackageError("mattes of people", error.name or "mediapipe", "pose") from error
        except (ImportError, OSError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:160]
            raise ControlError(f"mattes of people: the package mediapipe cannot be used: {reason}") from error

    def follow(self, pictures: Pictures, prompts: Sequence[Prompted] = ()) -> Iterator[Masked]:
        """Yield every frame's matte, ascending. Frames in which nobody is seen, after somebody was, are said to be lost."""
        search = QuickDisEstimator()
        size = motion_size(*pictures.size)
        before: np.ndarray | None = None
        grey_before: np.ndarray | None = None
        seen = False
        for number, picture in enumerate(pictures.read(0, len(pictures))):
            shown = to_uint8(picture)
            matte = self._matte(shown)
            grey = luma_at(shown, size)
            if before is not None and grey_before is not None:
                back, there = search.estimate(grey, grey_before), search.estimate(grey_before, grey)
                sure = resize_confidence(consistency(back, there), *pictures.size).reshape(matte.shape)
                matte += np.float32(MEMORY) * sure * (warp(before, back).reshape(matte.shape) - matte)
            before, grey_before = matte, grey
            made = soft_edge(matte, shown, radius=max(2, round(EDGE * max(pictures.size))))
            there_is = float(made.mean()) >= LEAST
            seen = seen or there_is
            lost = frozenset(self._names) if seen and not there_is else frozenset()
            yield Masked(number, dict.fromkeys(self._names, made), lost)

    def _matte(self, picture: np.ndarray) -> np.ndarray:
        with without_warnings():
            found = self._network.process(np.ascontiguousarray(picture)).segmentation_mask
        return np.array(found, np.float32).reshape(picture.shape[:2])
