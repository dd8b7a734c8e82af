"""Broken ends of files, of the formats in which FFmpeg's reader steps over them without a word."""

from __future__ import annotations

import os

__all__ = ["broken_stream_end", "broken_within_frame"]

_PACKET, _SYNC = 188, b"G"  # of a transport stream (ISO/IEC 13818-1)


def broken_stream_end(path: str | os.PathLike[str], container: str) -> bool:
    """Tell whether a transport stream ends within a packet, or in something else: cut off, or a download that left zeros; or a
    bare stream of JPEGs before the last one's end mark.

    ``container``: its name as FFmpeg has it. Other formats, and packets of other sizes, count as sound.
    """
    if container in ("mjpeg", "jpeg_pipe"):
        with open(path, "rb") as file:
            file.seek(-min(4096, os.fstat(file.fileno()).st_size), os.SEEK_END)
            return not file.read().rstrip(b"\0\r\n").endswith(b"\xff\xd9")
    if container != "mpegts":
        return False
    with open(path, "rb") as file:
        head = file.read(_PACKET + 1)
        if head[:1] != _SYNC or head[_PACKET:] != _SYNC:
            return False
        whole, rest = divmod(os.fstat(file.fileno()).st_size, _PACKET)
        file.seek((whole - 1) * _PACKET)
        return rest > 0 or file.read(1) != _SYNC


def broken_within_frame(path: str | os.PathLike[str], container: str, end: int) -> bool:
    """Tell whether bytes follow, or are missing from, the last frame of a file of nothing but frames. ``end``: its end."""
    return container in ("yuv4mpegpipe", "obu", "dv") and end != os.stat(path).st_size
