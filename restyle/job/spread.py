"""One job spread over workers: its tasks, each as soon as it can be done.

The footage is surveyed for cuts, and looked at between them by many at once, where others have nothing better to do; then the
job is begun, and its windows are made. Where a painter's windows chain, one may be painted when the one before it in its
shot has been, but need not wait until that one's other frames are filled, composited and encoded: it begins when the word comes
that the paintings are kept. Shots do not wait for each other. In the end the windows are joined.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from restyle import errors
from restyle.engines import Engine, Outcome, Task, Work
from restyle.errors import Cancelled, RestyleError
from restyle.job.opened import Begun, Earlier, WindowToMake
from restyle.job.order import JobOrder
from restyle.job.result import Result
from restyle.job.tasks import Finished, JobTask, Kind, Painted, Surveyed
from restyle.job.worker import JobWorker, Spent
from restyle.progress import Progress, ProgressCallback

__all__ = ["OneJob", "Spread", "run_spread"]

Place = tuple[int, int]
"""Shot, and number of the window in it."""


class Spread:
    """A job's tasks. ``name``: begins the name of each. ``alone``: windows that are not worth spreading. ``divided``: the
    footage is looked at span by span, which takes one more decoding of it, small, and leaves nobody idle.

    ``memory``: bytes that each task may take. ``progress`` is called with how far the whole job is.
    """

    def __init__(
        self,
        order: JobOrder,
        name: str,
        *,
        alone: int = 1,
        divided: bool = True,
        memory: int = 0,
        progress: Callable[[Progress], None] = lambda now: None,
    ) -> None:
        self._order, self._name, self._alone, self._memory, self._progress = order, name, alone, memory, progress
        self._divided = divided
        self._phase = "new"
        self._spans: deque[tuple[int, int]] = deque()
        self._begun: Begun | None = None
        self._ready: dict[Place, WindowToMake] = {}
        self._waiting: dict[Place, WindowToMake] = {}
        self._frames: dict[Place, int] = {}
        self._weights: dict[int, int] = defaultdict(int)  # of each shot, frames that are still to be made
        self._running: dict[str, int] = {}  # task -> frames of it that are done
        self._done = self._to_look_at = 0
        self._failed: Outcome | None = None
        self._since = self._stage_since = 0.0
        self._spent: list[Spent] = []

    @property
    def begun(self) -> bool:
        """True if its first task was handed out."""
        return self._phase != "new"

    def take(self, near: tuple[Any, ...] = ()) -> JobTask | None:
        """Give the next task; ``None``: there is none just now. ``near``: place of the last task of who asks."""
        if self._failed is not None:
            return None
        if self._phase == "new":
            self._since = time.perf_counter()
            if self._divided:
                self._phase = "surveying"
                return self._task("survey", first=True)
            self._phase = "beginning"
            return self._task("begin", alone=self._alone, first=True)
        if self._spans:
            span = self._spans.popleft()
            return self._task("look", f" {span[0]}", span=span)
        if self._phase == "looking" and not self._running:
            self._phase = "beginning"
            return self._task("begin", alone=self._alone)
        if self._ready:
            return self._window(self._nearest(near))
        if self._phase == "windows" and not self._waiting and not self._running:
            self._phase = "joining"
            return self._task("finish", known=self._facts_known, earlier=self._earlier())
        return None

    def _nearest(self, near: tuple[Any, ...]) -> Place:
        """The window after the one that was made last, for which all is open; else the first of the shot with most to do."""
        if near[:1] == (self._name,) and len(near) == 3 and (near[1], near[2] + 1) in self._ready:
            return near[1], near[2] + 1
        return max(self._ready, key=lambda place: (self._weights[place[0]], -place[0], -place[1]))

    def _window(self, place: Place) -> JobTask:
        window = self._ready.pop(place)
        self._weights[place[0]] -= window.frames
        shot, index = place
        return self._task("window", f" {shot}.{index}", shot=shot, index=index, known=self._facts_known)

    def _task(self, kind: Kind, more: str = "", **special: Any) -> JobTask:
        place = (special["shot"], special["index"]) if kind == "window" else ()
        task = JobTask(
            f"{self._name}: {kind}{more}", self._memory, (self._name, *place), order=self._order, kind=kind, **special
        )
        self._running[task.name] = 0
        return task

    @property
    def _facts_known(self) -> Any:
        return {} if self._begun is None else self._begun.known

    def hear(self, task: JobTask, message: Any) -> None:
        """Take notice of what a worker tells."""
        if isinstance(message, Painted):
            self._let_go(message.shot, message.index)
        elif isinstance(message, Progress):
            if task.kind not in ("look", "window"):
                self._progress(message)
                return
            self._running[task.name] = message.done
            if task.kind == "look":
                self._show_looking(message.doing)
            else:
                self._show(message.shot, message.doing)

    def _let_go(self, shot: int, index: int) -> None:
        """Let the window after one that is painted be painted."""
        window = self._waiting.pop((shot, index + 1), None)
        if window is not None:
            self._ready[shot, index + 1] = window

    def end(self, task: JobTask, outcome: Outcome) -> Outcome | None:
        """Take a task's outcome; gives the whole job's, when it has come to an end: its value is ``Finished``."""
        self._running.pop(task.name, None)
        if outcome.ended != "done":
            self._failed = self._failed or replace(outcome, name=self._name)
        else:
            spent: Spent = outcome.value
            self._spent.append(spent)
            if isinstance(spent.value, Finished):
                return Outcome(self._name, "done", value=self._whole(spent.value))
            if isinstance(spent.value, Surveyed):
                self._phase = "looking"
                self._spans.extend(spent.value.spans)
                self._to_look_at = sum(stop - start for start, stop in spent.value.spans)
                self._stage_since = time.perf_counter()
            elif task.kind == "look":
                self._done += task.span[1] - task.span[0]
                self._show_looking("")
            elif isinstance(spent.value, Begun):
                self._spread(spent.value)
            else:
                self._done += self._frames[task.shot, task.index]
                self._let_go(task.shot, task.index)  # it may have been made before, and then nobody tells
                self._show(task.shot, "")
        return self._failed if self._failed is not None and not self._running else None

    def _spread(self, begun: Begun) -> None:
        self._phase, self._begun = "windows", begun
        self._done, self._stage_since = begun.reused, time.perf_counter()
        for window in begun.missing:
            (self._ready if window.free else self._waiting)[window.shot, window.index] = window
            self._frames[window.shot, window.index] = window.frames
            self._weights[window.shot] += window.frames

    def _earlier(self) -> Earlier:
        assert self._begun is not None
        now = time.perf_counter()
        return Earlier(
            seconds={"analyse": self._stage_since - self._since, "render": now - self._stage_since},
            reused=self._begun.reused,
            notes=tuple(dict.fromkeys(note for spent in self._spent for note in spent.notes)),
        )

    def _whole(self, finished: Finished) -> Finished:
        """The job's end, with what all of its tasks took."""
        spent = {
            "busy_seconds": sum(each.seconds for each in self._spent),
            "cpu_seconds": sum(each.cpu_seconds for each in self._spent),
            "peak": max(each.peak for each in self._spent),
        }
        return replace(finished, facts={**finished.facts, **spent})

    def _show_looking(self, doing: str) -> None:
        done = self._done + sum(self._running.values())
        rate = done / max(time.perf_counter() - self._stage_since, 1e-6)
        left = (self._to_look_at - done) / rate if rate > 0 else None
        self._progress(Progress("analyse", done, self._to_look_at, rate, left, doing=doing))

    def _show(self, shot: int | None, doing: str) -> None:
        begun = self._begun
        if begun is None:
            return
        done = self._done + sum(self._running.values())
        spent = max(time.perf_counter() - self._stage_since, 1e-6)
        rate = (done - begun.reused) / spent
        left = (begun.frames - done) / rate if rate > 0 else None
        self._progress(Progress("render", done, begun.frames, rate, left, shot, begun.shots, doing))


class OneJob(Work):
    """One job as all the work that there is."""

    def __init__(self, spread: Spread) -> None:
        self._spread = spread
        self._tasks: dict[str, JobTask] = {}
        self.end: Outcome | None = None

    @property
    def over(self) -> bool:
        """See ``Work``."""
        return self.end is not None

    def take(self, near: tuple[Any, ...]) -> JobTask | None:
        """See ``Work``."""
        task = self._spread.take(near)
        if task is not None:
            self._tasks[task.name] = task
        return task

    def hear(self, task: Task, message: Any) -> None:
        """See ``Work``."""
        self._spread.hear(self._tasks[task.name], message)

    def take_end(self, outcome: Outcome) -> None:
        """Take a task's outcome; ``end`` is the job's, when it has come to one."""
        self.end = self._spread.end(self._tasks.pop(outcome.name), outcome)


def run_spread(
    order: JobOrder, engine: Engine, *, progress: ProgressCallback | None = None, cancel: threading.Event | None = None
) -> Result:
    """Run one job over the workers of an engine: the same result as ``Job.run``'s. Raises what that raises."""
    work = OneJob(Spread(order, Path(order.output).name, progress=progress or (lambda now: None)))
    with closing(engine.run(work, JobWorker, cancel or threading.Event())) as outcomes:
        for outcome in outcomes:
            work.take_end(outcome)
    if work.end is None or work.end.ended == "stopped":
        raise Cancelled("stopped; what is finished is kept: the same command goes on from there")
    if work.end.ended == "failed":
        raise _error_of(work.end)
    finished: Finished = work.end.value
    return finished.result


def _error_of(outcome: Outcome) -> RestyleError:
    """Make the error that a worker raised anew."""
    kind = getattr(errors, outcome.error, RestyleError)
    if not (isinstance(kind, type) and issubclass(kind, RestyleError)):
        kind = RestyleError
    error = kind.__new__(kind, outcome.message)  # its own __init__ may want other facts than the line
    if kind is RestyleError:
        error.exit_code = outcome.exit_code or RestyleError.exit_code
    return error
