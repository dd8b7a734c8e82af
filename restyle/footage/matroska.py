"""Matroska files, as far as FFmpeg's interface leaves them out (RFC 8794, RFC 9559): a survey, and the pixel aspect."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

__all__ = ["PLACEHOLDER", "Survey", "survey", "write_pixel_aspect"]

_EBML, _SEGMENT, _TRACKS, _TRACK, _NAME, _VIDEO, _VOID = 0x1A45DFA3, 0x18538067, 0x1654AE6B, 0xAE, 0x536E, 0xE0, 0xEC
_TRACK_TYPE, _TRACK_NUMBER, _CODEC = 0x83, 0xD7, 0x86
_CLUSTER, _SIMPLE_BLOCK, _BLOCK_GROUP, _BLOCK = 0x1F43B675, 0xA3, 0xA0, 0xA1
_LEVELS = {
    _TRACKS, _CLUSTER, _SIMPLE_BLOCK, _BLOCK_GROUP, _VOID,
    0xBF, 0xE7, 0xA7, 0xAB, 0x5854, 0xAF,  # CRC-32; a cluster's time stamp, position, previous size, silent tracks
    0x114D9B74, 0x1549A966, 0x1C53BB6B, 0x1043A770, 0x1941A469, 0x1254C367,  # seek head, info, cues, chapters, files, tags
}  # fmt: skip
"""Elements that may lie directly in a segment or in a cluster."""
_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = 0x54B0, 0x54BA, 0x54B2

PLACEHOLDER = "pixel aspect goes here.."
"""Name given to the video track while it is muxed; ``write_pixel_aspect`` puts the aspect into its room."""


@dataclass(frozen=True)
class Survey:
    """Findings of a walk over the elements of a Matroska file."""

    blocks: int
    """Packets of the video track up to the end, or up to the damage."""
    intact: bool
    """Every element is whole and known, up to the end that the Segment tells."""


def survey(path: str | os.PathLike[str], track_index: int = 0) -> Survey | None:
    """Count the packets of a Matroska or WebM file's video track, without reading them, and see whether it is whole.

    ``track_index``: which of the video tracks, from 0.

    ``None`` for another kind of file, and where packets and frames are not the same: laced, or a sound file of VP8, which has
    hidden frames.
    """
    with open(path, "rb") as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            return None
        with data:
            top = _element(data, 0)
            if top is None or top[0] != _EBML or top[2] is None:
                return None
            segment = _element(data, top[1] + top[2])
            if segment is None or segment[0] != _SEGMENT:
                return None
            return _walk(data, segment[1], len(data) if segment[2] is None else segment[1] + segment[2], track_index)


def _walk(data: mmap.mmap, at: int, end: int, track_index: int) -> Survey | None:
    track: _Track | None = None
    blocks = 0
    while at < end:
        element = _element(data, at)
        if element is None or element[0] not in _LEVELS:
            return Survey(blocks, intact=False)
        key, body, size = element
        if key == _CLUSTER:
            at = body  # its children follow in the same row
            continue
        if size is None or body + size > len(data):
            return Survey(blocks, intact=False)
        if key == _TRACKS:
            track = _video_track(data, body, body + size, track_index)
            if track is None:
                return None
        elif key in (_SIMPLE_BLOCK, _BLOCK_GROUP):
            block = body
            if key == _BLOCK_GROUP:
                block = next((inner for name, inner, _, _ in _children(data, body, body + size) if name == _BLOCK), -1)
                if block < 0:
                    return Survey(blocks, intact=False)
            length = 9 - data[block].bit_length() if data[block] else 8
            number = int.from_bytes(data[block : block + length], "big") & ((1 << 7 * length) - 1)
            if track is not None and number == track.number:
                if data[block + length + 2] & 0x06:
                    return None
                blocks += 1
        at = body + size
    return None if track is not None and track.hides else Survey(blocks, intact=True)


@dataclass(frozen=True)
class _Track:
    number: int
    hides: bool
    """True if some of its packets give no picture of their own."""


def _video_track(data: mmap.mmap, at: int, end: int, track_index: int) -> _Track | None:
    """Find a video track. ``track_index``: which of them, from 0."""
    for key, body, size, _ in _children(data, at, end):
        if key != _TRACK:
            continue
        fields = {
            name: data[start : start + (length or 0)]
            for name, start, length, _ in _children(data, body, body + (size or 0))
        }
        if fields.get(_TRACK_TYPE) == b"\x01" and (track_index := track_index - 1) < 0:
            return _Track(int.from_bytes(fields.get(_TRACK_NUMBER, b"\0"), "big"), fields.get(_CODEC) == b"V_VP8")
    return None


def write_pixel_aspect(path: Path, width: int, height: int, aspect: Fraction) -> None:
    """Give the video track its display size, in place of its name, which must be ``PLACEHOLDER``.

    PyAV cannot set the aspect of a stream (``AVStream.sample_aspect_ratio``), and VP9, AV1, FFV1 and ProRes do not carry it in
    their packets. The track's element keeps its length, so that nothing behind it moves.
    """
    with open(path, "r+b") as file:
        head = file.read(1 << 20)
        segment = next((body, size) for key, body, size, _ in _children(head, 0, len(head)) if key == _SEGMENT)
        end = len(head) if segment[1] is None else min(len(head), segment[0] + segment[1])
        tracks = next((body, size) for key, body, size, _ in _children(head, segment[0], end) if key == _TRACKS)
        for key, body, size, _ in _children(head, tracks[0], tracks[0] + (tracks[1] or 0)):
            track = head[body : body + (size or 0)]
            if key == _TRACK and PLACEHOLDER.encode() in track:
                file.seek(body)
                file.write(_with_display(track, width, height, aspect))


def _with_display(track: bytes, width: int, height: int, aspect: Fraction) -> bytes:
    """Rebuild the track's children without its name, with a display size in its video element, filled up to the same length."""
    if max(width * aspect.numerator, height * aspect.denominator) >> 32:
        aspect = aspect.limit_denominator(512)
    shown_width, shown_height, unit = width * aspect.numerator, height * aspect.denominator, 3  # a bare ratio
    if shown_width % aspect.denominator == 0:
        shown_width, shown_height, unit = shown_width // aspect.denominator, height, 0
    extra = b"".join(
        key.to_bytes(2, "big") + b"\x84" + value.to_bytes(4, "big")
        for key, value in ((_DISPLAY_WIDTH, shown_width), (_DISPLAY_HEIGHT, shown_height), (_DISPLAY_UNIT, unit))
        if key != _DISPLAY_UNIT or value
    )
    rebuilt = b""
    for key, body, size, start in _children(track, 0, len(track)):
        content = track[body : body + (size or 0)]
        if key == _NAME:
            continue
        if key == _VIDEO:
            content += extra
            rebuilt += bytes([_VIDEO]) + (len(content) | 0x4000).to_bytes(2, "big") + content
        else:
            rebuilt += track[start:body] + content
    room = len(track) - len(rebuilt) - 2
    return rebuilt + bytes([_VOID, 0x80 | room]) + b"\0" * room


def _children(data: bytes | mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int | None, int]]:
    """Give (identifier, start of the body, its size, start of the element) of the elements in a row."""
    while at < end:
        element = _element(data, at)
        if element is None:
            return
        key, body, size = element
        yield key, body, size, at
        if size is None:
            return
        at = body + size


def _element(data: bytes | mmap.mmap, at: int) -> tuple[int, int, int | None] | None:
    """Read identifier, start of the body and size (``None`` = unknown) of the element at a byte."""
    if at + 2 > len(data) or data[at] == 0:
        return None
    length = 9 - data[at].bit_length()
    key = int.from_bytes(data[at : at + length], "big")
    at += length
    if at >= len(data) or data[at] == 0:
        return None
    length = 9 - data[at].bit_length()
    mask = (1 << 7 * length) - 1
    size = int.from_bytes(data[at : at + length], "big") & mask
    return key, at + length, None if size == mask else size
