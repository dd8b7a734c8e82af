"""Decoding a video file's frames, from its first one on or from a keyframe that is sought."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import av

from restyle.errors import FootageError, show_path
from restyle.footage.clock import continuous_packets
from restyle.footage.ffv1 import intact
from restyle.footage.gif import survey_gif
from restyle.footage.matroska import Survey, survey
from restyle.footage.opening import open_container, reason
from restyle.footage.streams import main_stream
from restyle.footage.tail import broken_stream_end, broken_within_frame
from restyle.types import FootageSpec

__all__ = ["Damage", "Timeline", "alpha_beside", "from_keyframe", "from_start", "survey_file"]

_LIBVPX = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def alpha_beside(stream: av.VideoStream) -> bool:
    """Tell whether each packet has its alpha in a packet of its own beside it, as VP8 and VP9 in WebM do.

    Only libvpx decodes it; FFmpeg's own decoders, which a stream has, drop it.
    """
    mode = next((value for key, value in stream.metadata.items() if key.lower() == "alpha_mode"), None)
    return mode == "1" and stream.codec_context.codec.canonical_name in _LIBVPX


@dataclass
class Damage:
    """Damage that a decoder concealed or left out without a word, as far as passes from the first frame on have shown."""

    concealed: set[int] = field(default_factory=set)
    """Frames in which lost parts were made up by the decoder (error concealment)."""
    lost: int = 0
    """Number of frames that did not decode at all."""


class Timeline:
    """Gives every frame a time stamp: missing and backward ones are repaired to strictly increasing ones."""

    def __init__(self, spec: FootageSpec):
        self._step = max(1, round(1 / (spec.rate * spec.time_base)))
        self._last: int | None = None

    def stamp(self, pts: int | None) -> int:
        """Give the time stamp of the next frame, which the file stamps ``pts``."""
        if pts is None:
            pts = 0 if self._last is None else self._last + self._step
        if self._last is not None and pts <= self._last:
            pts = self._last + 1
        self._last = pts
        return pts


def survey_file(container: av.container.InputContainer, stream: av.VideoStream, path: Any) -> Survey | None:
    """Walk over the file's own elements, where its format is known: see ``matroska.survey`` and ``gif.survey_gif``."""
    return survey(path, container.streams.video.index(stream)) or survey_gif(path)


class _Decoder:
    """Decoder of a stream's packets that knows in the end whether they were all there."""

    def __init__(
        self,
        container: av.container.InputContainer,
        stream: av.VideoStream,
        spec: FootageSpec,
        packets: Iterator[av.Packet[av.VideoStream]],
    ) -> None:
        self._container, self._packets, self._spec = container, packets, spec
        self._context: Any = stream
        if alpha_beside(stream):
            self._context = av.CodecContext.create(_LIBVPX[stream.codec_context.codec.canonical_name], "r")
            self._context.thread_type = "AUTO"
        self.packets = 0
        self.damage: str | None = None
        """Reason for which decoding ended early."""
        self._limit: int | None = None
        self._concealed: set[int | None] = set()
        self._checks: bool = stream.codec_context.codec.canonical_name == "ffv1"
        if spec.frames is None:
            result = survey_file(container, stream, spec.path)
            if result is not None and not result.intact:
                self._limit = result.blocks  # FFmpeg would step over the damage, and number what follows wrongly

    def frames(self) -> Generator[av.VideoFrame, None, None]:
        """Decode all frames, in order. Those before the damage all come out; then ``damage`` is set."""
        # A transport stream's packets count as corrupt after any hiccup of the broadcast; elsewhere it means: cut off.
        strict = "mpegts" not in self._container.format.name
        end = 0
        while self.damage is None:
            try:
                packet = next(self._packets)
                if not packet.size:
                    if broken_within_frame(self._spec.path, self._container.format.name, end):
                        self.damage = "the file ends in the middle of a frame"
                    break
                end = (packet.pos or 0) + packet.size
                if self.packets == self._limit:
                    self.damage = "the file is broken off, or overwritten"
                elif packet.is_corrupt and strict:
                    self.damage = "the file ends in the middle of a frame"
                else:
                    self.packets += not packet.is_discard
                    if packet.is_corrupt or not self._agrees(packet):
                        self._concealed.add(packet.pts)
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

    def _agrees(self, packet: av.Packet[av.VideoStream]) -> bool:
        """Check a packet against its checksums, if its stream has any."""
        if not self._checks:
            return True
        whole = intact(bytes(packet))
        if whole is None and self.packets == 1:
            self._checks = False
            return True
        return bool(whole)

    def concealed(self, frame: av.VideoFrame) -> bool:
        """Tell whether parts of a frame were lost, and made up by the decoder."""
        return frame.is_corrupt or (frame.pts is not None and frame.pts in self._concealed)

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


def _prepared_stream(container: av.container.InputContainer, spec: FootageSpec) -> av.VideoStream:
    stream = main_stream(container, spec.path)
    # With threads by frame, FFmpeg's H.264 decoder may hand a frame out before it knows that parts of it are made up: whether
    # damage is told would be chance. In transport streams damage is common, and nothing else tells of it.
    tells_late = stream.codec_context.codec.canonical_name == "h264" and "mpegts" in container.format.name
    stream.thread_type = "SLICE" if tells_late else "AUTO"
    return stream


def from_start(spec: FootageSpec, start: int, damage: Damage) -> Generator[tuple[int, int, av.VideoFrame], None, None]:
    """Decode from the first frame on; give (index, stamp, frame) from frame ``start`` on. Raises ``FootageError``.

    ``damage`` gets what the decoder conceals or leaves out.
    """
    with open_container(spec.path) as container:
        stream = _prepared_stream(container, spec)
        decoder = _Decoder(container, stream, spec, continuous_packets(container, stream))
        timeline = Timeline(spec)
        index = 0
        for frame in decoder.frames():
            stamp = timeline.stamp(frame.pts)
            if decoder.concealed(frame):
                damage.concealed.add(index)
            if index >= start:
                yield index, stamp, frame
            index += 1
        if index and broken_stream_end(spec.path, container.format.name):
            damage.concealed.add(index - 1)  # what comes behind it is lost
        decoder.finish(index, whole=True)
        if damage.concealed:  # else packets without a picture are the codec's way, or come before the first keyframe
            damage.lost = max(damage.lost, decoder.packets - index)


def from_keyframe(
    spec: FootageSpec, start: int, pts: Sequence[int], damage: Damage
) -> Generator[tuple[int, int, av.VideoFrame], None, None]:
    """Seek to a keyframe at or before frame ``start`` and drop what comes before it, by time stamp."""
    with open_container(spec.path) as container:
        stream = _prepared_stream(container, spec)
        back, step = pts[start], max(1, round(2 / spec.time_base))
        while back > pts[0]:
            try:
                container.seek(back, stream=stream, backward=True)
            except (av.FFmpegError, OSError):
                break
            decoder = _Decoder(container, stream, spec, iter(container.demux(stream)))
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
    yield from from_start(spec, start, damage)


def _frame_at(decoded: Iterator[av.VideoFrame], target: int) -> av.VideoFrame | None:
    """Find the frame with a time stamp, if decoding from here leads to it."""
    entry = next((frame for frame in decoded if frame.pts is not None and frame.key_frame), None)
    # Frames shown before the keyframe but stored after it (open GOP) lack their references after a seek.
    if entry is None or entry.pts is None or entry.pts > target:
        return None
    frame: av.VideoFrame | None = entry
    while frame is not None and frame.pts is not None and frame.pts < target:
        frame = next(decoded, None)
    return frame if frame is not None and frame.pts == target else None
