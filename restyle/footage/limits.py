"""Limits of a picture's size: what a header claims is looked at before anything is allocated for it."""

from __future__ import annotations

import os
from pathlib import Path

from restyle.errors import FootageError, show_path

__all__ = ["LONGEST_SIDE", "check_size"]

LONGEST_SIDE = 32766
"""OpenCV moves no larger picture along a motion: it counts pixels in 16 bits."""
_BYTES = 3 * 4 * 4
"""Memory a pixel: three channels of floats, held about four times while a frame is worked on."""


def check_size(path: str | os.PathLike[str], width: int, height: int) -> None:
    """Refuse a picture of no size, and one that this machine cannot hold. Raises ``FootageError``."""
    shown = show_path(path)
    if width < 1 or height < 1:
        raise FootageError(f"{shown} is damaged: its header says {width}x{height} pixels")
    if max(width, height) > LONGEST_SIDE:
        raise FootageError(
            f"{shown} is {width}x{height} by its header; pictures of up to {LONGEST_SIDE} pixels a side can be worked on"
        )
    need, available = width * height * _BYTES, _memory()
    if need > available:
        raise FootageError(
            f"{shown} is {width}x{height} by its header: to work on it takes about {_gigabytes(need)} of memory, this machine "
            f"has {_gigabytes(available)}"
        )


def check_packed(path: Path, raw: int, ratio: int) -> None:
    """Refuse a file that is too short for the ``raw`` bytes that its header promises, packed ``ratio`` times at most.

    Raises ``FootageError``."""
    if path.stat().st_size * ratio < raw:
        raise FootageError(
            f"{show_path(path)} is cut off or damaged: its {path.stat().st_size} bytes cannot hold what its header promises"
        )


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
