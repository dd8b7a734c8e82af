"""Sound that is encoded again: the choice of its encoding, and the encoding itself."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from restyle.errors import show_path
from restyle.footage.excerpt import Excerpt
from restyle.footage.opening import open_container

__all__ = ["PCM_CONTAINERS", "Coding", "Reencoded", "add_sound", "codings", "copy_labels", "layout_of"]

PCM_CONTAINERS = {"mov", "avi", "matroska"}
"""Containers that hold uncompressed sound."""
_USUAL = ("mono", "stereo", "3.0", "4.0", "quad", "5.0", "5.1", "6.1", "7.1")
"""Layouts that coders and players know, by the number of channels."""
_COUNTED = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1", 16: "hexadecagonal"}
"""Layouts that are meant where only the number of channels is stored."""
_MISORDERED = {"libopus": ("5.0", "6.1")}
"""Layouts whose channels FFmpeg's encoder puts into a wrong order."""
_BACK = {"SL": "BL", "SR": "BR"}
"""Speakers at the side stand in for those at the back: which of the two a layout names is a matter of taste."""
_COUNT = re.compile(r"\d+ channels")
_UNUSUAL = re.compile(r"\d+ channels \(.+\)")
"""FFmpeg's names for layouts that have none: the number of channels, or each of them in an order of their own."""
_OPUS_RATE = 48_000


@dataclass(frozen=True)
class Coding:
    """Encoding of a sound track that is encoded again."""

    encoder: str
    """FFmpeg's encoder."""
    rate: int
    """Samples a second."""
    layout: str
    """Channel layout by FFmpeg's name."""

    @property
    def codec(self) -> str:
        """Name of what comes out (``opus``)."""
        return av.codec.Codec(self.encoder, "w").canonical_name


def codings(stream: Any, container: str) -> Iterator[Coding]:
    """Give ways to encode a sound track for a container, the most faithful first. An attempt tells which of them works."""
    context = stream.codec_context
    name = context.codec.canonical_name
    if container == "avi" or (name.startswith("pcm_") and container in PCM_CONTAINERS):
        encoder = "pcm_s16le"
        if context.format is not None and context.format.bytes > 2 and context.codec.lossless:
            encoder = "pcm_f32le" if name.startswith("pcm_f") else "pcm_s24le"
    else:
        encoder = "libopus" if container == "webm" else "aac"
    rate = _rate(encoder, context.sample_rate)
    layout, channels = layout_of(context)
    any_layout = (
        encoder.startswith("pcm_") and "channels" not in layout
    )  # uncompressed sound has any layout that has a name
    for candidate in [layout] if any_layout else _layouts(layout, channels):
        if candidate not in _MISORDERED.get(encoder, ()):
            yield Coding(encoder, rate, candidate)


def layout_of(context: Any) -> tuple[str, tuple[str, ...]]:
    """Name a decoder's channel layout, and its channels in their order.

    PyAV's object for a layout of another order than FFmpeg's own (mov has such ones) frees what the decoder frees, too: it is
    looked at once and never let go.
    """
    layout = context.layout
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(layout))
    return layout.name, tuple(channel.name for channel in layout.channels)


def _rate(encoder: str, rate: int) -> int:
    """Choose the rate that an encoder takes: the same, else the next one above, else its highest."""
    if encoder == "libopus":
        return _OPUS_RATE
    rates = av.codec.Codec(encoder, "w").audio_rates
    if not rates or rate in rates:
        return rate
    return min((r for r in rates if r > rate), default=max(rates))


def _layouts(name: str, channels: Sequence[str]) -> list[str]:
    """List layouts that mix no channels: the usual one of the same speakers, larger ones, then the sound's own."""
    if _COUNT.fullmatch(name):
        name = _COUNTED.get(len(channels), name)
        channels = _channels(name)
    own = _speakers(channels)
    usual = [(other, _speakers(_channels(other))) for other in _USUAL]
    same = [other for other, speakers in usual if speakers == own]
    if _UNUSUAL.fullmatch(name):
        return same
    return list(dict.fromkeys([*same, *(other for other, speakers in usual if speakers > own), name]))


def _channels(layout: str) -> list[str]:
    return [channel.name for channel in av.AudioLayout(layout).channels]


def _speakers(channels: Sequence[str]) -> set[str]:
    return set(channels) if {"BL", "BR"} & set(channels) else {_BACK.get(name, name) for name in channels}


def add_sound(container: Any, coding: Coding, like: Any) -> Any:
    """Add an encoder's stream to an output, titled and flagged ``like`` another. Raises ``ValueError``, ``FFmpegError``."""
    stream = container.add_stream(coding.encoder, rate=coding.rate)
    context = stream.codec_context
    context.layout = coding.layout
    context.thread_count = 1
    context.flags |= av.codec.context.Flags.bitexact
    if not coding.encoder.startswith("pcm_"):
        context.bit_rate = 96_000 * max(1, context.layout.nb_channels)
    context.open(strict=False)
    copy_labels(stream, like)
    return stream


def copy_labels(stream: Any, like: Any) -> None:
    """Give a stream the language, the title and the flags (default, forced, ...) of another."""
    facts = {key.lower(): value for key, value in like.metadata.items()}
    facts["title"] = facts.get("title") or facts.get("name", "")  # as mov calls it
    stream.metadata.update({key: facts[key] for key in ("language", "title") if facts.get(key)})
    stream.disposition = like.disposition


class Reencoded:
    """One sound track of the source, decoded and encoded anew.

    ``index``: of its stream. ``target``: the output's stream. ``slow``: factor by which it lasts longer there.
    """

    def __init__(self, excerpt: Excerpt, index: int, target: Any, slow: Fraction = Fraction(1)) -> None:
        self._excerpt = excerpt
        self._index = index
        self._target = target
        self._stretch = None if slow == 1 else TimeStretch(slow)
        self._damaged = 0

    @property
    def notes(self) -> list[str]:
        """Warnings for a person, when all packets are out."""
        if not self._damaged:
            return []
        return [
            f"{self._damaged} packets of the sound of {show_path(self._excerpt.path)} are damaged; there it is silent"
        ]

    def packets(self) -> Iterator[Any]:
        """Give the encoded packets, on the output's time."""
        # A broadcast's sound changes its layout or its rate on the way: each run of one form is converted by itself, and only
        # the result is cut to the encoder's frames.
        framer = self._resampler(self._target.codec_context.frame_size or None)
        form: tuple[Any, ...] | None = None
        convert = framer
        for frame in self._stretched():
            own = (frame.format.name, frame.layout.name, frame.sample_rate)
            if own != form:
                if form is not None:
                    yield from self._encode(framer, convert.resample(None))
                form, convert = own, self._resampler(None)
            yield from self._encode(framer, convert.resample(frame))
        if form is not None:
            yield from self._encode(framer, convert.resample(None))
        yield from self._packets_of([*filter(None, framer.resample(None)), None])

    def _resampler(self, frame_size: int | None) -> Any:
        context = self._target.codec_context
        return av.AudioResampler(
            format=context.format, layout=context.layout, rate=context.sample_rate, frame_size=frame_size
        )

    def _stretched(self) -> Iterator[Any]:
        for frame in self._frames():
            yield from [frame] if self._stretch is None else self._stretch.push(frame)
        yield from () if self._stretch is None else self._stretch.push(None)

    def _frames(self) -> Iterator[Any]:
        """Decode frames on the output's time, each beginning where the one before it ends, or later."""
        excerpt = self._excerpt
        due = excerpt.origin if excerpt.trim_start else None
        with open_container(excerpt.path) as source:
            stream: Any = source.streams[self._index]
            excerpt.seek(source, Fraction(1))
            order = self._order(stream.codec_context)
            for decoded in self._decoded(source, stream):
                frame = decoded if order is None else order.put(decoded)
                begins = frame.pts * frame.time_base if frame.pts is not None else due or excerpt.origin
                length = Fraction(frame.samples, frame.sample_rate)
                if excerpt.trim_end and begins >= excerpt.end:
                    return
                # Containers round their stamps, some to more than the length of a frame.
                slack = max(length / 2, 2 * stream.time_base)
                if due is not None and begins < (due if due == excerpt.origin else due - slack):
                    continue  # before the span; or sections of a joined file overlap
                if due is not None and begins < due + 2 * stream.time_base:
                    begins = due
                due = begins + length
                frame.pts = round((begins - excerpt.origin) * frame.sample_rate)
                frame.time_base = Fraction(1, frame.sample_rate)
                yield frame

    def _order(self, context: Any) -> ChannelOrder | None:
        """Make what puts channels of an order of their own into FFmpeg's; the decoder then gets their number alone."""
        name, channels = layout_of(context)
        if not _UNUSUAL.fullmatch(name):
            return None
        context.layout = f"{len(channels)} channels"
        return ChannelOrder(channels, self._target.codec_context.layout.name)

    def _decoded(self, source: Any, stream: Any) -> Iterator[Any]:
        ticks = self._excerpt.clock.follow()
        packets = source.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                shift = ticks(packet)
                packet.pts = None if packet.pts is None else packet.pts + shift
                packet.dts = None if packet.dts is None else packet.dts + shift
                frames = stream.decode(packet if packet.size else None)
            except av.error.InvalidDataError:
                self._damaged += 1
                continue
            except (av.FFmpegError, OSError):
                self._damaged += 1
                return  # the end of a damaged file
            yield from frames

    def _encode(self, framer: Any, frames: list[Any | None]) -> Iterator[Any]:
        for frame in filter(None, frames):  # a resampler with nothing to do hands on the end, too
            yield from self._packets_of(framer.resample(frame))

    def _packets_of(self, frames: list[Any | None]) -> Iterator[Any]:
        for frame in frames:
            for packet in self._target.encode(frame):
                if packet.pts is not None:
                    yield packet


class ChannelOrder:
    """Channels put into the order of a layout."""

    def __init__(self, channels: Sequence[str], layout: str) -> None:
        names = _channels(layout)
        outputs = [name if name in names else _BACK.get(name, name) for name in channels]
        self._map = "|".join(f"{position}-{name}" for position, name in enumerate(outputs))
        self._layout = layout
        self._graph: Any = None

    def put(self, frame: Any) -> Any:
        """Reorder the channels of a frame, which has as many as were named."""
        if self._graph is None:
            self._graph = av.filter.Graph()
            form, rate, base = frame.format.name, frame.sample_rate, frame.time_base
            first = self._graph.add_abuffer(format=form, sample_rate=rate, layout=frame.layout.name, time_base=base)
            step = self._graph.add("channelmap", f"map={self._map}:channel_layout={self._layout}")
            sink = self._graph.add("abuffersink")
            first.link_to(step)
            step.link_to(sink)
            self._graph.configure()
        self._graph.push(frame)
        return self._graph.pull()


class TimeStretch:
    """Sound made to last longer at its own pitch, by FFmpeg's ``atempo`` (a phase-aligned overlap and add)."""

    def __init__(self, slow: Fraction) -> None:
        self._slow = slow
        self._graph: Any = None
        self._begin: Fraction | None = None
        self._form: tuple[Any, ...] | None = None
        self._done = 0

    def push(self, frame: Any | None) -> Iterator[Any]:
        """Take the next decoded frame, ``None`` at the end; give stretched frames, stamped on the longer clock."""
        form = None if frame is None else (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._graph is not None and frame is not None and form != self._form:
            yield from self.push(None)
            self._graph = None
        if self._graph is None:
            if frame is None:
                return
            self._begin, self._form, self._done = frame.pts * frame.time_base * self._slow, form, 0
            self._open(frame)
        self._graph.push(frame)
        while True:
            try:
                stretched = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            stretched.pts = round((self._begin or 0) * stretched.sample_rate) + self._done
            stretched.time_base = Fraction(1, stretched.sample_rate)
            self._done += stretched.samples
            yield stretched

    def _open(self, frame: Any) -> None:
        self._graph = av.filter.Graph()
        name = frame.layout.name
        last = self._graph.add_abuffer(
            format=frame.format.name,
            sample_rate=frame.sample_rate,
            layout=_COUNTED.get(frame.layout.nb_channels, name) if _COUNT.fullmatch(name) else name,
            time_base=frame.time_base,
        )
        tempo = 1 / self._slow
        while tempo != 1:  # one filter changes the tempo by a half to two hundred times; beyond two it drops samples
            factor = min(Fraction(2), max(Fraction(1, 2), tempo))
            step = self._graph.add("atempo", f"{float(factor):.9f}")
            last.link_to(step)
            last = step
            tempo /= factor
        sink = self._graph.add("abuffersink")
        last.link_to(sink)
        self._graph.configure()
