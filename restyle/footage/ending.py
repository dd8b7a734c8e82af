"""The end of a span of footage on its clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction

import av

from restyle.footage.animation import animation_ends
from restyle.footage.clock import Clock, clock_of, continuous_packets
from restyle.footage.opening import open_container
from restyle.footage.streams import main_stream
from restyle.types import FootageSpec

__all__ = ["last_end"]

_REORDERED = 32
"""More packets than any codec reorders."""


def last_end(source: FootageSpec, pts: Sequence[int], span: range, clock: Clock | None = None) -> int:
    """Find the tick at which the last frame of the span ends: where the next frame begins, or the stream ends.

    ``clock``: the source's, where it is known. Raises ``FootageError`` if the source cannot be opened.
    """
    last = pts[span.stop - 1]
    if span.stop < len(pts):
        return pts[span.stop]
    nominal = last + max(1, round(1 / (source.rate * source.time_base)))
    if source.kind == "sequence":
        return nominal
    if source.kind == "animation":
        return animation_ends(source.path)
    clock = clock or clock_of(source.path)
    following: int | None = None
    duration: int | None = None
    with open_container(source.path) as container:
        stream = main_stream(container, source.path)
        beyond = 0
        with suppress(av.FFmpegError, OSError):  # the end of a damaged file
            for packet in _packets(container, stream, clock, last if last > pts[0] else None):
                if packet.pts is None or packet.is_discard:
                    continue
                if packet.pts == last and packet.duration:
                    duration = packet.duration
                if packet.pts > last:
                    following = packet.pts if following is None else min(following, packet.pts)
                    beyond += 1
                    if beyond > _REORDERED:
                        break
        whole = source.frames is not None and span.stop >= source.frames
        if following is None and whole and not clock.jumps and stream.duration and stream.start_time is not None:
            following = max(last + 1, stream.start_time + stream.duration)
            # mp4's edit lists count in ticks of their own, often of 1 ms: within those, the packet knows better.
            if duration and abs(last + duration - following) * source.time_base < Fraction(2, 1000):
                following = last + duration
    if following is not None:
        return following
    return last + duration if duration else nominal


def _packets(
    container: av.container.InputContainer, stream: av.VideoStream, clock: Clock, late: int | None
) -> Iterator[av.Packet[av.VideoStream]]:
    """Read the stream's packets, from a keyframe before the tick ``late`` on where that can be sought."""
    if clock.jumps:
        yield from continuous_packets(container, stream)
        return
    if late is not None:
        with suppress(av.FFmpegError, OSError):  # bare streams cannot be sought in: from the start, then
            container.seek(late, stream=stream, backward=True)
    yield from container.demux(stream)
