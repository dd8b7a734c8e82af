"""The excerpt of a source that an output repeats."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from restyle.footage.clock import Clock

__all__ = ["Excerpt"]


@dataclass(frozen=True)
class Excerpt:
    """A stretch of a video file, whose streams beside the pictures come along into an output."""

    path: str
    """The source file."""
    clock: Clock
    """The source's clock."""
    origin: Fraction
    """Seconds, on that clock, that become 0 in the output."""
    end: Fraction
    """Seconds, on that clock, at which the output ends."""
    trim_start: bool
    """True if what comes before ``origin`` is left out."""
    trim_end: bool
    """True if what comes after ``end`` is left out."""

    def seek(self, media: Any, run_up: Fraction) -> None:
        """Move the opened source to ``run_up`` seconds before the origin, where that can be sought."""
        if self.trim_start and not self.clock.jumps:
            with suppress(av.FFmpegError, OSError):
                media.seek(int((self.origin - run_up) * 1_000_000), backward=True)
