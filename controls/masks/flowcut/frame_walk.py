"""A shot walked frame by frame, either way, with motion between neighbours and a look at the frames around."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from controls.masks.flowcut.params import WalkParams
from controls.masks.flowcut.region import ScaledPicture
from controls.types import Pictures
from interp.flow.dis import DisEstimator, DisOptions
from interp.pixels.depth import to_uint8
from interp.pixels.sizes import motion_size, size_within
from interp.tracks import MotionTrack
from interp.types import Motion

__all__ = ["FrameContext", "FrameRun", "walk"]


class FrameRun:
    """Consecutive frames of a shot: motion between any two of them, and small pictures."""

    def __init__(self, first: int, size: tuple[int, int], small_side: int) -> None:
        """``first``: number of the first frame; ``size``: the pictures' width and height; ``small_side``: the small ones' long
        side."""
        self.first = first
        self._track = MotionTrack(DisEstimator(DisOptions(iterations=8)), working=motion_size(*size))
        self.grid = size_within(*size, small_side)
        """Width and height of the small pictures."""
        self._small: list[ScaledPicture] = []

    def add(self, picture: np.ndarray) -> None:
        """Append the next frame."""
        self._track.add(picture)
        small = to_uint8(picture)
        if small.shape[1::-1] != self.grid:
            small = cv2.resize(small, self.grid, interpolation=cv2.INTER_AREA)
        self._small.append(ScaledPicture(small))

    def __contains__(self, number: int) -> bool:
        return self.first <= number < self.first + len(self._small)

    def motion(self, here: int, there: int) -> Motion:
        """Motion from one frame to another, by their numbers in the shot."""
        return self._track.motion(here - self.first, there - self.first)

    def small(self, number: int) -> ScaledPicture:
        """A small picture, uint8."""
        return self._small[number - self.first]


@dataclass(frozen=True)
class FrameContext:
    """One frame, the one visited before it, and those around."""

    number: int
    frame: ScaledPicture
    previous: ScaledPicture | None
    """The frame visited just before, a neighbour; ``None`` for the first."""
    run: FrameRun
    """The frames around, up to ``WalkParams.margin`` either way, where the shot has them."""
    step: int
    """1 or -1: the way in which the shot is walked."""
    nearby: int
    """Frames over which flow alone tells things apart."""

    @property
    def motion_from_previous(self) -> Motion:
        """Motion from ``previous`` to this frame."""
        return self.run.motion(self.number - self.step, self.number)

    @property
    def motion_to_previous(self) -> Motion:
        """Motion from this frame to ``previous``."""
        return self.run.motion(self.number, self.number - self.step)

    @property
    def motion_nearby(self) -> Motion | None:
        """Motion to a frame close by, a later one if there is one; ``None`` for a shot of one frame."""
        around = [self.number + step for step in (self.nearby, -self.nearby, 2, -2, 1, -1)]
        there = next((number for number in around if number in self.run), None)
        return None if there is None else self.run.motion(self.number, there)


def walk(pictures: Pictures, start: int, stop: int, params: WalkParams) -> Iterator[FrameContext]:
    """Yield frames ``start`` to ``stop``, both included, ascending or descending. Raises ``ValueError`` for a shot that ends
    early."""
    step = 1 if stop >= start else -1
    held = 8
    at = start
    previous: ScaledPicture | None = None
    while True:
        end = min(stop, at + held - 1) if step > 0 else max(stop, at - held + 1)
        low = max(0, min(at, end) - params.margin)
        high = min(len(pictures) - 1, max(at, end) + params.margin)
        run = FrameRun(low, pictures.size, params.small_side)
        whole: dict[int, ScaledPicture] = {}
        for number, picture in enumerate(pictures.read(low, high + 1), low):
            run.add(picture)
            if min(at, end) <= number <= max(at, end):
                whole[number] = ScaledPicture(picture)
        if high not in run:
            raise ValueError(f"the shot was to have frames {low} to {high}, but it ended early")
        for number in range(at, end + step, step):
            frame = whole.pop(number)
            yield FrameContext(number, frame, previous, run, step, params.nearby)
            if previous is not None:
                previous.release()
            previous = frame
            if number - step * params.margin in run:
                run.small(number - step * params.margin).release()
        held = max(4, min(params.longest_run, params.held_bytes // max(1, frame.picture.nbytes)))
        if end == stop:
            return
        at = end + step
