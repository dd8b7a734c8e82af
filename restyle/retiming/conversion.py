"""Frame rate conversion: the footage's own frames where they fall on the new clock, interpolated ones where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from interp.types import Interpolator
from restyle.render.contracts import checked_interpolation
from restyle.retiming.clock import instants
from restyle.types import Frame

__all__ = ["FrameRateConverter", "Timeline"]

PictureAndAlpha = tuple[np.ndarray, np.ndarray | None]


@dataclass(frozen=True)
class Timeline:
    """The footage's frames on its own clock, and the clock that they are brought to."""

    times: Sequence[Fraction]
    """Time of each frame, in seconds after the first one."""
    first: int
    """Number in the footage of the first one."""
    end: Fraction
    """End of the last one."""
    cuts: frozenset[int]
    """Frames with which a shot begins."""
    rate: Fraction
    """Frames a second of the output."""
    slow: Fraction
    """Factor by which it runs slower."""

    def time_of(self, frame: Frame) -> Fraction:
        """Time of a frame, in seconds."""
        return self.times[frame.index - self.first]

    def cut_between(self, left: Frame, right: Frame) -> bool:
        """Tell whether a shot begins after ``left``, and with ``right`` at the latest."""
        return not self.cuts.isdisjoint(range(left.index + 1, right.index + 1))


class FrameRateConverter:
    """Makes the output's frames of the footage's. To be used once; counts what it gives."""

    def __init__(self, timeline: Timeline, interpolator: Interpolator) -> None:
        self._timeline = timeline
        self._interpolator = interpolator
        self.taken = 0
        """Frames of the footage that came in."""
        self.kept = 0
        """Frames of the output that are the footage's own."""
        self.held = 0
        """Frames of the output for which the one before stands, as there is nothing to interpolate."""

    def convert(self, frames: Iterable[Frame]) -> Iterator[PictureAndAlpha]:
        """Picture and alpha of every output frame, in order. ``frames``: those that motion runs through, ascending."""
        timeline = self._timeline
        number = 0
        left: Frame | None = None
        for right in frames:
            self.taken += 1
            if left is not None:
                shown = list(
                    instants(number, timeline.time_of(left), timeline.time_of(right), timeline.rate, timeline.slow)
                )
                yield from self._from(left, right, [share for _, share in shown])
                number += len(shown)
            left = right
        if left is None:
            return
        last = list(instants(number, timeline.time_of(left), timeline.end, timeline.rate, timeline.slow))
        shares = [share for _, share in last] or [Fraction(0)] * (not number)
        yield from self._from(left, None, shares)

    def _from(self, left: Frame, right: Frame | None, shares: Sequence[Fraction]) -> Iterator[PictureAndAlpha]:
        """Show ``left``, and in-betweens until ``right``, at these shares of the time between them, 0 to below 1."""
        later = [float(share) for share in shares if share]
        if len(later) < len(shares):
            self.kept += 1
            yield left.picture, left.alpha
        cut = right is None or self._timeline.cut_between(left, right)
        if right is None or cut or np.array_equal(left.picture, right.picture):
            self.held += len(later)
            for _ in later:
                yield left.picture, left.alpha
            return
        pictures = checked_interpolation(self._interpolator, left.picture, right.picture, later)
        yield from zip(pictures, self._alphas(left, right, later), strict=True)

    def _alphas(self, left: Frame, right: Frame, times: Sequence[float]) -> Iterator[np.ndarray | None]:
        """Alpha moves by itself, as a grey picture would."""
        if left.alpha is None or right.alpha is None:
            yield from (None for _ in times)
            return
        a, b = (np.ascontiguousarray(np.dstack([alpha] * 3)) for alpha in (left.alpha, right.alpha))
        for picture in checked_interpolation(self._interpolator, a, b, times):
            yield np.ascontiguousarray(picture[:, :, 1])
