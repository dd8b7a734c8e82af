"""Clocks that start anew within a file: joined broadcasts and downloads, whose sections each count from a time of their own.

The section after a jump is shifted so that it begins where the one before it ended. Pictures decide where that is; sound and
subtitles of the section are shifted by the same, so that they stay in sync.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.format import Flags

from restyle.footage.opening import open_container
from restyle.footage.streams import main_stream

__all__ = ["CONTINUOUS", "Clock", "ClockTracker", "Section", "clock_of", "continuous_packets"]

_LEAST_BACK = Fraction(1, 10)
_LEAST_AHEAD = 10
"""Seconds by which a clock goes back, or ahead in a format that has jumps, at least: FFmpeg's own thresholds."""
_LANDMARK_GAP = Fraction(1, 4)
"""Seconds from one landmark to the next."""
_HAS_JUMPS: Any = Flags.ts_discont.value
_INDEXED = {"mov", "matroska", "avi", "mxf", "gif", "apng"}
"""Formats whose files cannot be joined end to end."""


@dataclass(frozen=True)
class Section:
    """A stretch of a file over which its clock runs on."""

    position: int
    """Byte at which its first picture lies."""
    shift: Fraction
    """Seconds to be added to its time stamps."""


@dataclass(frozen=True)
class Clock:
    """Shifts by which the sections of a file follow each other without a jump."""

    sections: tuple[Section, ...]
    landmarks: tuple[tuple[int, Fraction], ...] = ()
    """Bytes at which pictures lie, ascending, and when they are shown, in seconds, shifted."""

    @property
    def jumps(self) -> bool:
        """True if the clock starts anew anywhere."""
        return len(self.sections) > 1

    def shift(self, position: int, seconds: Fraction) -> Fraction:
        """Seconds to be added to a time stamp of a packet, of any stream, that lies at a byte of the file.

        Streams are interleaved loosely, so that near a joint the position alone does not tell the section: of the neighbouring
        ones it is that which puts the packet nearest to the pictures around it.
        """
        if not self.jumps:
            return self.sections[0].shift
        here = max(0, bisect_right(self.sections, position, key=lambda section: section.position) - 1)
        mark = max(0, bisect_right(self.landmarks, position, key=lambda mark: mark[0]) - 1)
        due = self.landmarks[mark][1]
        near = self.sections[max(0, here - 1) : here + 2]
        return min((section.shift for section in near), key=lambda shift: abs(seconds + shift - due))

    def follow(self) -> Callable[[av.Packet[Any]], int]:
        """Make a function that gives the ticks to be added to a packet's stamps; it is to see a stream's packets in order."""
        positions: dict[int, int] = {}  # of packets that share a position only the first tells it

        def ticks(packet: av.Packet[Any]) -> int:
            when = packet.pts if packet.pts is not None else packet.dts
            if packet.pos is not None:
                positions[packet.stream_index] = packet.pos
            if when is None or packet.time_base is None:
                return 0
            base = packet.time_base
            return round(self.shift(positions.get(packet.stream_index, 0), when * base) / base)

        return ticks


CONTINUOUS = Clock((Section(0, Fraction(0)),))
"""A clock that runs on from the file's beginning to its end."""


class ClockTracker:
    """Follows the pictures' packets in the order of the file, and corrects their stamps."""

    def __init__(self, container: av.container.InputContainer, stream: av.VideoStream) -> None:
        self.joinable = _INDEXED.isdisjoint(container.format.name.split(","))
        ahead = bool(container.format.flags & _HAS_JUMPS)
        base = stream.time_base or Fraction(1, 90_000)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        self._base = base
        self._back, self._ahead = round(_LEAST_BACK / base), round(_LEAST_AHEAD / base) if ahead else None
        self._step = max(1, round(1 / (rate * base)))
        self._shift = 0
        self._last: int | None = None
        self._next = self._end = 0
        self.sections = [Section(0, Fraction(0))]
        self.landmarks: list[tuple[int, Fraction]] = []

    def correct(self, packet: av.Packet[av.VideoStream]) -> None:
        """Shift a packet's stamps, if its clock started anew."""
        pts, dts = packet.pts, packet.dts
        if not self.joinable or (pts is None and dts is None):
            return
        length = packet.duration or self._step
        if dts is not None:
            gone = 0 if self._last is None else dts - self._last
            if gone < -self._back or (self._ahead is not None and gone > self._ahead):
                # The next in decoding follows, and no picture is shown among those of the section before.
                self._shift = max(self._next - dts, self._end - (dts if pts is None else pts))
                self.sections.append(Section(packet.pos or 0, self._shift * self._base))
            self._last = dts
            packet.dts = dts + self._shift
            self._next = packet.dts + length
        if pts is not None:
            packet.pts = pts + self._shift
        shown = packet.pts if packet.pts is not None else packet.dts
        assert shown is not None
        self._end = max(self._end, shown + length)
        when = shown * self._base
        if packet.pos is not None and (not self.landmarks or abs(when - self.landmarks[-1][1]) >= _LANDMARK_GAP):
            self.landmarks.append((packet.pos, when))

    @property
    def clock(self) -> Clock:
        """The clock as far as packets have passed."""
        return Clock(tuple(self.sections), tuple(self.landmarks)) if len(self.sections) > 1 else CONTINUOUS


def continuous_packets(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[av.Packet[av.VideoStream]]:
    """Read a video stream's packets from the file's first one on, in order, stamped on a clock that runs on."""
    tracker = ClockTracker(container, stream)
    for packet in container.demux(stream):
        tracker.correct(packet)
        yield packet


def clock_of(path: str | os.PathLike[str]) -> Clock:
    """Find the clock of a video file. Formats that can be joined end to end are read through. Raises ``FootageError``."""
    with open_container(path) as container:
        stream = main_stream(container, path)
        tracker = ClockTracker(container, stream)
        if not tracker.joinable:
            return CONTINUOUS
        try:
            for packet in container.demux(stream):
                tracker.correct(packet)
        except (av.FFmpegError, OSError):
            pass  # the end of a damaged file
        return tracker.clock
