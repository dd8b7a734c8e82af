"""A check of PNGs before they are decoded: libpng writes of damage on standard error, whoever calls it."""

from __future__ import annotations

import os
from zlib import crc32

__all__ = ["check_png"]

_SIGNATURE = 8


def check_png(path: str | os.PathLike[str]) -> None:
    """Raise ``ValueError``, a few words, unless all that a PNG needs is there and agrees with its checksums.

    Other chunks (their names begin with a small letter) may be damaged: decoders step over them.
    """
    with open(path, "rb") as file:
        file.seek(_SIGNATURE)
        while True:
            head = file.read(8)
            if len(head) < 8:
                raise ValueError("it is cut off")
            name, length = head[4:], int.from_bytes(head[:4], "big")
            data, checksum = file.read(length), file.read(4)
            if len(checksum) < 4:
                raise ValueError("it is cut off")
            if name[:1].isupper() and crc32(data, crc32(name)) != int.from_bytes(checksum, "big"):
                raise ValueError("its data disagree with their checksum")
            if name == b"IEND":
                return
