"""Two things about Matroska files that FFmpeg's interface leaves out (RFC 8794, RFC 9559)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

__all__ = ["PLACEHOLDER", "is_cut_off", "write_pixel_aspect"]

_EBML, _SEGMENT, _TRACKS, _TRACK, _NAME, _VIDEO, _VOID = 0x1A45DFA3, 0x18538067, 0x1654AE6B, 0xAE, 0x536E, 0xE0, 0xEC
_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = 0x54B0, 0x54BA, 0x54B2

PLACEHOLDER = "pixel aspect goes here.."
"""Name given to the video track while it is muxed; ``write_pixel_aspect`` puts the aspect into its room."""


def is_cut_off(path: Path) -> bool:
    """Whether a Matroska or WebM file is shorter than its Segment element says. False for other files, and live streams."""
    with open(path, "rb") as file:
        head = file.read(4096)
    top = _element(head, 0)
    if top is None or top[0] != _EBML or top[2] is None:
        return False
    segment = _element(head, top[1] + top[2])
    return bool(
        segment and segment[0] == _SEGMENT and segment[2] is not None and path.stat().st_size < segment[1] + segment[2]
    )


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
    """The track's children without its name, with a display size in its video element, filled up to the same length."""
    shown_width, shown_height, unit = width * aspect.numerator, height * aspect.denominator, 3  # a bare ratio
    if shown_width % aspect.denominator == 0:
        shown_width, shown_height, unit = shown_width // aspect.denominator, height, 0
    extra = b"".join(
        key.to_bytes(2, "big") + b"\x84" + value.to_bytes(4, "big")
        for key, value in ((_DISPLAY_WIDTH, shown_width), (_DISPLAY_HEIGHT, shown_height), (_DISPLAY_UNIT, unit))
        if key != _DISPLAY_UNIT or value
    )
    made = b""
    for key, body, size, start in _children(track, 0, len(track)):
        content = track[body : body + (size or 0)]
        if key == _NAME:
            continue
        if key == _VIDEO:
            content += extra
            made += bytes([_VIDEO]) + (len(content) | 0x4000).to_bytes(2, "big") + content
        else:
            made += track[start:body] + content
    room = len(track) - len(made) - 2
    return made + bytes([_VOID, 0x80 | room]) + b"\0" * room


def _children(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int | None, int]]:
    """(identifier, start of the body, its size, start of the element) of the elements in a row."""
    while at < end:
        found = _element(data, at)
        if found is None:
            return
        key, body, size = found
        yield key, body, size, at
        if size is None:
            return
        at = body + size


def _element(data: bytes, at: int) -> tuple[int, int, int | None] | None:
    """Identifier, start of the body and size (``None`` = unknown) of the element at a place."""
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
