"""Motion between the frames of a shot that is read once through, in little memory: all of them, or some that lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from controls.types import Pictures
from interp.pixels.sizes import motion_size
from interp.tracks import MotionTrack
from interp.types import FlowEstimator, Motion
from interp.warp import compose, outside, warp

__all__ = ["KeyframeTracker", "SlidingTracker"]


class SlidingTracker:
    """An ``interp.types.Tracker`` over a whole shot that remembers only the last few neighbours' motion.

    Made for asking about ascending frames and what lies around them: each pair of neighbours is then measured once, and the
    footage read once through. ``remember``: pairs of neighbours to keep; frames further apart than that are slow to ask for.
    ``working``: (width, height) at which motion is measured; ``interp.pixels.sizes.motion_size`` of the pictures by default.
    """

    def __init__(
        self,
        pictures: Pictures,
        estimator: FlowEstimator,
        *,
        remember: int = 16,
        working: tuple[int, int] | None = None,
    ) -> None:
        if remember < 1:
            raise ValueError(f"a tracker remembers at least 1 pair of neighbours, got {remember}")
        self._pictures, self._estimator, self._remember = pictures, estimator, remember
        self._working = working or motion_size(*pictures.size)
        self._pairs: dict[int, tuple[Motion, Motion]] = {}  # t -> (t to t + 1, t + 1 to t)
        self._reading: Iterator[np.ndarray] | None = None
        self._next = 0
        self._last: tuple[int, np.ndarray] | None = None

    def motion(self, here: int, there: int) -> Motion:
        """Motion from frame ``here`` to frame ``there``; confidence is the weakest of the steps between them.

        Raises ``IndexError`` for a frame outside of the shot.
        """
        count = len(self._pictures)
        for number in (here, there):
            if not 0 <= number < count:
                raise IndexError(f"frame {number} is not among the {count} of this shot")
        if here == there:
            return _still(self._working)
        step = 1 if there > here else -1
        whole = self._step(here, step)
        for frame in range(here + step, there, step):
            whole = _chained(whole, self._step(frame, step))
        return whole

    def _step(self, frame: int, step: int) -> Motion:
        first = frame if step > 0 else frame - 1
        if first in self._pairs:
            self._pairs[first] = self._pairs.pop(first)  # the one used last goes last
        else:
            track = MotionTrack(self._estimator, working=self._working)
            track.add(self._picture(first))
            track.add(self._picture(first + 1))
            self._pairs[first] = (track.motion(0, 1), track.motion(1, 0))
            while len(self._pairs) > self._remember:
                del self._pairs[next(iter(self._pairs))]
        return self._pairs[first][0 if step > 0 else 1]

    def _picture(self, frame: int) -> np.ndarray:
        if self._last is not None and self._last[0] == frame:
            return self._last[1]
        if self._reading is None or frame != self._next:
            self._reading, self._next = self._pictures.read(frame, len(self._pictures)), frame
        picture = next(self._reading)
        self._next += 1
        self._last = (frame, picture)
        return picture


class KeyframeTracker:
    """An ``interp.types.Tracker`` between ``keys`` alone, ascending frames of a shot that may lie far apart.

    Motion from one to the next, and back, is put together while the frames between are read, once; the last ``remember`` such
    pairs are kept, however many frames lie between. Others as ``SlidingTracker``.
    """

    def __init__(
        self,
        pictures: Pictures,
        estimator: FlowEstimator,
        keys: Sequence[int],
        *,
        remember: int = 8,
        working: tuple[int, int] | None = None,
    ) -> None:
        self._working = working or motion_size(*pictures.size)
        self._frames = SlidingTracker(pictures, estimator, remember=1, working=self._working)
        self._keys, self._remember = list(keys), remember
        self._pairs: dict[int, tuple[Motion, Motion]] = {}  # position of a key -> to the next, and from it

    def motion(self, here: int, there: int) -> Motion:
        """Motion from key ``here`` to key ``there``. Raises ``ValueError`` for a frame that is none of them."""
        a, b = self._keys.index(here), self._keys.index(there)
        step = 1 if b >= a else -1
        whole: Motion | None = None
        for position in range(a, b, step):
            step_motion = self._pair(min(position, position + step))[0 if step > 0 else 1]
            whole = step_motion if whole is None else _chained(whole, step_motion)
        return whole or _still(self._working)

    def _pair(self, position: int) -> tuple[Motion, Motion]:
        if position not in self._pairs:
            there, back = _still(self._working), _still(self._working)
            for frame in range(self._keys[position], self._keys[position + 1]):
                there = _chained(there, self._frames.motion(frame, frame + 1))
                back = _chained(self._frames.motion(frame + 1, frame), back)
            self._pairs[position] = (there, back)
            while len(self._pairs) > self._remember:
                del self._pairs[next(iter(self._pairs))]
        return self._pairs[position]


def _still(working: tuple[int, int]) -> Motion:
    width, height = working
    return Motion(np.zeros((height, width, 2), np.float32), np.ones((height, width), np.float32))


def _chained(first: Motion, then: Motion) -> Motion:
    """One motion after the other; its confidence is the lower of both."""
    confidence = cv2.min(first.confidence, warp(then.confidence, first.flow))
    flow = compose(first.flow, then.flow)
    confidence[outside(flow) > 0] = 0
    return Motion(flow, confidence)
