"""The video stream that is the footage, of those that a file holds."""

from __future__ import annotations

import os

import av
from av.stream import Disposition

from restyle.errors import FootageError, show_path

__all__ = ["chosen_stream", "main_stream"]


def main_stream(container: av.container.InputContainer, path: str | os.PathLike[str]) -> av.VideoStream:
    """Choose the video stream that is the footage. Raises ``FootageError`` if there is none that decodes."""
    return chosen_stream(container, path)[0]


def chosen_stream(
    container: av.container.InputContainer, path: str | os.PathLike[str]
) -> tuple[av.VideoStream, list[str]]:
    """Choose the video stream that is the footage; give notes on those that are not, too.

    Cover pictures are none; the stream flagged as the default counts before others, then the larger picture, then the first.
    Raises ``FootageError`` if there is none that decodes.
    """
    shown = show_path(path)
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        others = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise FootageError(f"{shown} has no video stream, only {others}; give footage with pictures")
    streams = [s for s in moving if s.codec_context is not None]
    if not streams:
        raise FootageError(f"{shown} is no video that can be read: its codec is not known")
    chosen = max(streams, key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height))
    unchosen = [s for s in moving if s is not chosen]
    if not unchosen:
        return chosen, []
    left_out = ", ".join(f"stream {s.index} ({_describe(s)})" for s in unchosen)
    return chosen, [
        f"of {len(moving)} video streams, stream {chosen.index} ({_describe(chosen)}) is the footage; left out: {left_out}"
    ]


def _describe(stream: av.VideoStream) -> str:
    if stream.codec_context is None:
        return "of an unknown codec"
    name = stream.codec_context.codec.canonical_name
    return f"{name}, {stream.width}x{stream.height}"
