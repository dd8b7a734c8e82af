"""Muxing a video output: the segments' packets get the footage's time stamps, and its other streams come along."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from restyle.errors import FootageError, OutputError, show_path
from restyle.footage.clock import CONTINUOUS, clock_of
from restyle.footage.encoders import fourcc
from restyle.footage.ending import last_end
from restyle.footage.matroska import PLACEHOLDER, write_pixel_aspect
from restyle.footage.opening import file_url, open_container
from restyle.footage.orientation import display_matrix
from restyle.footage.output import OutputSpec
from restyle.footage.passthrough import PacketFeed, Retimed, add_companions, plan_excerpt
from restyle.footage.timecode import advanced_timecode, label_rate
from restyle.types import FootageSpec

__all__ = ["mux_video"]


def _frame_numbers(segments: list[Path], span: range) -> list[int]:
    """Read the frame numbers of all packets in the order of coding. Raises ``OutputError`` unless the segments fit together."""
    numbers: list[int] = []
    setup: bytes | None = None
    for position, segment in enumerate(segments):
        try:
            with _undecoded(segment) as container:
                stream = container.streams.video[0]
                own = stream.codec_context.extradata
                if position and own != setup:
                    raise OutputError(
                        f"segment {show_path(segment)} was encoded with other settings; run the same command again"
                    )
                setup = own
                numbers += [packet.pts for packet in container.demux(stream) if packet.size and packet.pts is not None]
        except (av.FFmpegError, FootageError, IndexError) as error:
            raise OutputError(f"segment {show_path(segment)} is damaged; run the same command again") from error
    have = sorted(numbers)
    if have != list(span):
        known = set(have)
        lost = next((n for n in span if n not in known), None)
        what = f"do not hold frame {lost}" if lost is not None else "hold other frames than those asked for"
        raise OutputError(f"the segments {what}; run the same command again")
    return numbers


@dataclass(frozen=True)
class _PictureTimes:
    """Time stamps of the output's pictures, in ticks of ``base`` seconds."""

    pts: Sequence[int]
    """Stamps of the source's frames, from frame 0 on."""
    span: range
    """Frames of the output."""
    end: int
    """Tick at which the last of them ends."""
    base: Fraction
    shift: int
    """Ticks from the source's time to the output's."""


def mux_video(
    path: Path,
    segments: list[Path],
    out: OutputSpec,
    source: FootageSpec,
    pts: Sequence[int],
    span: range,
    retimed: Retimed | None,
) -> list[str]:
    """Write a video file of finished segments; the arguments are those of ``joining.conform``. Give warnings for a person.

    Raises ``OutputError`` for segments that do not fit, ``FootageError``, ``ValueError``, ``OSError``, ``FFmpegError``.
    """
    numbers = _frame_numbers(segments, span)
    base = source.time_base
    clock = clock_of(source.path) if source.kind == "video" else CONTINUOUS
    end = last_end(source, pts, span, clock) if retimed is None else span.stop
    origin = begin = pts[span.start] * base if retimed is None else retimed.begin
    finish = end * base if retimed is None else retimed.end
    if out.container == "avi":
        # AVI has no time stamps, only a rate: one tick is one frame. (``plan_output`` refuses a variable rate.)
        base, pts, end = 1 / source.rate, range(span.stop), span.stop
    with ExitStack() as stack:
        container: Any = av.open(
            file_url(path), "w", format=out.container, container_options=_muxer_options(out, source)
        )
        stack.callback(_close_quietly, container)
        container.flags |= av.container.Flags.bitexact.value
        template = stack.enter_context(open_container(segments[0]))
        stream = _add_pictures(container, template, out, source, base)
        _add_timecode(container, stream, out, source, since_start=(pts[span.start] - pts[0]) * base, frames=span.start)
        feeds: list[PacketFeed] = []
        if source.kind == "video":
            excerpt = plan_excerpt(source, clock, origin, finish, span, retimed)
            origin, feeds = add_companions(stack, container, out, excerpt, retimed)
        container.start_encoding()
        early = round((begin - origin) / base)  # by how much sound comes before the first picture
        shift = pts[span.start] - (0 if out.container == "avi" else early)
        times = _PictureTimes(pts, span, end, base, shift)
        pictures = _video_packets(segments, stream, numbers, times, sums=out.container in ("mp4", "mov"))
        flows = [pictures, *(feed.packets() for feed in feeds)]
        for _, _, packet in heapq.merge(
            *(_timed(flow, rank) for rank, flow in enumerate(flows)), key=lambda item: item[:2]
        ):
            container.mux_one(packet)
        container.close()
    if _needs_display(out):
        write_pixel_aspect(path, out.width, out.height, out.pixel_aspect)
    return [note for feed in feeds for note in feed.notes]


def _add_pictures(container: Any, template: Any, out: OutputSpec, source: FootageSpec, base: Fraction) -> Any:
    """Add the stream of pictures, coded as those of the segment ``template`` are, with the output's tags."""
    stream = container.add_stream_from_template(template.streams.video[0], opaque=True)
    stream.time_base = base
    context = stream.codec_context
    tag = fourcc(out)
    context.codec_tag = tag if tag else "\0\0\0\0"
    context.sample_aspect_ratio = out.pixel_aspect
    context.framerate = source.rate
    if _needs_display(out):
        stream.metadata["title"] = PLACEHOLDER
    if out.codec == "vp9" and out.has_alpha:
        stream.metadata["alpha_mode"] = "1"  # each packet's alpha is a packet of its own beside it
    if out.rotation or out.mirrored:
        stream.set_display_matrix(source.display_matrix or display_matrix(out.rotation, out.mirrored))
    return stream


def _add_timecode(
    container: Any, stream: Any, out: OutputSpec, source: FootageSpec, *, since_start: Fraction, frames: int
) -> None:
    """Write the source's timecode, moved on to the span's start: ``since_start`` seconds, ``frames`` frames into the source."""
    rate = label_rate(source.timecode or "", source.rate, variable=source.variable_rate)
    if not source.timecode or not rate:
        return
    elapsed = since_start * rate if source.variable_rate else Fraction(frames)
    holder = container if out.container == "avi" else stream
    holder.metadata["timecode"] = advanced_timecode(source.timecode, round(elapsed), rate)
    if out.container in ("mp4", "mov"):
        stream.codec_context.framerate = rate  # by which a track of timecode is made, and nothing else


def _timed(packets: Iterator[Any], rank: int) -> Iterator[tuple[Fraction, int, Any]]:
    """Give packets with the time, and the rank at one time, by which they are interleaved."""
    for packet in packets:
        when = packet.dts if packet.dts is not None else packet.pts
        yield when * packet.time_base, rank, packet


def _video_packets(
    segments: list[Path], stream: Any, numbers: list[int], times: _PictureTimes, *, sums: bool
) -> Iterator[Any]:
    """Read the segments' packets, and give them the footage's own time stamps.

    Decoding times are the presentation times themselves, delayed by as many frames as the codec reorders: ``dts[i] =
    pts[i - delay]`` over the sorted stamps, which never exceeds the packet's own pts and always grows, whatever the rate does.
    ``numbers``: of the frames, in the order of coding. ``sums``: the container adds up decoding times, as mp4 does.
    """
    pts, span, end = times.pts, times.span, times.end
    delay = max(position - (number - span.start) for position, number in enumerate(numbers))
    # mp4 adds up decoding times: those before the first frame are as far apart as makes the sum the true duration.
    tail = end - pts[span.stop - 1 - delay]
    step = max(1, tail // (delay + 1))
    summed = max(1, tail - delay * step)
    position = 0
    for segment in segments:
        with _undecoded(segment) as container:
            for packet in container.demux(container.streams.video[0]):
                if not packet.size:
                    continue
                number = packet.pts or 0
                early = position - delay
                due = pts[span.start + early] if early >= 0 else pts[span.start] + early * step
                packet.stream = stream
                packet.time_base = times.base
                packet.pts = pts[number] - times.shift
                packet.dts = due - times.shift
                packet.duration = (pts[number + 1] if number + 1 < span.stop else end) - pts[number]
                position += 1
                if position == len(numbers) and sums:
                    packet.duration = summed
                yield packet


def _muxer_options(out: OutputSpec, source: FootageSpec) -> dict[str, str]:
    if out.container in ("mp4", "mov"):
        # Edit lists count in this scale: it must hold the pictures' and the sounds' ticks, or sync is rounded to 1 ms.
        fine = math.lcm(source.time_base.denominator, *(c.rate for c in out.companions if c.rate))
        options = {"movie_timescale": str(fine if fine < 50_000_000 else 1_000_000)}
        return options | ({"movflags": "+faststart"} if out.container == "mp4" else {})
    if _needs_display(out):
        return {"write_crc32": "0"}  # the checksum would not fit what ``write_pixel_aspect`` changes
    return {}


def _needs_display(out: OutputSpec) -> bool:
    return out.container in ("matroska", "webm") and out.pixel_aspect != 1


def _undecoded(segment: Path) -> Any:
    """Open a segment for its packets alone: FFmpeg would decode the first frames to look at them, which takes a tenth of a
    second for large ones."""
    options: Any = [{"skip_frame": "all"}]
    return av.open(file_url(segment), stream_options=options)


def _close_quietly(container: Any) -> None:
    """Close a container: after an error the trailer may not fit either, and the file is thrown away anyway."""
    with suppress(av.FFmpegError, OSError, ValueError):
        container.close()
