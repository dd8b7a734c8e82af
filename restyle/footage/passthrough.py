"""What travels along with the pictures: audio, subtitles, chapters and metadata of the source, as it was decided before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, Protocol

import av
from av.stream import Disposition

from restyle.errors import show_path
from restyle.footage.clock import Clock
from restyle.footage.companions import copy_of
from restyle.footage.opening import open_container, reason
from restyle.footage.output import OutputSpec
from restyle.footage.sound import Reencoded, add_sound
from restyle.footage.streams import main_stream
from restyle.types import FootageSpec

__all__ = ["Passenger", "Retimed", "take_along"]

_MUXERS_OWN = {"encoder", "major_brand", "minor_version", "compatible_brands", "duration", "timecode", "creation_time"}
_IMAGES = {"mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png"), "gif": ("gif", "image/gif")}
"""Extension and MIME type of a cover picture, by codec."""


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


class Passenger(Protocol):
    """Packets on their way into the output."""

    @property
    def notes(self) -> list[str]:
        """What a person should know, when all packets are out."""

    def packets(self, container: Any) -> Iterator[Any]:
        """The packets, on the output's time."""


class Copied:
    """Packets of the source's streams as they are, shifted to the output's time."""

    def __init__(
        self,
        source: FootageSpec,
        streams: dict[int, Any],
        clock: Clock,
        origin: Fraction,
        end: Fraction,
        trims: tuple[bool, bool],
        container: str,
    ):
        self._source = source
        self._streams = streams
        self._clock = clock
        self._origin = origin
        self._end = end
        self._trim_start, self._trim_end = trims
        # An encoder's run-up, which only mp4 and mov can place before 0; elsewhere it would shift the pictures.
        self._negative = container in ("mp4", "mov")
        self._loose = container in ("matroska", "webm")  # where packets may share a time
        self._due: dict[int, tuple[int, int, int]] = {}
        self.notes: list[str] = []

    def packets(self, container: Any) -> Iterator[Any]:
        """The packets. Without trimming, every one of them."""
        with open_container(self._source.path) as source:
            wanted = [source.streams[index] for index in self._streams]
            ticks = self._clock.follow()
            if self._trim_start and not self._clock.jumps:
                # Half a second of run-up, as streams are interleaved loosely.
                with suppress(av.FFmpegError, OSError):
                    source.seek(int((self._origin - Fraction(1, 2)) * 1_000_000), backward=True)
            over: set[int] = set()
            packets = source.demux(wanted)
            while True:
                try:
                    packet = next(packets, None)
                except (av.FFmpegError, OSError) as error:
                    shown = show_path(self._source.path)
                    self.notes.append(f"sound and subtitles end early: {shown} is damaged there ({reason(error)})")
                    return
                if packet is None:
                    return
                shift = ticks(packet)
                if not packet.size or packet.pts is None:
                    continue
                packet.pts += shift
                packet.dts = packet.pts if packet.dts is None else packet.dts + shift
                index, base = packet.stream_index, packet.time_base
                begins = packet.pts * base
                # Sound begins with its first whole packet; a subtitle may be showing already.
                sound = source.streams[index].type == "audio"
                seen = begins if sound else begins + (packet.duration or 0) * base
                if self._trim_start and seen < self._origin:
                    continue
                if self._trim_end and begins >= self._end:
                    over.add(index)
                    if len(over) == len(wanted):
                        return
                    continue
                if self._in_order(packet, index, sound):
                    yield self._sent(packet, index, base)

    def _in_order(self, packet: Any, index: int, sound: bool) -> bool:
        """Whether a packet follows the one before it. Parts of a joined file overlap; muxers take no step back."""
        came, sent, ends = self._due.get(index, (packet.dts, packet.dts - 1, packet.pts))
        length = packet.duration or 0
        if sound and (packet.dts < came or (self._clock.jumps and packet.pts < ends - length / 2)):
            return False
        came = packet.dts
        if packet.dts <= sent and not self._loose:
            packet.dts = sent + 1
            packet.pts = max(packet.pts, packet.dts)
        self._due[index] = came, packet.dts, packet.pts + length
        return True

    def _sent(self, packet: Any, index: int, base: Fraction) -> Any:
        shift = round(self._origin / base)
        packet.pts -= shift
        packet.dts -= shift
        if not self._negative and packet.pts < 0:
            packet.pts = packet.dts = 0
        packet.stream = self._streams[index]
        return packet


class Cover:
    """A cover picture: one packet, which is shown at no time."""

    def __init__(self, stream: Any, picture: bytes) -> None:
        self._stream, self._picture = stream, picture
        self.notes: list[str] = []

    def packets(self, container: Any) -> Iterator[Any]:
        packet = av.Packet(self._picture)
        packet.pts = packet.dts = 0
        packet.time_base = Fraction(1, 1000)
        packet.stream = self._stream
        yield packet


def take_along(
    stack: ExitStack,
    container: Any,
    out: OutputSpec,
    source: FootageSpec,
    clock: Clock,
    origin: Fraction,
    end: Fraction,
    span: range,
    *,
    retimed: Retimed | None = None,
) -> tuple[Fraction, list[Passenger]]:
    """Add to the output those streams of the source that were planned, its chapters and metadata.

    Gives the instant that becomes 0 in the output (the span's start; for a span from frame 0 on, the earliest stream's start,
    so that no sound is lost), and the passengers. Raises ``ValueError``, ``FFmpegError``.
    """
    media = stack.enter_context(open_container(source.path))
    if retimed is None:
        whole = (source.frames is not None and span.stop >= source.frames) or _reaches_end(source, end)
        trims = (span.start > 0, not whole)
    else:
        trims = (not retimed.whole[0], not retimed.whole[1])
    slow = Fraction(1) if retimed is None or retimed.sound != "stretch" else retimed.slow
    if not trims[0] and slow == 1:
        sounds = [media.streams[c.index] for c in out.companions if c.kind == "audio"]
        starts = [s.start_time * s.time_base for s in sounds if s.start_time is not None and s.time_base]
        origin = min([origin, *starts])
    copied: dict[int, Any] = {}
    passengers: list[Passenger] = []
    for companion in out.companions:
        stream = media.streams[companion.index]
        if companion.coding is not None:
            made = add_sound(container, companion.coding, stream)
            passengers.append(Reencoded(source, companion.index, made, clock, origin, end, trims, slow))
        elif companion.kind == "attachment":
            container.add_stream_from_template(stream)
        elif companion.kind == "cover":
            passengers += _cover(container, out, source, stream)
        else:
            copied[companion.index] = copy_of(container, stream)
    container.metadata.update({k: v for k, v in media.metadata.items() if k.lower() not in _MUXERS_OWN})
    if retimed is None or retimed.slow == 1:
        _chapters(container, media, out, origin, end)
    if copied:
        passengers.insert(0, Copied(source, copied, clock, origin, end, trims, out.container))
    return origin, passengers


def _reaches_end(source: FootageSpec, end: Fraction) -> bool:
    with open_container(source.path) as container:
        stream = main_stream(container, source.path)
        if stream.duration is not None and stream.start_time is not None and stream.time_base:
            return end >= (stream.start_time + stream.duration) * stream.time_base
        return container.duration is not None and end >= Fraction(container.duration, 1_000_000)


def _cover(container: Any, out: OutputSpec, source: FootageSpec, stream: Any) -> list[Passenger]:
    """A cover picture: an attached file in Matroska, a stream of one packet elsewhere."""
    with open_container(source.path) as media:
        picture = next(bytes(packet) for packet in media.demux(media.streams[stream.index]) if packet.size)
    if out.container == "matroska":
        name = stream.codec_context.codec.canonical_name
        suffix, kind = _IMAGES.get(name, (name, f"image/{name}"))
        container.add_attachment(
            stream.metadata.get("filename", f"cover.{suffix}"), stream.metadata.get("mimetype", kind), picture
        )
        return []
    made = container.add_stream_from_template(stream, opaque=True)
    made.disposition = Disposition.attached_pic
    return [Cover(made, picture)]


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
