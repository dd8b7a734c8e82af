"""Streams beside the pictures, on their way into an output: sound, subtitles, chapters and metadata, as they were planned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, Protocol

import av
from av.stream import Disposition

from restyle.errors import show_path
from restyle.footage.clock import Clock
from restyle.footage.companions import copy_of
from restyle.footage.excerpt import Excerpt
from restyle.footage.opening import open_container, reason
from restyle.footage.output import OutputSpec
from restyle.footage.sound import Reencoded, add_sound
from restyle.footage.streams import main_stream
from restyle.types import FootageSpec

__all__ = ["PacketFeed", "Retimed", "add_companions", "plan_excerpt"]

_MUXER_KEYS = {"encoder", "major_brand", "minor_version", "compatible_brands", "duration", "timecode", "creation_time"}
_IMAGES = {"mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png"), "gif": ("gif", "image/gif")}
"""Extension and MIME type of a cover picture, by codec."""


@dataclass(frozen=True)
class Retimed:
    """The excerpt of the source that comes along with pictures that run on a clock of their own."""

    begin: Fraction
    """Seconds, on the source's clock, at which the output begins."""
    end: Fraction
    """Seconds, on the source's clock, at which it ends."""
    whole: tuple[bool, bool] = (True, True)
    """True if that is the source's first frame, and its last: then no sound is cut off there."""
    slow: Fraction = Fraction(1)
    """Factor by which the output lasts longer. Subtitles and chapters come along at 1 only."""
    sound: Literal["keep", "stretch", "drop"] = "keep"
    """``keep``: as it is. ``stretch``: as much longer as the pictures, at its own pitch, and so encoded anew."""


class PacketFeed(Protocol):
    """Source of packets of one or more streams of the output."""

    @property
    def notes(self) -> list[str]:
        """Warnings for a person, when all packets are out."""

    def packets(self) -> Iterator[Any]:
        """Give the packets in order, on the output's time."""


class Copied:
    """Packets of the source's streams as they are, shifted to the output's time."""

    def __init__(self, excerpt: Excerpt, streams: dict[int, Any], container: str) -> None:
        self._excerpt = excerpt
        self._streams = streams
        # An encoder's run-up, which only mp4 and mov can place before 0; elsewhere it would shift the pictures.
        self._negative = container in ("mp4", "mov")
        self._loose = container in ("matroska", "webm")  # where packets may share a time
        self._before: dict[int, tuple[int, int, int]] = {}  # of each stream's last packet: dts as read, as written, end
        self.notes: list[str] = []

    def packets(self) -> Iterator[Any]:
        """Give the packets. Without trimming, every one of them."""
        excerpt = self._excerpt
        with open_container(excerpt.path) as source:
            wanted = [source.streams[index] for index in self._streams]
            ticks = excerpt.clock.follow()
            excerpt.seek(source, Fraction(1, 2))  # streams are interleaved loosely
            over: set[int] = set()
            packets = source.demux(wanted)
            while True:
                try:
                    packet = next(packets, None)
                except (av.FFmpegError, OSError) as error:
                    shown = show_path(excerpt.path)
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
                latest = begins if sound else begins + (packet.duration or 0) * base
                if excerpt.trim_start and latest < excerpt.origin:
                    continue
                if excerpt.trim_end and begins >= excerpt.end:
                    over.add(index)
                    if len(over) == len(wanted):
                        return
                    continue
                if self._in_order(packet, index, sound):
                    yield self._addressed(packet, index, base)

    def _in_order(self, packet: Any, index: int, sound: bool) -> bool:
        """Put a packet behind the one before it; ``False`` if it is to be dropped.

        Sections of a joined file overlap; muxers take no step back.
        """
        read_dts, written_dts, end = self._before.get(index, (packet.dts, packet.dts - 1, packet.pts))
        length = packet.duration or 0
        if sound and (packet.dts < read_dts or (self._excerpt.clock.jumps and packet.pts < end - length / 2)):
            return False
        read_dts = packet.dts
        if packet.dts <= written_dts and not self._loose:
            packet.dts = written_dts + 1
            packet.pts = max(packet.pts, packet.dts)
        self._before[index] = read_dts, packet.dts, packet.pts + length
        return True

    def _addressed(self, packet: Any, index: int, base: Fraction) -> Any:
        """Shift a packet to the output's time, and address it to its stream there."""
        shift = round(self._excerpt.origin / base)
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

    def packets(self) -> Iterator[Any]:
        """Give the one packet."""
        packet = av.Packet(self._picture)
        packet.pts = packet.dts = 0
        packet.time_base = Fraction(1, 1000)
        packet.stream = self._stream
        yield packet


def plan_excerpt(
    source: FootageSpec, clock: Clock, begin: Fraction, end: Fraction, span: range, retimed: Retimed | None = None
) -> Excerpt:
    """Describe the excerpt of the source that comes along with the frames of ``span``, or with those of ``retimed``.

    ``begin``, ``end``: its time in seconds on the source's clock. Raises ``FootageError``.
    """
    if retimed is not None:
        from_start, to_end = retimed.whole
    else:
        from_start = span.start == 0
        to_end = (source.frames is not None and span.stop >= source.frames) or _reaches_end(source.path, end)
    return Excerpt(source.path, clock, begin, end, trim_start=not from_start, trim_end=not to_end)


def add_companions(
    stack: ExitStack, container: Any, out: OutputSpec, excerpt: Excerpt, retimed: Retimed | None = None
) -> tuple[Fraction, list[PacketFeed]]:
    """Add to the output those streams of the source that were planned, its chapters and metadata.

    Gives the instant that becomes 0 in the output (the excerpt's origin; where that is the source's beginning, the earliest
    stream's start, so that no sound is lost), and the feeds of packets. Raises ``ValueError``, ``FFmpegError``.
    """
    media = stack.enter_context(open_container(excerpt.path))
    slow = Fraction(1) if retimed is None or retimed.sound != "stretch" else retimed.slow
    if not excerpt.trim_start and slow == 1:
        sounds = [media.streams[c.index] for c in out.companions if c.kind == "audio"]
        starts = [s.start_time * s.time_base for s in sounds if s.start_time is not None and s.time_base]
        excerpt = replace(excerpt, origin=min([excerpt.origin, *starts]))
    copied: dict[int, Any] = {}
    feeds: list[PacketFeed] = []
    for companion in out.companions:
        stream = media.streams[companion.index]
        if companion.coding is not None:
            target = add_sound(container, companion.coding, stream)
            feeds.append(Reencoded(excerpt, companion.index, target, slow))
        elif companion.kind == "attachment":
            container.add_stream_from_template(stream)
        elif companion.kind == "cover":
            feeds += _add_cover(container, out, excerpt.path, stream)
        else:
            copied[companion.index] = copy_of(container, stream)
    container.metadata.update({k: v for k, v in media.metadata.items() if k.lower() not in _MUXER_KEYS})
    if retimed is None or retimed.slow == 1:
        _add_chapters(container, media, out, excerpt)
    if copied:
        feeds.insert(0, Copied(excerpt, copied, out.container))
    return excerpt.origin, feeds


def _reaches_end(path: str, end: Fraction) -> bool:
    with open_container(path) as container:
        stream = main_stream(container, path)
        if stream.duration is not None and stream.start_time is not None and stream.time_base:
            return end >= (stream.start_time + stream.duration) * stream.time_base
        return container.duration is not None and end >= Fraction(container.duration, 1_000_000)


def _add_cover(container: Any, out: OutputSpec, path: str, stream: Any) -> list[PacketFeed]:
    """Add a cover picture: an attached file in Matroska, a stream of one packet elsewhere."""
    with open_container(path) as media:
        picture = next(bytes(packet) for packet in media.demux(media.streams[stream.index]) if packet.size)
    if out.container == "matroska":
        name = stream.codec_context.codec.canonical_name
        suffix, kind = _IMAGES.get(name, (name, f"image/{name}"))
        container.add_attachment(
            stream.metadata.get("filename", f"cover.{suffix}"), stream.metadata.get("mimetype", kind), picture
        )
        return []
    target = container.add_stream_from_template(stream, opaque=True)
    target.disposition = Disposition.attached_pic
    return [Cover(target, picture)]


def _add_chapters(container: Any, media: Any, out: OutputSpec, excerpt: Excerpt) -> None:
    if out.container == "avi":
        return
    chapters = []
    for chapter in media.chapters():
        base = chapter["time_base"]
        start, stop = chapter["start"] * base, chapter["end"] * base
        if stop <= excerpt.origin or start >= excerpt.end:
            continue
        first, last = max(start, excerpt.origin) - excerpt.origin, min(stop, excerpt.end) - excerpt.origin
        chapters.append({**chapter, "start": round(first / base), "end": round(last / base)})
    if chapters:
        container.set_chapters(chapters)
