"""Formats of pictures and clips, by file name extension and by content."""

from __future__ import annotations

__all__ = ["CLIPS", "FORMATS", "UNREAD", "format_of"]

FORMATS = {
    ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".tiff": "tiff", ".webp": "webp", ".exr": "exr",
}  # fmt: skip
"""Picture format by file name extension."""

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"\x76\x2f\x31\x01", "exr"),
    (b"II*\0", "tiff"), (b"MM\0*", "tiff"), (b"II+\0", "tiff"), (b"MM\0+", "tiff"),
)  # fmt: skip


def format_of(head: bytes) -> str | None:
    """Name the picture format whose files begin as ``head`` (16 bytes are enough) does; ``None``: none that is read."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return next((kind for beginning, kind in _BEGINNINGS if head.startswith(beginning)), None)


UNREAD = frozenset({
    ".dpx", ".cin", ".sxr", ".bmp", ".tga", ".hdr", ".jp2", ".j2k", ".heic", ".heif", ".avif", ".jxl", ".psd", ".sgi", ".iff",
    ".ppm", ".pgm", ".gif", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raw",
})  # fmt: skip
"""Extensions of picture formats that are known, but not read as a sequence: named in messages."""

CLIPS = frozenset({
    ".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".mxf", ".gxf", ".mpg", ".mpeg", ".m2v", ".mp2v", ".vob", ".ts",
    ".mts", ".m2ts", ".wmv", ".asf", ".flv", ".f4v", ".ogv", ".3gp", ".3g2", ".dv", ".nut", ".y4m", ".ivf", ".h264", ".264",
    ".h265", ".hevc", ".265", ".av1", ".obu", ".gif", ".apng", ".mjpg", ".mjpeg", ".rm", ".rmvb", ".wtv",
})  # fmt: skip
"""Extensions by which a folder's files are taken for clips. What is in them is looked at when they are opened."""
