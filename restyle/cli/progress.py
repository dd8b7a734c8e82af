"""Progress, as a bar on a terminal and as plain lines in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

from restyle.progress import STAGE_NAMES, Progress

__all__ = ["Bar", "Closing", "Display", "Lines", "count", "display", "duration", "facts_of", "line_of", "size"]

EVERY = 5.0  # seconds between two lines of a log
STEP = 10  # per cent between them, where the work is quick


class Closing:
    """Base of what shows progress for as long as a ``with`` block lasts."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the display: no more is to come."""


class Display(Closing):
    """Base of the displays; shows nothing (``-q``). It is called with every ``Progress``."""

    def __call__(self, now: Progress) -> None:
        """Take notice."""


class Lines(Display):
    """A line about every five seconds or ten per cent, and one for each stage; ``verbose``: one for each thing it does."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._stage = ""
        self._last = 0.0
        self._tenth = 0
        self._doing = ""
        self._shown: Progress | None = None
        self._newest: Progress | None = None

    def __call__(self, now: Progress) -> None:
        """Print a line where one is due."""
        clock = time.monotonic()
        if now.stage != self._stage:
            self.close()
            self._stage, self._tenth, self._last, self._doing = now.stage, 0, clock, ""
            self._newest = self._shown = None
        self._newest = now
        tenth = now.done * 100 // now.total // STEP if now.total else 0
        news = self._verbose and now.doing.startswith("painting") and now.doing != self._doing
        if clock - self._last >= EVERY or (tenth > self._tenth and clock - self._last >= 1) or news:
            self._print(now)
            self._last, self._tenth, self._doing = clock, tenth, now.doing

    def close(self) -> None:
        """Print the last line of a stage."""
        if self._newest is not None and self._newest.done and self._newest is not self._shown:
            self._print(self._newest)

    def _print(self, now: Progress) -> None:
        self._shown = now
        print(line_of(now, verbose=self._verbose), file=sys.stderr, flush=True)


class Bar(Display):
    """A bar that stays in its line."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress
        from rich.table import Column

        # Nothing of ours is markup: a bracket in what is shown stays a bracket.
        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[facts]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=Console(stderr=True, markup=False, highlight=False, emoji=False),
            transient=True,
        )
        self._task: Any = None
        self._stage = ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __call__(self, now: Progress) -> None:
        """Show the newest progress."""
        if now.stage != self._stage:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(STAGE_NAMES.get(now.stage, now.stage), total=now.total, facts="")
            self._stage = now.stage
        joining = now.stage == "finish" and not now.done  # quick, and not counted: the bar only moves to and fro
        facts = [] if joining else [*facts_of(now), now.doing]
        self._bar.update(
            self._task, completed=now.done, total=None if joining else now.total, facts=", ".join(filter(None, facts))
        )

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()


def display(*, quiet: bool = False, verbose: bool = False) -> Display:
    """Choose the display that fits what stderr is: a terminal or a log."""
    if quiet:
        return Display()
    return Bar() if sys.stderr.isatty() else Lines(verbose=verbose)


def facts_of(now: Progress) -> list[str]:
    """``["96/240 frames", "shot 2/3", "12.3 frames/s", "about 12 s left"]``; what is not known is left out."""
    facts = [f"{now.done}/{now.total} frames" if now.total is not None else f"{now.done} frames"]
    if now.shot is not None and now.shots is not None:
        facts.append(f"shot {now.shot + 1}/{now.shots}")
    if now.rate > 0:
        facts.append(f"{now.rate:.1f} frames/s")
    if now.left is not None and now.left >= 1:
        facts.append(f"about {duration(now.left)} left")
    return facts


def line_of(now: Progress, *, verbose: bool = False) -> str:
    """One line of a log."""
    share = f" {100 * now.done // now.total:3d} %" if now.total else ""
    doing = f" ({now.doing})" if verbose and now.doing else ""
    return f"restyle: {STAGE_NAMES.get(now.stage, now.stage)}{share}: {', '.join(facts_of(now))}{doing}"


def duration(seconds: float) -> str:
    """``8 s``, ``3 min 20 s``, ``1 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def count(number: int, noun: str) -> str:
    """``1 shot``, ``3 shots``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def size(number: float) -> str:
    """``512 B``, ``3.4 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
