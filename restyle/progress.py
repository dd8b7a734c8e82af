"""Progress of long work while it runs, and its cancelling."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from restyle.errors import Cancelled

__all__ = ["STAGE_NAMES", "Meter", "Progress", "ProgressCallback"]

Stage = Literal["analyse", "mattes", "plates", "maps", "render", "report", "finish"]

STAGE_NAMES: Mapping[Stage, str] = {
    "analyse": "looking",
    "mattes": "following",
    "plates": "clearing",
    "maps": "mapping",
    "render": "restyling",
    "report": "looking back",
    "finish": "joining",
}
"""Each stage as a person is told of it."""


@dataclass(frozen=True)
class Progress:
    """Progress of the work at one moment."""

    stage: Stage
    done: int
    """Frames done in this stage."""
    total: int | None
    """Frames in all, or ``None`` while nobody knows."""
    rate: float
    """Frames a second, over the last seconds."""
    left: float | None
    """Seconds left in this stage, or ``None``."""
    shot: int | None = None
    shots: int | None = None
    doing: str = ""
    """A few words: ``"painting frame 48"``."""


ProgressCallback = Callable[[Progress], None]


class Meter:
    """Counts frames, tells a callback, and stops the work (``Cancelled``) when the event is set."""

    def __init__(self, callback: ProgressCallback | None = None, cancel: threading.Event | None = None) -> None:
        self._callback = callback
        self._cancel = cancel
        self._stage: Stage = "analyse"
        self._total: int | None = None
        self._done = self._fresh = 0
        self._began = time.monotonic()
        self._shot: int | None = None
        self._shots: int | None = None

    def begin(self, stage: Stage, total: int | None, *, shots: int | None = None) -> None:
        """Start a stage."""
        self._stage, self._total, self._shots, self._shot = stage, total, shots, None
        self._done = self._fresh = 0
        self._began = time.monotonic()
        self.report("")

    def skip(self, frames: int) -> None:
        """Count frames that an earlier run finished: they do not count for the rate."""
        self._done += frames
        self.report("already done")

    def step(self, doing: str = "", *, shot: int | None = None) -> None:
        """Count one frame. Raises ``Cancelled``."""
        self._done += 1
        self._fresh += 1
        self._shot = shot if shot is not None else self._shot
        self.report(doing)

    def report(self, doing: str) -> None:
        """Report without counting. Raises ``Cancelled``."""
        if self._cancel is not None and self._cancel.is_set():
            raise Cancelled("stopped; what is finished is kept: the same command goes on from there")
        if self._callback is None:
            return
        spent = max(time.monotonic() - self._began, 1e-6)
        rate = self._fresh / spent
        left = (self._total - self._done) / rate if self._total is not None and rate > 0 else None
        self._callback(Progress(self._stage, self._done, self._total, rate, left, self._shot, self._shots, doing))
