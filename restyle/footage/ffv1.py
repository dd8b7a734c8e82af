"""Checksums of FFV1's slices (RFC 9043), which FFmpeg's decoder compares for its log alone: they tell whole packets."""

from __future__ import annotations

from zlib import crc32

__all__ = ["intact"]

_TRAILER = 8  # of a slice: its size in three bytes, a status, and a checksum
_MIRRORED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def intact(packet: bytes) -> bool | None:
    """Check all slices of a packet against their checksums; ``None`` if they carry none."""
    data = packet.translate(_MIRRORED)  # zlib computes the same polynomial on mirrored bytes
    end = len(packet)
    agree = True
    while end:
        size = int.from_bytes(packet[end - 8 : end - 5], "big") + _TRAILER
        if end < _TRAILER or size > end:
            return None
        # From 0, and without the final inversion, a slice and its checksum give 0.
        agree = agree and crc32(data[end - size : end], 0xFFFFFFFF) == 0xFFFFFFFF
        end -= size
    return agree
