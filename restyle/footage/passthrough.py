"""What travels along with the pictures: audio, subtitles, chapters and metadata of the source."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import av

from restyle.errors import OutputError, show_path
from restyle.footage.animation import animation_ends
from restyle.footage.opening import open_container, reason
from restyle.footage.output import OutputSpec
from restyle.footage.streams import main_stream
from restyle.types import FootageSpec

__all__ = ["Passenger", "Retimed", "last_end", "sample_rates", "take_along"]

# What players read; the muxers themselves would write more.
_AUDIO = {
    "mp4": {"aac", "mp3", "mp2", "ac3", "eac3", "opus", "flac", "alac"},
    "mov": {"aac", "mp3", "mp2", "ac3", "eac3", "alac"},
    "webm": {"opus", "vorbis"},
    "avi": {"mp3", "mp2", "ac3", "aac"},
}
_PCM_HOMES = {"mov", "avi", "matroska"}
_AUDIO_ENCODER = {"mp4": "aac", "mov": "aac", "webm": "libopus", "avi": "pcm_s16le", "matroska": "aac"}
_SUBTITLES = {"mp4": {"mov_text"}, "mov": {"mov_text"}, "webm": {"webvtt"}, "avi": set()}
_MUXERS_OWN = {"encoder", "major_brand", "minor_version", "compatible_brands", "duration", "timecode", "creation_time"}


def last_end(source: FootageSpec, pts: Sequence[int], span: range) -> int:
    """The tick at which the last frame of the span ends: where the next frame begins, or the stream ends."""
    last = pts[span.stop - 1]
    if span.stop < len(pts):
        return pts[span.stop]
    nominal = last + max(1, round(1 / (source.rate * source.time_base)))
    if source.kind == "animation":
        return animation_ends(source.path)
    if source.kind == "sequence":
        return nominal
    following: int | None = None
    own: int | None = None
    with open_container(source.path) as container:
        stream = main_stream(container, source.path)
        if last > pts[0]:
            container.seek(last, stream=stream, backward=True)
        beyond = 0
        try:
            for packet in container.demux(stream):
                if packet.pts is None or packet.is_discard:
                    continue
                if packet.pts == last and packet.duration:
                    own = packet.duration
                if packet.pts > last:
                    following = packet.pts if following is None else min(following, packet.pts)
                    beyond += 1
                    if beyond > 32:  # more than any codec reorders
                        break
        except (av.FFmpegError, OSError):
            pass  # the end of a damaged file
        whole = source.frames is not None and span.stop >= source.frames
        if following is None and whole and stream.duration and stream.start_time is not None:
            following = max(last + 1, stream.start_time + stream.duration)
            # mp4's edit lists count in ticks of their own, often of 1 ms: within those, the packet knows better.
            if own and abs(last + own - following) * source.time_base < Fraction(2, 1000):
                following = last + own
    if following is not None:
        return following
    return last + own if own else nominal


def sample_rates(source: FootageSpec) -> list[int]:
    """Samples a second of the source's audio streams."""
    if not source.audio_streams:
        return []
    with open_container(source.path) as container:
        return [
            a.codec_context.sample_rate
            for a in container.streams.audio
            if a.codec_context and a.codec_context.sample_rate
        ]


@dataclass(frozen=True)
class Retimed:
    """What of the source travels along with pictures that run on a clock of their own."""

    begin: Fraction
    """Seconds, on the source's clock, at which the output begins."""
    end: Fraction
    """And at which it ends."""
    whole: tuple[bool, bool] = (True, True)
    """Whether that is the source's first frame, and its last: then no sound is cut off there."""
    slow: Fraction = Fraction(1)
    """How many times longer the output lasts. Subtitles and chapters come along at 1 only."""
    sound: Literal["keep", "stretch", "drop"] = "keep"
    """``keep``: as it is. ``stretch``: as much longer as the pictures, at its own pitch, and so encoded anew."""


class Passenger:
    """Packets of the source's other streams, on their way into the output."""

    def __init__(
        self,
        source: FootageSpec,
        streams: dict[int, Any],
        origin: Fraction,
        end: Fraction,
        trims: tuple[bool, bool],
        negative: bool = True,
    ):
        self._source = source
        self._streams = streams
        self._origin = origin
        self._end = end
        self._trim_start, self._trim_end = trims
        self._negative = negative

    def packets(self, container: Any) -> Iterator[Any]:
        """The packets, shifted to the output's time. Without trimming, every one of them."""
        with open_container(self._source.path) as source:
            wanted = [source.streams[index] for index in self._streams]
            if self._trim_start:
                # Half a second of run-up, as streams are interleaved loosely.
                start = self._origin - Fraction(1, 2)
                try:
                    source.seek(int(start * 1_000_000), backward=True)
                except (av.FFmpegError, OSError):
                    source.seek(0)
            over: set[int] = set()
            try:
                for packet in source.demux(wanted):
                    if not packet.size or packet.pts is None:
                        continue
                    base = packet.time_base
                    begins = packet.pts * base
                    index = packet.stream_index
                    # Sound begins with its first whole packet; a subtitle may be showing already.
                    seen = begins if source.streams[index].type == "audio" else begins + (packet.duration or 0) * base
                    if self._trim_start and seen < self._origin:
                        continue
                    if self._trim_end and begins >= self._end:
                        over.add(index)
                        if len(over) == len(wanted):
                            return
                        continue
                    yield from self._send(packet, index, base)
            except (av.FFmpegError, OSError) as error:
                raise OutputError(
                    f"the sound of {show_path(self._source.path)} cannot be read ({reason(error)})"
                ) from error

    def _send(self, packet: Any, index: int, base: Fraction) -> Iterator[Any]:
        shift = round(self._origin / base)
        packet.pts -= shift
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        if not self._negative and packet.pts < 0:
            # An encoder's run-up, which only mp4 and mov can place before 0; elsewhere it would shift the pictures.
            packet.pts = packet.dts = 0
        packet.stream = self._streams[index]
        yield packet


class Reencoded(Passenger):
    """One audio stream whose codec the container cannot hold: decoded, and encoded anew."""

    def __init__(
        self,
        source: FootageSpec,
        index: int,
        stream: Any,
        origin: Fraction,
        end: Fraction,
        trims: tuple[bool, bool],
        slow: Fraction = Fraction(1),
    ):
        super().__init__(source, {index: stream}, origin, end, trims)
        self._target = stream
        self._stretch = None if slow == 1 else Stretch(slow)

    def packets(self, container: Any) -> Iterator[Any]:
        (index,) = self._streams
        context = self._target.codec_context
        size = context.frame_size or None
        resampler = av.AudioResampler(
            format=context.format,
            layout=context.layout,
            rate=context.sample_rate,
            frame_size=size,
        )
        with open_container(self._source.path) as source:
            audio: Any = source.streams[index]
            if self._trim_start:
                source.seek(int((self._origin - 1) * 1_000_000), backward=True)
            try:
                for packet in source.demux(audio):
                    for frame in audio.decode(packet if packet.size else None):
                        begins = frame.pts * frame.time_base if frame.pts is not None else self._origin
                        if self._trim_start and begins < self._origin:
                            continue
                        if self._trim_end and begins >= self._end:
                            return (yield from self._finish(resampler))
                        frame.pts = round((begins - self._origin) * frame.sample_rate)
                        frame.time_base = Fraction(1, frame.sample_rate)
                        for made in [frame] if self._stretch is None else self._stretch.push(frame):
                            yield from self._encode(resampler.resample(made))
            except (av.FFmpegError, OSError) as error:
                raise OutputError(
                    f"the sound of {show_path(self._source.path)} cannot be decoded ({reason(error)})"
                ) from error
        yield from self._finish(resampler)

    def _encode(self, frames: list[Any]) -> Iterator[Any]:
        for frame in frames:
            for packet in self._target.encode(frame):
                if packet.pts is not None:
                    yield packet

    def _finish(self, resampler: Any) -> Iterator[Any]:
        for made in () if self._stretch is None else self._stretch.push(None):
            yield from self._encode(resampler.resample(made))
        yield from self._encode(resampler.resample(None))
        yield from self._encode([None])


class Stretch:
    """Sound made to last longer at its own pitch, by FFmpeg's ``atempo`` (a phase-aligned overlap and add)."""

    def __init__(self, slow: Fraction) -> None:
        self._slow = slow
        self._graph: Any = None
        self._begin: Fraction | None = None
        self._done = 0

    def push(self, frame: Any | None) -> Iterator[Any]:
        """Give the next decoded frame, ``None`` at the end; what comes out is stamped on the longer clock."""
        if self._graph is None:
            if frame is None:
                return
            self._begin = frame.pts * frame.time_base * self._slow
            self._open(frame)
        self._graph.push(frame)
        while True:
            try:
                made = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            made.pts = round((self._begin or 0) * made.sample_rate) + self._done
            made.time_base = Fraction(1, made.sample_rate)
            self._done += made.samples
            yield made

    def _open(self, frame: Any) -> None:
        self._graph = av.filter.Graph()
        layout = _layout(frame.layout)
        last = self._graph.add_abuffer(
            format=frame.format.name,
            sample_rate=frame.sample_rate,
            layout=getattr(layout, "name", layout),
            time_base=frame.time_base,
        )
        tempo = 1 / self._slow
        while tempo != 1:  # one filter changes the tempo by a half to two hundred times; beyond two it drops samples
            part = min(Fraction(2), max(Fraction(1, 2), tempo))
            step = self._graph.add("atempo", f"{float(part):.9f}")
            last.link_to(step)
            last = step
            tempo /= part
        sink = self._graph.add("abuffersink")
        last.link_to(sink)
        self._graph.configure()


def take_along(
    stack: ExitStack,
    container: Any,
    out: OutputSpec,
    source: FootageSpec,
    origin: Fraction,
    end: Fraction,
    span: range,
    *,
    retimed: Retimed | None = None,
) -> tuple[Fraction, list[Passenger], list[str]]:
    """Add the source's other streams, chapters and metadata to the output.

    Gives the instant that becomes 0 in the output (the span's start; for a span from frame 0 on, the earliest stream's start,
    so that no sound is lost), the passengers, and warnings. Raises ``OutputError``.
    """
    warnings: list[str] = []
    passengers: list[Passenger] = []
    copied: dict[int, Any] = {}
    anew: list[tuple[int, Any]] = []
    media = stack.enter_context(open_container(source.path))
    if retimed is None:
        whole = (source.frames is not None and span.stop >= source.frames) or _reaches_end(source, end)
        trims = (span.start > 0, not whole)
    else:
        trims = (not retimed.whole[0], not retimed.whole[1])
    slow = Fraction(1) if retimed is None or retimed.sound != "stretch" else retimed.slow
    steady = retimed is None or retimed.slow == 1
    sounds = [] if retimed is not None and retimed.sound == "drop" else list(media.streams.audio)
    if not trims[0]:
        starts = [s.start_time * s.time_base for s in sounds if s.start_time is not None and s.time_base]
        origin = min([origin, *starts]) if slow == 1 else origin
    for audio in sounds:
        name = audio.codec_context.codec.canonical_name if audio.codec_context is not None else "unknown"
        if _holds(out.container, name) and slow == 1:
            try:
                copied[audio.index] = _copy(container, audio)
                continue
            except (ValueError, av.FFmpegError):
                pass
        stream = _encoder_for(container, out, audio, source)
        anew.append((audio.index, stream))
        if slow == 1:
            warnings.append(
                f"{os.path.splitext(out.path)[1]} cannot hold {name} audio; "
                f"it was encoded again as {stream.codec_context.codec.canonical_name}"
            )
    for title in media.streams.subtitles if steady else ():
        name = title.codec_context.codec.canonical_name if title.codec_context is not None else "unknown"
        takes = _SUBTITLES.get(out.container)
        try:
            if takes is not None and name not in takes:
                raise ValueError(name)
            copied[title.index] = _copy(container, title)
        except (ValueError, av.FFmpegError):
            warnings.append(f"{os.path.splitext(out.path)[1]} cannot hold {name} subtitles; they are left out")
    container.metadata.update({k: v for k, v in media.metadata.items() if k.lower() not in _MUXERS_OWN})
    if steady:
        _chapters(container, media, out, origin, end)
    if copied:
        passengers.append(Passenger(source, copied, origin, end, trims, out.container in ("mp4", "mov")))
    passengers += [Reencoded(source, index, stream, origin, end, trims, slow) for index, stream in anew]
    return origin, passengers, warnings


def _reaches_end(source: FootageSpec, end: Fraction) -> bool:
    with open_container(source.path) as container:
        stream = main_stream(container, source.path)
        if stream.duration is not None and stream.start_time is not None and stream.time_base:
            return end >= (stream.start_time + stream.duration) * stream.time_base
        return container.duration is not None and end >= Fraction(container.duration, 1_000_000)


def _holds(container: str, codec: str) -> bool:
    if codec.startswith("pcm_"):
        return container in _PCM_HOMES
    takes = _AUDIO.get(container)
    return takes is None or codec in takes


def _copy(container: Any, stream: Any) -> Any:
    made = container.add_stream_from_template(stream, opaque=True)
    made.metadata.update({k: v for k, v in stream.metadata.items() if k.lower() in ("language", "title")})
    made.disposition = stream.disposition
    return made


def _encoder_for(container: Any, out: OutputSpec, audio: Any, source: FootageSpec) -> Any:
    name = _AUDIO_ENCODER[out.container]
    try:
        rate = 48000 if name == "libopus" else audio.codec_context.sample_rate
        stream = container.add_stream(name, rate=rate)
        stream.codec_context.layout = _layout(audio.codec_context.layout)
        stream.codec_context.thread_count = 1
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        if name != "pcm_s16le":
            stream.codec_context.bit_rate = 96_000 * max(1, audio.codec_context.layout.nb_channels)
        stream.codec_context.open(strict=False)
        return stream
    except (ValueError, av.FFmpegError, AttributeError) as error:
        raise OutputError(
            f"{show_path(out.path)} cannot hold the sound of {show_path(source.path)} ({reason(error)}); choose .mkv or .mov"
        ) from error


def _layout(layout: Any) -> Any:
    """A channel layout that encoders take: PCM often tells the number of channels only."""
    usual = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
    return usual.get(layout.nb_channels, layout) if "channels" in layout.name else layout


def _chapters(container: Any, media: Any, out: OutputSpec, origin: Fraction, end: Fraction) -> None:
    if out.container == "avi":
        return
    kept = []
    for chapter in media.chapters():
        base = chapter["time_base"]
        start, stop = chapter["start"] * base, chapter["end"] * base
        if stop <= origin or start >= end:
            continue
        first, last = max(start, origin) - origin, min(stop, end) - origin
        kept.append({**chapter, "start": round(first / base), "end": round(last / base)})
    if kept:
        container.set_chapters(kept)
