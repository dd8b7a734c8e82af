"""Video files: what they are, and their frames, decoded with PyAV."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Generator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from restyle.errors import FootageError, show_path
from restyle.footage.clock import ClockTracker
from restyle.footage.colour import MATRICES, FrameReader, has_alpha, tags_of
from restyle.footage.decoding import Damage, alpha_beside, from_keyframe, from_start, survey_file
from restyle.footage.fields import FieldOrder, deinterlaced, field_order_of
from restyle.footage.hdr import hdr10_of, left_out
from restyle.footage.limits import check_size
from restyle.footage.opening import open_container, reason
from restyle.footage.orientation import orientation_of
from restyle.footage.samples import planes_of
from restyle.footage.streams import chosen_stream, main_stream
from restyle.footage.transfer import HDR
from restyle.types import ColourTags, FootageSpec, Frame

__all__ = ["probe_video", "read_video", "trusts", "video_pts"]

_STRETCHED = Fraction(100)  # the most that a pixel may be wider than high, or higher than wide
_INTRA_ONLY = {"prores", "mjpeg", "ffv1", "dnxhd", "png", "rawvideo", "gif", "huffyuv", "v210", "qtrle", "cfhd", "exr"}


def probe_video(path: str | os.PathLike[str], *, deinterlace: bool = False) -> FootageSpec:
    """Describe a video file from its headers and its first frame. Raises ``FootageError``."""
    with open_container(path) as container:
        stream, notes = chosen_stream(container, path)
        context = stream.codec_context
        context.thread_count = 1
        if min(stream.width, stream.height) < 1:
            raise FootageError(f"{show_path(path)} is damaged: its header gives no size of picture that can be decoded")
        check_size(path, stream.width, stream.height)
        first = _first_frame(container, stream, path)
        layout = av.VideoFormat("yuva420p") if alpha_beside(stream) else first.format
        bits = max(c.bits for c in layout.components) if layout.components else 8
        if layout.has_palette:
            bits = 8
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate
        if rate is None or rate <= 0 or rate > 100_000:
            rate = Fraction(25)
        base = stream.time_base or 1 / rate
        notes += left_out(first)
        orientation = orientation_of(first)
        if orientation.note is not None:
            notes.append(orientation.note)
        tags = _tags(first, context)
        order = field_order_of(first, context)
        notes += _working_notes(tags, "progressive" if deinterlace else order)
        frames = _promised_frames(container, stream, path)
        aspect = _pixel_aspect(stream, notes)
        width, height = first.width, first.height
        if orientation.rotation % 180:
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
            frames=frames or None,
            codec=context.codec.canonical_name,
            pixel_format=layout.name,
            variable_rate=_varies(stream, rate) or ("avi" in container.format.name and _pauses(stream)),
            pixel_aspect=aspect,
            rotation=orientation.rotation,
            mirrored=orientation.mirrored,
            display_matrix=orientation.matrix,
            field_order="progressive" if deinterlace else order,
            deinterlaced=deinterlace,
            colour=tags,
            hdr10=hdr10_of(first),
            timecode=_timecode(container, stream),
            audio_streams=len(container.streams.audio),
            has_alpha=layout.has_palette or has_alpha(layout.name),
            notes=tuple(notes),
        )


def _working_notes(tags: ColourTags, order: FieldOrder) -> list[str]:
    """Note what a person should know of how HDR and interlaced footage is worked on."""
    notes = []
    if tags.transfer in HDR:
        notes.append(
            f"{HDR[tags.transfer]} (HDR): light is mixed, and handed to EXR, by that curve; painters and pictures laid in "
            "take its code values as they are"
        )
    if order != "progressive":
        notes.append(
            f"interlaced, {order} field first: the two fields of each frame are worked on as they lie in it; "
            "--deinterlace makes whole pictures of them"
        )
    return notes


def _pixel_aspect(stream: av.VideoStream, notes: list[str]) -> Fraction:
    """Read the aspect of the stored picture's pixels; one that cannot be meant counts as 1, which ``notes`` gets."""
    aspect = Fraction(stream.sample_aspect_ratio or 1)
    if 1 / _STRETCHED <= aspect <= _STRETCHED:
        return aspect
    if aspect:
        notes.append(f"its pixels' aspect of {aspect} cannot be meant; they are taken for square")
    return Fraction(1)


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
    tags = tags_of(
        _known(frame.color_primaries, context.color_primaries),
        _known(frame.color_trc, context.color_trc),
        _known(frame.colorspace, context.colorspace),
        frame.color_range or context.color_range,
    )
    if frame.format.is_rgb:
        return ColourTags(tags.primaries, tags.transfer, MATRICES[0], "pc")
    if tags.range is None and frame.format.name.startswith("yuvj"):
        return ColourTags(tags.primaries, tags.transfer, tags.matrix, "pc")
    return tags


def _known(first: int, second: int) -> int:
    return int(first) if int(first) not in (0, 2, 3) else int(second)


def _varies(stream: av.VideoStream, rate: Fraction) -> bool:
    """Tell whether the header claims a variable rate: the finest rate that all time stamps fit is not the average one."""
    base = stream.base_rate
    return base is not None and base > 0 and not Fraction(99, 100) < base / rate < Fraction(101, 100)


def _pauses(stream: av.VideoStream) -> bool:
    """Tell whether an AVI's index has instants at which a frame was dropped."""
    entries = stream.index_entries
    return len(entries) > 1 and entries[len(entries) - 1].timestamp - entries[0].timestamp >= len(entries)


def _timecode(container: av.container.InputContainer, stream: av.VideoStream) -> str | None:
    tables = [stream.metadata, container.metadata, *(s.metadata for s in container.streams)]
    for table in tables:
        for key, value in table.items():
            if key.lower() == "timecode" and value:
                return value
    return None


def _promised_frames(container: av.container.InputContainer, stream: av.VideoStream, path: Any) -> int:
    """Count the packets that the file promises; 0 = it promises none. Frames that an edit list hides do not count."""
    kinds = container.format.name.split(",")
    if "mov" in kinds:
        entries = stream.index_entries
        if len(entries) >= stream.frames > 0:
            return sum(1 for entry in entries if not entry.is_discard)
    if "matroska" in kinds or "gif" in kinds:
        result = survey_file(container, stream, path)
        return result.blocks if result is not None and result.intact else 0
    if "avi" in kinds and _whole_riff(path) and 2 * len(stream.index_entries) > stream.frames:
        return len(stream.index_entries)  # the header counts instants, also those at which a frame was dropped
    return stream.frames


def _whole_riff(path: str | os.PathLike[str]) -> bool:
    """Tell whether an AVI file is as long as its first chunk says; else its index, at the end, is missing."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8)[4:], "little")
        return 0 < size + 8 <= file.seek(0, os.SEEK_END)


def read_video(
    spec: FootageSpec,
    start: int,
    stop: int | None,
    pts: Sequence[int] | None,
    size: tuple[int, int] | None,
    damage: Damage,
    *,
    samples: bool = False,
    trusted: bool = False,
) -> Generator[Frame, None, None]:
    """Decode the frames ``start`` up to ``stop`` of a video file, in order. See ``Footage.frames``.

    ``damage`` gets what the decoder conceals or leaves out, where decoding begins at the file's start. ``trusted``: a frame can
    be sought by its time stamp in ``pts`` (``trusts``).
    """
    first = max(0, start - 1) if spec.deinterlaced else start  # fields are seen with those of the frame before
    if first > 0 and pts is not None and start < len(pts) and trusted:
        source = from_keyframe(spec, first, pts, damage)
    else:
        source = from_start(spec, first, damage)
    if spec.deinterlaced:
        source = deinterlaced(source)
    # A rotation that the decoder no longer reports (after a seek, say) still holds: the probe's tells.
    try:
        reader = FrameReader(
            dtype=spec.dtype, tags=spec.colour, height=spec.height if spec.rotation % 180 == 0 else spec.width,
            rotation=spec.rotation, mirrored=spec.mirrored, alpha=spec.has_alpha, size=size,
        )  # fmt: skip
    except ValueError as error:
        raise FootageError(f"{show_path(spec.path)}: {error}") from error
    try:
        if stop is not None and stop <= start:
            return
        for index, stamp, frame in source:
            if index < start:
                continue
            picture, alpha = reader.read(frame)
            planes = planes_of(frame) if samples else ()
            del frame
            yield Frame(index, stamp, picture, alpha, planes)
            if stop is not None and index + 1 >= stop:
                return
    finally:
        source.close()


def trusts(spec: FootageSpec, pts: Sequence[int]) -> bool:
    """Tell whether the file's own time stamps are those of ``pts``: none was repaired, so that a frame can be sought by it."""
    stamps = video_pts(spec.path)
    if stamps is None:
        return False
    return stamps[bisect_left(stamps, pts[0]) :][: len(pts)] == list(pts)


def video_pts(path: str | os.PathLike[str]) -> list[int] | None:
    """Read all time stamps of a video's packets, ascending, without decoding; ``None`` where they cannot be trusted."""
    with open_container(path) as container:
        stream = main_stream(container, path)
        codec = stream.codec_context.codec.canonical_name
        entries = stream.index_entries
        if codec in _INTRA_ONLY and "mov" in container.format.name.split(",") and len(entries) == stream.frames > 0:
            # Every frame stands alone: the index tells all, and a large file need not be read.
            if max(entry.pos + entry.size for entry in entries) > Path(path).stat().st_size:
                return None
            stamps = [entry.timestamp for entry in entries if not entry.is_discard]
        else:
            stamps = []
            tracker = ClockTracker(container, stream)
            try:
                for packet in container.demux(stream):
                    tracker.correct(packet)
                    if tracker.clock.jumps:
                        return None  # a frame cannot be sought by its time
                    if not packet.size:
                        continue
                    if packet.pts is None or packet.is_corrupt:
                        return None
                    if not packet.is_discard:
                        stamps.append(packet.pts)
            except (av.FFmpegError, OSError):
                return None
    stamps.sort()
    return stamps if all(a < b for a, b in pairwise(stamps)) else None
