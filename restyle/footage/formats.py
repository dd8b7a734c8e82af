"""Picture formats, by file name extension and by content."""

from __future__ import annotations

__all__ = ["FORMATS", "UNREAD", "format_of"]

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
