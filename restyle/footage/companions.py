"""Companions: the source's other streams, and whether an output copies, encodes or leaves them out. Decided before the work."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import av
from av.stream import Discard, Disposition

from restyle.errors import OutputError, show_path
from restyle.footage.opening import open_container, reason
from restyle.footage.sound import PCM_CONTAINERS, Coding, add_sound, codings, copy_labels, layout_of
from restyle.footage.streams import main_stream
from restyle.types import FootageSpec

__all__ = ["Companion", "Companions", "copy_of", "plan_companions"]

SUFFIXES = {"mp4": ".mp4", "mov": ".mov", "matroska": ".mkv", "webm": ".webm", "avi": ".avi"}
# What players read; the muxers themselves would write more.
_AUDIO = {
    "mp4": {"aac", "mp3", "mp2", "ac3", "eac3", "opus", "flac", "alac"},
    "mov": {"aac", "mp3", "mp2", "ac3", "eac3", "alac"},
    "webm": {"opus", "vorbis"},
    "avi": {"mp3", "mp2", "ac3", "aac"},
}
_SUBTITLES = {"mp4": {"mov_text"}, "mov": {"mov_text"}, "webm": {"webvtt"}, "avi": set[str]()}
_COVERS = {"mp4": {"mjpeg", "png", "bmp"}}
_TRIAL_PACKETS = 3
"""Packets of a stream that an output is tried with."""
_SEARCHED_PACKETS = 500
"""Packets of a file among which they are looked for."""


@dataclass(frozen=True)
class Companion:
    """One of the source's other streams that comes along."""

    index: int
    """Index of the stream in the source."""
    kind: Literal["audio", "subtitle", "data", "attachment", "cover"]
    rate: int = 0
    """Samples a second of sound, in the output."""
    coding: Coding | None = None
    """Encoding of sound that is encoded again; ``None``: packets are copied."""


@dataclass(frozen=True)
class Companions:
    """The source's other streams that come along, in the source's order, and what a person should know of those that change."""

    streams: tuple[Companion, ...] = ()
    notes: tuple[str, ...] = ()


def plan_companions(
    source: FootageSpec,
    path: str,
    container: str,
    *,
    sound: Literal["keep", "stretch", "drop"] = "keep",
    slow: Fraction = Fraction(1),
) -> Companions:
    """Decide what becomes of each stream of the source beside the pictures, by trying it on a container in memory.

    ``path``: the output's name, for errors. ``container``: its muxer. ``slow``: how many times longer the output lasts: sound
    is then encoded again (``sound="stretch"``), and what has a time of its own stays behind. Raises ``OutputError`` where sound
    can neither be copied nor encoded, with the containers that hold it; ``FootageError``.
    """
    if source.kind != "video":
        return Companions()
    with open_container(source.path) as media:
        planner = _Planner(media, main_stream(media, source.path), source.path, path, container, sound, slow)
        streams = [planned for stream in media.streams if (planned := planner.plan(stream)) is not None]
        planner.note_whole_file()
        return Companions(tuple(streams), tuple(dict.fromkeys(planner.notes)))


def copy_of(container: Any, stream: Any) -> Any:
    """Add a stream to an output that takes the packets of the source's. Raises ``ValueError``, ``FFmpegError``."""
    copy = container.add_stream_from_template(stream, opaque=True)
    copy_labels(copy, stream)
    return copy


class _Planner:
    """Decides stream by stream."""

    def __init__(
        self, media: Any, main: Any, source: str, path: str, container: str, sound: str, slow: Fraction
    ) -> None:
        self._media, self._main = media, main
        self._source, self._path, self._container = source, path, container
        self._suffix = SUFFIXES[container]
        self._sound, self._same_speed = sound, slow == 1
        self._samples = _first_packets(source)
        self.notes: list[str] = []

    def plan(self, stream: Any) -> Companion | None:
        """Decide on one stream; ``None``: it is left out, with a note where a person would miss it."""
        if stream is self._main or stream.discard == Discard.all:  # what the demuxer reads itself: chapters' titles
            return None
        kind = stream.type
        if kind == "audio":
            return self._audio(stream)
        if kind == "subtitle":
            return self._subtitle(stream)
        if kind == "attachment":
            return self._attachment(stream)
        if kind == "video":
            return self._cover(stream) if stream.disposition & Disposition.attached_pic else None
        return self._data(stream)

    def note_whole_file(self) -> None:
        """Note what is left out that belongs to no single stream: chapters, and the languages of sound tracks."""
        if self._container == "avi" and self._media.chapters():
            self.notes.append(".avi holds no chapters; they are left out (.mkv, .mp4, .mov hold them)")
        if not self._same_speed and self._media.chapters():
            self.notes.append("chapters are left out where the pictures run slower")
        with_language = [s for s in self._media.streams.audio if s.metadata.get("language", "und") != "und"]
        if self._container == "avi" and with_language and self._sound != "drop":
            self.notes.append(".avi holds no languages of sound tracks; they are left out (.mkv, .mp4, .mov hold them)")

    def _audio(self, stream: Any) -> Companion | None:
        if self._sound == "drop":
            return None
        context = stream.codec_context
        if context is None or not context.sample_rate or not (channels := len(layout_of(context)[1])):
            self.notes.append(f"the sound of stream {stream.index} cannot be read (unknown codec); it is left out")
            return None
        name = context.codec.canonical_name
        if self._same_speed and self._copies(stream, self._container):
            if self._container == "matroska" and name.startswith("pcm_") and channels > 2:
                layout, _ = layout_of(context)
                self.notes.append(
                    f".mkv does not tell the layout of uncompressed sound: its {layout} is {channels} channels"
                )
            return Companion(stream.index, "audio", context.sample_rate)
        trouble: BaseException | None = None
        for coding in codings(stream, self._container):
            try:
                _attempt(self._container, lambda c, how=coding: add_sound(c, how, stream))  # type: ignore[misc]
            except (ValueError, av.FFmpegError) as error:
                trouble = trouble or error
                continue
            if self._same_speed:
                self.notes.append(
                    f"{self._suffix} cannot hold {name} audio; it is encoded again as {coding.codec}"
                    f"{_changes(stream, coding)}{_holders_note(self._alternatives(stream))}"
                )
            return Companion(stream.index, "audio", coding.rate, coding)
        alternatives = self._alternatives(stream)
        advice = f"choose {' or '.join(alternatives)}" if alternatives else "take it out of the footage"
        raise OutputError(
            f"{show_path(self._path)} cannot hold the sound of {show_path(self._source)} ({name}, "
            f"{channels} channels: {reason(trouble) if trouble else 'no encoder'}); {advice}"
        )

    def _alternatives(self, stream: Any) -> list[str]:
        return [s for c, s in SUFFIXES.items() if c != self._container and self._copies(stream, c)]

    def _copies(self, stream: Any, container: str) -> bool:
        name = stream.codec_context.codec.canonical_name
        takes = _AUDIO.get(container)
        if name.startswith("pcm_"):
            takes = {name} if container in PCM_CONTAINERS else set()
        return (takes is None or name in takes) and self._fits(stream, container)

    def _fits(self, stream: Any, container: str) -> bool:
        try:
            _attempt(container, lambda c: copy_of(c, stream), self._samples.get(stream.index, []))
        except (ValueError, av.FFmpegError):
            return False
        return True

    def _subtitle(self, stream: Any) -> Companion | None:
        name = stream.codec_context.codec.canonical_name if stream.codec_context is not None else "unknown"
        if not self._same_speed:
            self.notes.append("subtitles are left out where the pictures run slower")
            return None
        holders = [
            container
            for container in SUFFIXES
            if name in _SUBTITLES.get(container, {name}) and name != "unknown" and self._fits(stream, container)
        ]
        if self._container in holders:
            return Companion(stream.index, "subtitle")
        suffixes = [SUFFIXES[container] for container in holders]
        self.notes.append(
            f"{self._suffix} cannot hold {name} subtitles; they are left out{_holders_note(suffixes, 'them')}"
        )
        return None

    def _attachment(self, stream: Any) -> Companion | None:
        if self._container == "matroska":
            return Companion(stream.index, "attachment")
        what = stream.metadata.get("filename", "a file")
        self.notes.append(f"{self._suffix} holds no attached files; {show_path(what)} is left out (.mkv holds it)")
        return None

    def _cover(self, stream: Any) -> Companion | None:
        if stream.disposition & Disposition.timed_thumbnails:
            return None
        name = stream.codec_context.codec.canonical_name if stream.codec_context is not None else "unknown"
        has_packet = bool(self._samples.get(stream.index))
        if has_packet and (self._container == "matroska" or name in _COVERS.get(self._container, ())):
            return Companion(stream.index, "cover")
        holders = [".mkv", *(SUFFIXES[c] for c, names in _COVERS.items() if name in names and c != self._container)]
        self.notes.append(
            f"{self._suffix} holds no cover picture ({name}); it is left out{_holders_note(holders, 'it')}"
        )
        return None

    def _data(self, stream: Any) -> Companion | None:
        if any(key.lower() == "timecode" for key in stream.metadata):  # a track of timecode is written anew
            return None
        if self._same_speed and self._container in ("mp4", "mov") and self._fits(stream, self._container):
            return Companion(stream.index, "data")
        what = stream.metadata.get("handler_name", "").strip() or stream.name or "of an unknown kind"
        self.notes.append(f"the data of stream {stream.index} ({show_path(what)}) is left out")
        return None


def _changes(stream: Any, coding: Coding) -> str:
    """Describe the changes that encoding makes to the sound's rate and layout."""
    context = stream.codec_context
    changes = ""
    layout, _ = layout_of(context)
    if layout != coding.layout:
        changes += f", its {layout} as {coding.layout}"
    if context.sample_rate != coding.rate:
        changes += f", resampled from {context.sample_rate} to {coding.rate} Hz"
    return changes


def _holders_note(suffixes: list[str], what: str = "it as it is") -> str:
    return f" ({', '.join(suffixes)} hold{'s' if len(suffixes) == 1 else ''} {what})" if suffixes else ""


def _first_packets(path: str) -> dict[int, list[Any]]:
    """Read the first packets of every stream, as far as they come early in the file."""
    first_packets: dict[int, list[Any]] = {}
    with open_container(path) as media, suppress(av.FFmpegError, OSError):
        counts = {s.index: _TRIAL_PACKETS for s in media.streams if s.type in ("audio", "data")}
        counts |= {s.index: 1 for s in media.streams.video if s.disposition & Disposition.attached_pic}
        for number, packet in enumerate(media.demux()):
            of_stream = first_packets.setdefault(packet.stream_index, [])
            if packet.size and len(of_stream) < _TRIAL_PACKETS:
                of_stream.append(packet)
            if number > _SEARCHED_PACKETS or all(
                len(first_packets.get(index, ())) >= count for index, count in counts.items()
            ):
                break
    return first_packets


def _attempt(container: str, add: Callable[[Any], Any], packets: list[Any] | None = None) -> None:
    """Write a stream's header and some packets into a file in memory. Raises ``ValueError``, ``FFmpegError``."""
    trial: Any = av.open(io.BytesIO(), "w", format=container)
    try:
        stream = add(trial)
        trial.start_encoding()
        for packet in _rebased_copies([packet for packet in packets or [] if packet.pts is not None]):
            packet.stream = stream
            trial.mux_one(packet)
        trial.close()
    except (ValueError, av.FFmpegError):
        with suppress(av.FFmpegError):
            trial.close()
        raise


def _rebased_copies(packets: list[Any]) -> Iterator[Any]:
    """Copy packets, with stamps from 0 on: muxers alter the packets that they get."""
    first = packets[0].pts if packets else 0
    for packet in packets:
        copy = av.Packet(bytes(packet))
        copy.pts = packet.pts - first
        copy.dts = copy.pts if packet.dts is None else packet.dts - first
        copy.time_base, copy.duration, copy.is_keyframe = packet.time_base, packet.duration, packet.is_keyframe
        yield copy
