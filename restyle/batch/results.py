"""Results of a batch: of each clip, of all, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from restyle.errors import show_path
from restyle.files.remote import Url
from restyle.progress import Progress

__all__ = ["BatchProgress", "BatchProgressCallback", "ClipResult", "Summary"]


@dataclass(frozen=True)
class ClipResult:
    """The end of one clip."""

    source: Path | Url
    output: Path | Url
    status: Literal["done", "skipped", "failed"]
    reason: str
    """Reason for which it was done or skipped; if it failed, one line with the remedy."""
    error: str = ""
    """Kind of the error, if it failed: a class of ``restyle.errors``."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Frames, shots, painted frames, seconds, report and notes, as ``Result.to_json`` has them; a skipped one's last."""

    @property
    def line(self) -> str:
        """One line for a person, with the clip's name."""
        shown = show_path(self.source if self.status == "failed" else self.output)
        return self.reason if shown in self.reason else f"{shown}: {self.reason}"

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json`` and the log."""
        return {**asdict(self), "source": str(self.source), "output": str(self.output)}


@dataclass
class Summary:
    """Counts of a batch so far."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    left: int = 0
    """Clips that were not begun, because the disk is full."""
    frames: int = 0
    """Of the clips that were done."""
    seconds: float = 0.0

    @property
    def clips(self) -> int:
        """Clips that came to an end."""
        return self.done + self.skipped + self.failed

    def count(self, result: ClipResult) -> None:
        """Count one more clip."""
        setattr(self, result.status, getattr(self, result.status) + 1)
        if result.status == "done":
            self.frames += int(result.facts.get("frames", 0))


@dataclass(frozen=True)
class BatchProgress:
    """Progress of a batch at one moment."""

    done: int
    """Clips that came to an end, whatever it was."""
    total: int | None
    """Clips in all; ``None`` while a folder is watched."""
    running: Mapping[str, Progress]
    """Name of a clip's result -> how far that clip is."""
    left: float | None
    """Seconds that are left, or ``None`` while nobody can tell."""


BatchProgressCallback = Callable[[BatchProgress], None]
