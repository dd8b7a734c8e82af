"""A shot's frames one after the other, either way, with the motion between neighbours; only a few are held at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from controls.masks.place import Scaled
from controls.types import Pictures
from interp.flow import estimator
from interp.track import MotionTrack, working_size
from interp.types import Motion

__all__ = ["Moment", "moments"]

HELD = 96 << 20  # bytes of pictures held at a time
AHEAD = 3  # frames over which motion tells objects apart


@dataclass(frozen=True)
class Moment:
    """One frame, and where it comes from."""

    number: int
    frame: Scaled
    before: Scaled | None
    """The frame visited just before it, a neighbour; ``None`` for the first."""
    _track: MotionTrack
    _here: int
    _step: int

    @property
    def ahead(self) -> Motion:
        """Motion from ``before`` to this frame."""
        return self._track.between(self._here - self._step, self._here)

    @property
    def back(self) -> Motion:
        """Motion from this frame to ``before``."""
        return self._track.between(self._here, self._here - self._step)

    @property
    def apart(self) -> Motion | None:
        """Motion from this frame to one of those held that is a few frames away; ``None`` for a shot of one frame."""
        last = len(self._track) - 1
        there = min(last, self._here + AHEAD)
        if there - self._here < min(AHEAD, self._here):
            there = max(0, self._here - AHEAD)
        return None if there == self._here else self._track.between(self._here, there)


def moments(pictures: Pictures, start: int, stop: int) -> Iterator[Moment]:
    """Frames ``start`` to ``stop``, both included, ascending or descending."""
    width, height = pictures.size
    size = working_size(width, height)
    step = 1 if stop >= start else -1
    held = 16
    at = start
    before: Scaled | None = None
    known = False
    while True:
        end = min(stop, at + held - 1) if step > 0 else max(stop, at - held + 1)
        low, high = min(at, end), max(at, end)
        # the neighbour that was visited last joins the run again, so that there is motion to it
        low, high = (low - (known and step > 0), high + (known and step < 0))
        track = MotionTrack(estimator("dis"), working=size)
        run = []
        for picture in pictures.read(low, high + 1):
            track.add(picture)
            run.append(Scaled(picture))
        if len(run) != high + 1 - low:
            raise ValueError(f"the shot was to have frames {low} to {high}, but it ended after {low + len(run) - 1}")
        for number in range(at, end + step, step):
            frame = run[number - low]
            yield Moment(number, frame, before, track, number - low, step)
            if before is not None:
                before.forget()
            before = frame
        held = max(4, min(16, HELD // max(1, run[0].picture.nbytes)))
        if end == stop:
            return
        at, known = end + step, True
