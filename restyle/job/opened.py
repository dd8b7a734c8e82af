"""A job that is open, so that windows of it can be made, here or by many at once; and what of that travels between processes.

Many workers can work on one job: each opens it for itself, makes windows that it is told, and puts them into the job folder
under their keys. So nothing but numbers and words goes from one to the other, and whoever joins the windows need not know
who made them, nor whether it was in this run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from restyle.job.assembly import Assembly
from restyle.job.findings import Findings
from restyle.job.inputs import FileFacts, Inputs
from restyle.job.windows import Windows
from restyle.progress import Meter
from restyle.render.engine import Engine

__all__ = ["Begun", "Earlier", "OpenJob", "WindowToMake"]

MOST_KNOWN = 64  # files whose digests are handed to every worker; of more, each finds them for itself


@dataclass(frozen=True)
class WindowToMake:
    """A window that is missing."""

    shot: int
    index: int
    frames: int
    free: bool
    """It can be made at once: it need not wait for the painting of the window before it in its shot."""


@dataclass(frozen=True)
class Begun:
    """A job of which nothing but windows, and their joining, is left to do."""

    frames: int
    shots: int
    missing: tuple[WindowToMake, ...]
    seconds: float
    known: Mapping[str, FileFacts]
    """Digests of the files that were read, if there are few."""

    @property
    def reused(self) -> int:
        """Frames that were finished before."""
        return self.frames - sum(window.frames for window in self.missing)


@dataclass(frozen=True)
class Earlier:
    """Work of others on a run before the windows are joined."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    """Stage -> time that it took, of all workers together."""
    reused: int | None = None
    """Frames that had been finished before the run; ``None``: all that are finished now."""
    notes: tuple[str, ...] = ()
    """Of painters."""


@dataclass(frozen=True)
class OpenJob:
    """All that a job's windows are made with."""

    inputs: Inputs
    findings: Findings
    assembly: Assembly
    windows: Windows
    engine: Engine
    meter: Meter
    seconds: float
    """That it took to open it."""

    @property
    def painters_notes(self) -> list[str]:
        """Lines of the painters for a person."""
        return [note for look in self.assembly.looks for note in look.painter.notes]

    def begun(self, seconds: float) -> Begun:
        """Say what is left to do."""
        missing = self.windows.unfinished
        wanted = {(window.shot, window.index) for window in missing}
        chained = self.engine.chained
        known = self.inputs.facts
        return Begun(
            frames=self.windows.plan.frames,
            shots=len(self.windows.plan.shots),
            missing=tuple(
                WindowToMake(
                    window.shot,
                    window.index,
                    window.stop - window.start,
                    free=not chained or (window.shot, window.index - 1) not in wanted or self.windows.painted(window),
                )
                for window in missing
            ),
            seconds=seconds,
            known=known if len(known) <= MOST_KNOWN else {},
        )

    def make(self, shot: int, index: int, painted: Callable[[], None]) -> float:
        """Make one window, if it is not there; gives the seconds. ``painted`` is called when the next may be painted.

        Raises ``FootageError``, ``PainterError``, ``OutputError``, ``JobLockedError``, ``Cancelled``."""
        began = time.perf_counter()
        window = self.windows.window(shot, index)
        with self.windows.store.held():
            self.meter.begin("render", window.stop - window.start)
            if not self.windows.has(window):
                self.windows.make([window], self.engine, self.meter, lambda _: painted())
        return time.perf_counter() - began
