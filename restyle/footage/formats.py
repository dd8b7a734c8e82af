"""Picture formats by file name extension."""

from __future__ import annotations

__all__ = ["FORMATS", "UNREAD"]

FORMATS = {
    ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".tiff": "tiff", ".webp": "webp", ".exr": "exr",
}  # fmt: skip
"""Picture format by file name extension."""

UNREAD = frozenset({
    ".dpx", ".cin", ".sxr", ".bmp", ".tga", ".hdr", ".jp2", ".j2k", ".heic", ".heif", ".avif", ".jxl", ".psd", ".sgi", ".iff",
    ".ppm", ".pgm", ".gif", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raw",
})  # fmt: skip
"""Extensions of picture formats that are known, but not read as a sequence: named in messages."""
