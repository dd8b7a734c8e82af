"""Video files: what they are, and their frames, decoded with PyAV."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from restyle.errors import FootageError, show_path, why
from restyle.footage.colour import MATRICES, FrameReader, has_alpha, tags_of
from restyle.footage.matroska import survey
from restyle.types import ColourTags, FootageSpec, Frame

__all__ = ["open_container", "probe_video", "read_video", "reason", "video_pts"]

# Decoders of typed-in text and of generated pictures, which FFmpeg would offer for a text file.
_NO_FOOTAGE = {"ansi", "bintext", "xbin", "idf"}
_LIBVPX = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_INTRA_ONLY = {"prores", "mjpeg", "ffv1", "dnxhd", "png", "rawvideo", "gif", "huffyuv", "v210", "qtrle", "cfhd", "exr"}


def reason(error: BaseException) -> str:
    """The reason in an error of FFmpeg's or the system's, as a few words on one line, without paths and numbers."""
    if isinstance(error, av.FFmpegError):
        if (
            isinstance(error, OSError)
            and not isinstance(error, av.error.InvalidDataError)
            and error.errno
            and error.errno > 0
        ):
            return why(OSError(error.errno, error.strerror))
        text = " ".join(str(error.strerror or error).split())
        return text[:1].lower() + text[1:]
    return why(error)


def file_url(path: str | os.PathLike[str]) -> str:
    """A path such that FFmpeg takes every character of it as it is (no protocols, no options, no patterns)."""
    return "file:" + os.fspath(path)


def open_container(path: str | os.PathLike[str]) -> av.container.InputContainer:
    """Open a media file for reading. Raises ``FootageError``."""
    place = Path(path)
    shown = show_path(path)
    try:
        if place.is_dir():
            raise FootageError(f"{shown} is a folder")
        size = place.stat().st_size
        if size == 0:
            raise FootageError(f"{shown} is empty (0 bytes); copy or export it again")
        with open(place, "rb"):
            pass
    except FileNotFoundError as error:
        parent = place.parent
        what = (
            f"there is no file {shown}"
            if parent.is_dir()
            else f"there is no folder {show_path(parent)} to hold {shown}"
        )
        raise FootageError(what) from error
    except OSError as error:
        raise FootageError(f"cannot read {shown}: {why(error)}") from error
    try:
        return av.open(file_url(path), metadata_errors="replace")
    except av.error.InvalidDataError as error:
        raise FootageError(
            f"{shown} is no video that can be read, or is damaged ({reason(error)}); check that it plays, or export it again"
        ) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise FootageError(f"cannot read {shown}: {reason(error)}") from error


def main_stream(container: av.container.InputContainer, path: str | os.PathLike[str]) -> av.VideoStream:
    """The video stream that is the footage: not a cover picture. Raises ``FootageError`` if there is none that decodes."""
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not streams:
        others = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise FootageError(f"{show_path(path)} has no video stream, only {others}; give footage with pictures")
    stream = streams[0]
    if stream.codec_context is None or stream.codec_context.name in _NO_FOOTAGE:
        raise FootageError(f"{show_path(path)} is no video that can be read: its codec is not known")
    return stream


def _alpha_beside(stream: av.VideoStream) -> bool:
    """Whether each packet has its alpha in a packet of its own beside it, as VP8 and VP9 in WebM do.

    Seen only by libvpx; FFmpeg's own decoders, which a stream has, drop it.
    """
    mode = next((value for key, value in stream.metadata.items() if key.lower() == "alpha_mode"), None)
    return mode == "1" and stream.codec_context.codec.canonical_name in _LIBVPX


def probe_video(path: str | os.PathLike[str]) -> FootageSpec:
    """What a video file is, from its headers and its first frame. Raises ``FootageError``."""
    with open_container(path) as container:
        stream = main_stream(container, path)
        context = stream.codec_context
        context.thread_count = 1
        first = _first_frame(container, stream, path)
        layout = av.VideoFormat("yuva420p") if _alpha_beside(stream) else first.format
        bits = max(c.bits for c in layout.components) if layout.components else 8
        if layout.has_palette:
            bits = 8
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate
        if rate is None or rate <= 0 or rate > 100_000:
            rate = Fraction(25)
        base = stream.time_base or 1 / rate
        rotation = _right_angle(first.rotation)
        aspect = Fraction(stream.sample_aspect_ratio or 1)
        aspect = aspect if aspect > 0 else Fraction(1)
        width, height = first.width, first.height
        if rotation % 180:
            width, height, aspect = height, width, 1 / aspect
        return FootageSpec(
            path=os.fspath(path),
            kind="video",
            width=width,
            height=height,
            dtype="float32" if "f32" in layout.name or "f16" in layout.name else "uint8" if bits <= 8 else "uint16",
            bits=bits,
            rate=rate,
            time_base=base,
            frames=_promised_frames(container, stream, path) or None,
            codec=context.codec.canonical_name,
            pixel_format=layout.name,
            variable_rate=_varies(stream, rate),
            pixel_aspect=aspect,
            rotation=rotation,
            colour=_tags(first, context),
            timecode=_timecode(container, stream),
            audio_streams=len(container.streams.audio),
            has_alpha=layout.has_palette or has_alpha(layout.name),
        )


def _first_frame(container: av.container.InputContainer, stream: av.VideoStream, path: Any) -> av.VideoFrame:
    try:
        for packet in container.demux(stream):
            for frame in stream.decode(packet if packet.size else None):
                return frame
    except (av.FFmpegError, OSError) as error:
        raise FootageError(
            f"{show_path(path)} is damaged: its first frame does not decode ({reason(error)})"
        ) from error
    raise FootageError(f"{show_path(path)} has a video stream, but no frame in it; export it again")


def _tags(frame: av.VideoFrame, context: Any) -> ColourTags:
    found = tags_of(
        _known(frame.color_primaries, context.color_primaries),
        _known(frame.color_trc, context.color_trc),
        _known(frame.colorspace, context.colorspace),
        frame.color_range or context.color_range,
    )
    if frame.format.is_rgb:
        return ColourTags(found.primaries, found.transfer, MATRICES[0], "pc")
    if found.range is None and frame.format.name.startswith("yuvj"):
        return ColourTags(found.primaries, found.transfer, found.matrix, "pc")
    return found


def _known(one: int, other: int) -> int:
    return int(one) if int(one) not in (0, 2, 3) else int(other)


def _right_angle(degrees: float) -> int:
    return round(degrees / 90) * 90 % 360


def _varies(stream: av.VideoStream, rate: Fraction) -> bool:
    """Whether the header tells of a variable rate: the finest rate that all time stamps fit is not the average one."""
    base = stream.base_rate
    return base is not None and base > 0 and not Fraction(99, 100) < base / rate < Fraction(101, 100)


def _timecode(container: av.container.InputContainer, stream: av.VideoStream) -> str | None:
    places = [stream.metadata, container.metadata, *(s.metadata for s in container.streams)]
    for place in places:
        for key, value in place.items():
            if key.lower() == "timecode" and value:
                return value
    return None


def _promised_frames(container: av.container.InputContainer, stream: av.VideoStream, path: Any) -> int:
    """Number of packets that the file tells of; 0 = it does not. Frames that an edit list hides do not count."""
    kinds = container.format.name.split(",")
    if "mov" in kinds:
        entries = stream.index_entries
        if len(entries) >= stream.frames > 0:
            return sum(1 for entry in entries if not entry.is_discard)
    if "matroska" in kinds:
        found = survey(path)
        return found.blocks if found is not None and found.sound else 0
    return stream.frames


class _Timeline:
    """Gives every frame a time stamp: missing and backward ones are repaired to strictly increasing ones."""

    def __init__(self, spec: FootageSpec):
        self._step = max(1, round(1 / (spec.rate * spec.time_base)))
        self._last: int | None = None

    def stamp(self, pts: int | None) -> int:
        if pts is None:
            pts = 0 if self._last is None else self._last + self._step
        if self._last is not None and pts <= self._last:
            pts = self._last + 1
        self._last = pts
        return pts


def read_video(
    spec: FootageSpec, start: int, stop: int | None, pts: Sequence[int] | None, size: tuple[int, int] | None
) -> Generator[Frame, None, None]:
    """The frames ``start`` up to ``stop`` of a video file, decoded in order. See ``Footage.frames``."""
    if start > 0 and pts is not None and start < len(pts) and _trusted(spec, pts):
        source = _from_keyframe(spec, start, pts)
    else:
        source = _from_start(spec, start)
    # A rotation that the decoder no longer reports (after a seek, say) still holds: the probe's tells.
    try:
        reader = FrameReader(
            dtype=spec.dtype, tags=spec.colour, height=spec.height if spec.rotation % 180 == 0 else spec.width,
            rotation=spec.rotation, alpha=spec.has_alpha, size=size,
        )  # fmt: skip
    except ValueError as error:
        raise FootageError(f"{show_path(spec.path)}: {error}") from error
    try:
        if stop is not None and stop <= start:
            return
        for index, stamp, frame in source:
            picture, alpha = reader.read(frame)
            del frame
            yield Frame(index, stamp, picture, alpha)
            if stop is not None and index + 1 >= stop:
                return
    finally:
        source.close()


class _Decoder:
    """Decodes a stream's packets, and knows in the end whether they were all there."""

    def __init__(self, container: av.container.InputContainer, stream: av.VideoStream, spec: FootageSpec) -> None:
        self._container, self._stream, self._spec = container, stream, spec
        self._context: Any = stream
        if _alpha_beside(stream):
            self._context = av.CodecContext.create(_LIBVPX[stream.codec_context.codec.canonical_name], "r")
            self._context.thread_type = "AUTO"
        self.packets = 0
        self.damage: str | None = None
        """Why decoding ended early."""
        self._limit: int | None = None
        if spec.frames is None:
            found = survey(spec.path)
            if found is not None and not found.sound:
                self._limit = found.blocks  # FFmpeg would step over the damage, and number what follows wrongly

    def frames(self) -> Generator[av.VideoFrame, None, None]:
        """Decoded frames in order. Those before the damage all come out; then ``damage`` is set."""
        # A transport stream's packets count as corrupt after any hiccup of the broadcast; elsewhere it means: cut off.
        strict = "mpegts" not in self._container.format.name
        packets = self._container.demux(self._stream)
        while self.damage is None:
            try:
                packet = next(packets)
                if not packet.size:
                    break
                if self.packets == self._limit:
                    self.damage = "the file is broken off, or overwritten"
                elif packet.is_corrupt and strict:
                    self.damage = "the file ends in the middle of a frame"
                else:
                    self.packets += not packet.is_discard
                    yield from self._checked(self._context.decode(packet))
            except StopIteration:
                break
            except (av.FFmpegError, OSError) as error:
                self.damage = reason(error)
        try:
            yield from self._checked(self._context.decode(None))
        except (av.FFmpegError, OSError) as error:
            self.damage = self.damage or reason(error)
        if self.damage is None and self._limit is not None:
            self.damage = "the file is broken off, or overwritten"

    def _checked(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        spec = self._spec
        size = (spec.width, spec.height) if spec.rotation % 180 == 0 else (spec.height, spec.width)
        for frame in frames:
            if (frame.width, frame.height) != size:
                raise FootageError(
                    f"{show_path(spec.path)} changes its size from {size[0]}x{size[1]} to {frame.width}x{frame.height} "
                    "on the way; export it in one size"
                )
        return frames

    def finish(self, count: int, *, whole: bool) -> None:
        """Raise unless everything that the file promises came: a shortened film must not pass for the whole.

        ``count``: frames from the footage's first one on. ``whole``: decoding began with the first packet. Frames that the
        decoder itself leaves out (before the first keyframe of a clip that was cut) are no damage.
        """
        damage, shown = self.damage, show_path(self._spec.path)
        if damage is None and whole and self._spec.frames is not None and self.packets < self._spec.frames:
            damage = f"its header promises {self._spec.frames} frames"
        if damage is None:
            return
        if count == 0:
            raise FootageError(f"{shown} is damaged: no frame of it decodes ({damage}); copy or export it again")
        raise FootageError(
            f"{shown} is damaged after frame {count - 1} ({damage}); copy or export it again, "
            f"or take what is readable with --range 0:{count}"
        )


def _ready(container: av.container.InputContainer, spec: FootageSpec) -> av.VideoStream:
    stream = main_stream(container, spec.path)
    stream.thread_type = "AUTO"
    return stream


def _from_start(spec: FootageSpec, start: int) -> Generator[tuple[int, int, av.VideoFrame], None, None]:
    with open_container(spec.path) as container:
        decoder = _Decoder(container, _ready(container, spec), spec)
        timeline = _Timeline(spec)
        index = 0
        for frame in decoder.frames():
            stamp = timeline.stamp(frame.pts)
            if index >= start:
                yield index, stamp, frame
            index += 1
        decoder.finish(index, whole=True)


def _from_keyframe(
    spec: FootageSpec, start: int, pts: Sequence[int]
) -> Generator[tuple[int, int, av.VideoFrame], None, None]:
    """Seek to a keyframe at or before frame ``start`` and drop what comes before it, by time stamp."""
    with open_container(spec.path) as container:
        stream = _ready(container, spec)
        back, step = pts[start], max(1, round(2 / spec.time_base))
        while back > pts[0]:
            try:
                container.seek(back, stream=stream, backward=True)
            except (av.FFmpegError, OSError):
                break
            decoder = _Decoder(container, stream, spec)
            decoded = decoder.frames()
            frame = _frame_at(decoded, pts[start])
            if frame is not None:
                index, stamp = start, pts[start]
                while frame is not None:
                    yield index, stamp, frame
                    index += 1
                    frame = next(decoded, None)
                    stamp = pts[index] if index < len(pts) else max(stamp + 1, (frame and frame.pts) or 0)
                decoder.finish(index, whole=False)
                if spec.frames is not None and index < len(pts):
                    decoder.damage = "frames are missing at its end"
                    decoder.finish(index, whole=False)
                return
            back -= step
            step *= 2
    yield from _from_start(spec, start)


def _frame_at(decoded: Iterator[av.VideoFrame], target: int) -> av.VideoFrame | None:
    """The frame with a time stamp, if decoding from here leads to it."""
    entry = next((frame for frame in decoded if frame.pts is not None and frame.key_frame), None)
    # Frames shown before the keyframe but stored after it (open GOP) lack their references after a seek.
    if entry is None or entry.pts is None or entry.pts > target:
        return None
    frame: av.VideoFrame | None = entry
    while frame is not None and frame.pts is not None and frame.pts < target:
        frame = next(decoded, None)
    return frame if frame is not None and frame.pts == target else None


def _trusted(spec: FootageSpec, pts: Sequence[int]) -> bool:
    """Whether the file's own time stamps are those of ``pts``: none was repaired, so that a frame can be found by its own."""
    found = video_pts(spec.path)
    if found is None:
        return False
    return found[bisect_left(found, pts[0]) :][: len(pts)] == list(pts)


def video_pts(path: str | os.PathLike[str]) -> list[int] | None:
    """All time stamps of a video's packets, ascending, without decoding; ``None`` where they cannot be trusted."""
    with open_container(path) as container:
        stream = main_stream(container, path)
        codec = stream.codec_context.codec.canonical_name
        entries = stream.index_entries
        if codec in _INTRA_ONLY and "mov" in container.format.name.split(",") and len(entries) == stream.frames > 0:
            # Every frame stands alone: the index tells all, and a large file need not be read.
            if max(entry.pos + entry.size for entry in entries) > Path(path).stat().st_size:
                return None
            found = [entry.timestamp for entry in entries if not entry.is_discard]
        else:
            found = []
            try:
                for packet in container.demux(stream):
                    if not packet.size:
                        continue
                    if packet.pts is None or packet.is_corrupt:
                        return None
                    if not packet.is_discard:
                        found.append(packet.pts)
            except (av.FFmpegError, OSError):
                return None
    found.sort()
    return found if all(a < b for a, b in pairwise(found)) else None
