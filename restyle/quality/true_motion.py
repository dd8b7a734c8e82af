"""True motion of some footage, as warp errors are taken along it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from interp.warp import resize_flow
from restyle.errors import RecipeError, show_path
from restyle.quality.motion import KnownMotion
from restyle.quality.truth import read_truth
from restyle.types import FootageSpec, Shot

__all__ = ["TrueMotion"]

STEEP = 0.5  # points of the grid by which the motion of a point and that of one beside it may differ, to be drawn between them


class TrueMotion:
    """The motion between neighbouring frames of ``footage``, from a folder of truth (see ``truth``).

    Raises ``RecipeError`` if the folder cannot be read, or its truth is of other footage.
    """

    def __init__(self, folder: str | Path, footage: FootageSpec) -> None:
        self._truth = truth = read_truth(folder)
        self.shots = tuple(Shot(number, *ends) for number, ends in enumerate(truth.shots))
        about = f"the truth in {show_path(folder)} is of"
        wide, high = truth.size
        if abs(footage.width * high - footage.height * wide) > max(footage.width, footage.height, wide, high):
            raise RecipeError(
                f"{about} {wide}x{high} pixels, {show_path(footage.path)} has {footage.width}x{footage.height}: another shape"
            )
        if footage.frames is not None and footage.frames != truth.frames:
            raise RecipeError(f"{about} {truth.frames} frames, {show_path(footage.path)} has {footage.frames}")

    def between(self, frame: int, size: tuple[int, int]) -> KnownMotion:
        """The motion from ``frame``, not its shot's last, to the next, at ``size`` (width, height).

        It is not known of what mirrors other things. On another grid than its own it is interpolated, and not known where
        it is of two things.
        """
        truth = self._truth
        flow = truth.flow_forward(frame) * np.float32(truth.grid[0] / truth.size[0])
        known = truth.seen_ahead(frame) & ~truth.mirrored(frame)
        if size == truth.grid:
            return KnownMotion(flow, known)
        around = np.ones((3, 3), np.uint8)
        known &= (cv2.dilate(flow, around) - cv2.erode(flow, around)).max(axis=2) < STEEP
        surely = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        return KnownMotion(resize_flow(flow, *size), surely > 0.99)
