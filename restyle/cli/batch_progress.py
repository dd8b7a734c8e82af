"""Progress of a batch: bars on a terminal, one a job and one for all, and plain lines in a log."""

from __future__ import annotations

import sys
import time
from typing import Any, Self

from restyle.batch.results import BatchProgress, ClipResult
from restyle.cli.progress import Closing, count, duration, facts_of
from restyle.errors import show_path
from restyle.progress import STAGE_NAMES

__all__ = ["BatchBars", "BatchDisplay", "BatchLines", "batch_display"]

EVERY = 10.0  # seconds between two lines of a log


class BatchDisplay(Closing):
    """Base of the displays; shows nothing (``-q``). It is called with every ``BatchProgress``."""

    def __call__(self, now: BatchProgress) -> None:
        """Take notice."""

    def ended(self, result: ClipResult) -> None:
        """Take notice of a clip's end."""


class BatchLines(BatchDisplay):
    """A line for each clip that ended, and one now and then about those that are worked on; ``verbose``: skipped ones, too."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._last = time.monotonic()

    def __call__(self, now: BatchProgress) -> None:
        """Print lines where they are due."""
        if time.monotonic() - self._last < EVERY:
            return
        self._last = time.monotonic()
        print(f"restyle: {total_of(now)}", file=sys.stderr)
        for name, progress in now.running.items():
            stage = STAGE_NAMES.get(progress.stage, progress.stage)
            print(f"restyle:   {name}: {stage}: {', '.join(facts_of(progress))}", file=sys.stderr)
        sys.stderr.flush()

    def ended(self, result: ClipResult) -> None:
        """Print a line."""
        if result.status != "skipped" or self._verbose:
            print(f"restyle: {line_of(result)}", file=sys.stderr, flush=True)


class BatchBars(BatchDisplay):
    """Bars that stay in their lines, and a line above them for each clip that ended."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress
        from rich.table import Column

        self._bars = RichProgress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, max_width=40)),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[facts]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=Console(stderr=True, markup=False, highlight=False, emoji=False),
            transient=True,
        )
        self._all: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __call__(self, now: BatchProgress) -> None:
        """Move the bars."""
        if self._all is None:
            self._all = self._bars.add_task("all clips", total=now.total, facts="")
        self._bars.update(self._all, completed=now.done, total=now.total, facts=total_of(now))
        for name in self._tasks.keys() - now.running.keys():
            self._bars.remove_task(self._tasks.pop(name))
        for name, progress in now.running.items():
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(name, facts="")
            stage = STAGE_NAMES.get(progress.stage, progress.stage)
            self._bars.update(
                self._tasks[name],
                completed=progress.done,
                total=progress.total,
                facts=f"{stage}: {', '.join(facts_of(progress))}",
            )

    def ended(self, result: ClipResult) -> None:
        """Print a line above the bars."""
        if result.status != "skipped":
            self._bars.console.print(line_of(result), soft_wrap=True)

    def close(self) -> None:
        """Take the bars away."""
        self._bars.stop()


def batch_display(*, quiet: bool = False, verbose: bool = False) -> BatchDisplay:
    """Choose the display that fits what stderr is: a terminal or a log."""
    if quiet:
        return BatchDisplay()
    return BatchBars() if sys.stderr.isatty() else BatchLines(verbose=verbose)


def total_of(now: BatchProgress) -> str:
    """``12/40 clips, about 2 h 05 min left``."""
    clips = count(now.done, "clip") if now.total is None else f"{now.done}/{now.total} clips"
    return clips if now.left is None or now.left < 1 else f"{clips}, about {duration(now.left)} left"


def line_of(result: ClipResult) -> str:
    """One line about a clip that ended."""
    if result.status == "failed":
        return f"failed {result.line}"
    took = f", {duration(result.facts['seconds'])}" if result.status == "done" else ""
    return f"{result.status} {show_path(result.output)} ({result.reason}{took})"
