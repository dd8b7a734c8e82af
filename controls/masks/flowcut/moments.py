"""A shot's frames one after the other, either way, with the motion between neighbours and a look at the frames round them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from controls.masks.flowcut.region import Scaled
from controls.types import Pictures
from interp.flow.dis import DisEstimator
from interp.pixels.depth import to_uint8
from interp.pixels.sizes import motion_size, size_within
from interp.tracks import MotionTrack
from interp.types import Motion

__all__ = ["MARGIN", "Moment", "Run", "moments"]

HELD = 96 << 20  # bytes of whole pictures held at a time
LONGEST = 36  # frames that are visited before the next are read
MARGIN = 12  # frames round a moment that can be looked at
NEAR = 3  # frames over which flow alone tells things apart
SIDE = 640  # long side, in pixels, of what is kept of them


class Run:
    """Consecutive frames of a shot: motion between any two of them, and small pictures."""

    def __init__(self, first: int, size: tuple[int, int]) -> None:
        """``first``: number of the first frame; ``size``: the pictures' width and height."""
        self.first = first
        self._track = MotionTrack(DisEstimator(), working=motion_size(*size))
        self.grid = size_within(*size, SIDE)
        """Width and height of the small pictures."""
        self._small: list[Scaled] = []

    def add(self, picture: np.ndarray) -> None:
        """The next frame."""
        self._track.add(picture)
        small = to_uint8(picture)
        if small.shape[1::-1] != self.grid:
            small = cv2.resize(small, self.grid, interpolation=cv2.INTER_AREA)
        self._small.append(Scaled(small))

    def __contains__(self, number: int) -> bool:
        return self.first <= number < self.first + len(self._small)

    def motion(self, here: int, there: int) -> Motion:
        """Motion from one frame to another, by their numbers in the shot."""
        return self._track.motion(here - self.first, there - self.first)

    def small(self, number: int) -> Scaled:
        """A small picture, uint8."""
        return self._small[number - self.first]


@dataclass(frozen=True)
class Moment:
    """One frame, and where it comes from."""

    number: int
    frame: Scaled
    before: Scaled | None
    """The frame visited just before it, a neighbour; ``None`` for the first."""
    run: Run
    """The frames round it, up to ``MARGIN`` either way, where the shot has them."""
    step: int
    """1 or -1: the way in which the shot is walked."""

    @property
    def ahead(self) -> Motion:
        """Motion from ``before`` to this frame."""
        return self.run.motion(self.number - self.step, self.number)

    @property
    def back(self) -> Motion:
        """Motion from this frame to ``before``."""
        return self.run.motion(self.number, self.number - self.step)

    @property
    def near(self) -> Motion | None:
        """Motion to a frame close by, later if there is one; ``None`` for a shot of one frame."""
        around = [self.number + step for step in (NEAR, -NEAR, 2, -2, 1, -1)]
        there = next((number for number in around if number in self.run), None)
        return None if there is None else self.run.motion(self.number, there)


def moments(pictures: Pictures, start: int, stop: int) -> Iterator[Moment]:
    """Frames ``start`` to ``stop``, both included, ascending or descending."""
    step = 1 if stop >= start else -1
    held = 8
    at = start
    before: Scaled | None = None
    while True:
        end = min(stop, at + held - 1) if step > 0 else max(stop, at - held + 1)
        low, high = max(0, min(at, end) - MARGIN), min(len(pictures) - 1, max(at, end) + MARGIN)
        run = Run(low, pictures.size)
        whole: dict[int, Scaled] = {}
        for number, picture in enumerate(pictures.read(low, high + 1), low):
            run.add(picture)
            if min(at, end) <= number <= max(at, end):
                whole[number] = Scaled(picture)
        if high not in run:
            raise ValueError(f"the shot was to have frames {low} to {high}, but it ended early")
        for number in range(at, end + step, step):
            frame = whole.pop(number)
            yield Moment(number, frame, before, run, step)
            if before is not None:
                before.forget()
            before = frame
            if number - step * MARGIN in run:
                run.small(number - step * MARGIN).forget()
        held = max(4, min(LONGEST, HELD // max(1, frame.picture.nbytes)))
        if end == stop:
            return
        at = end + step
