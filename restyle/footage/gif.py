"""A walk over a GIF's blocks, to see that it is whole: FFmpeg's reader takes the end of the file for the end of the film.

Source: GIF89a, the W3C's page.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from restyle.footage.matroska import Survey

__all__ = ["survey_gif"]

_EXTENSION, _IMAGE, _TRAILER = b"!", b",", b";"
_PADDING = 256  # bytes


def survey_gif(path: str | os.PathLike[str]) -> Survey | None:
    """Count the pictures of a GIF that are whole, without decoding; intact if they all are. ``None``: no GIF.

    A file that lacks its end mark alone, as some writers leave it, counts as intact.
    """
    with open(path, "rb") as file:
        head = file.read(13)
        if head[:3] != b"GIF" or len(head) < 13:
            return None
        file.seek(_table(head[10]), os.SEEK_CUR)
        pictures = 0
        while True:
            kind = file.read(1)
            if kind in (_TRAILER, b""):
                return Survey(pictures, intact=True)
            if kind == b"\0":  # a little padding, or the zeros of a download that was broken off
                rest = file.read()
                return Survey(pictures, intact=len(rest) < _PADDING or rest.lstrip(b"\0").startswith(_TRAILER))
            if kind == _EXTENSION:
                whole = len(file.read(1)) == 1 and _skip_blocks(file)
            elif kind == _IMAGE:
                descriptor = file.read(9)
                whole = len(descriptor) == 9
                if whole:
                    file.seek(_table(descriptor[8]) + 1, os.SEEK_CUR)
                    whole = _skip_blocks(file)
                pictures += whole
            else:
                whole = False
            if not whole:
                return Survey(pictures, intact=False)


def _table(flags: int) -> int:
    """Size in bytes of the colour table that a packed field tells of."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _skip_blocks(file: BinaryIO) -> bool:
    """Step over data blocks up to the empty one; ``False``: the file ends before it."""
    while size := file.read(1):
        if size == b"\0":
            return True
        if len(file.read(size[0])) < size[0]:
            return False
    return False
