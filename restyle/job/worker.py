"""The worker that does tasks of jobs, in whatever process, and keeps open what the next may need: a job, and painters."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from restyle.engines import Outcome, Worker
from restyle.engines.base import EVERY
from restyle.errors import Cancelled, JobLockedError, RestyleError
from restyle.files.remote import place_of
from restyle.footage import files_of
from restyle.job.assembly import Painters
from restyle.job.content import Content, footage_state, result_content
from restyle.job.job import Job
from restyle.job.opened import Begun, OpenJob
from restyle.job.order import JobOrder
from restyle.job.remote_store import local_folder
from restyle.job.result import Result
from restyle.job.tasks import Finished, JobTask, Painted, Surveyed
from restyle.memory import forget_peak, peak_memory
from restyle.progress import Progress
from restyle.recipe import Recipe
from restyle.registry import options_of
from restyle.unforeseen import describe

__all__ = ["JobWorker", "Spent", "bytes_in"]

FULL = (errno.ENOSPC, errno.EDQUOT)
T = TypeVar("T")
PATIENCE = 10.0  # seconds that those who were at work when the driver was killed get to let go of the job folder


@dataclass(frozen=True)
class Spent:
    """Value of a task that was done, and the time and memory that it took."""

    value: Any = None
    """``Surveyed``, ``Begun`` or ``Finished``; ``None`` of the other tasks."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak: int = 0
    """Bytes of memory."""
    notes: tuple[str, ...] = ()
    """Of painters."""


class JobWorker(Worker):
    """Does ``JobTask``s. ``threads``: that painters may use; 0: as many as they like."""

    def __init__(self, threads: int = 0) -> None:
        self.every = EVERY
        self._threads = threads
        self._painters = Painters()
        self._tell: Callable[[Any], None] = lambda message: None
        self._told, self._stage = 0.0, ""
        self._order: JobOrder | None = None
        self._opened: OpenJob | None = None
        self._open = ExitStack()

    def close(self) -> None:
        """See ``Worker.close``."""
        self._close_job()
        self._painters.close()

    def _close_job(self) -> None:
        self._order = self._opened = None
        self._open.close()

    def perform(self, task: JobTask, tell: Callable[[Any], None], cancel: threading.Event) -> Outcome:
        """See ``Worker.perform``."""
        self._tell, self._stage = tell, ""
        forget_peak()
        began, cpu = time.perf_counter(), time.process_time()
        try:
            value = self._do(task, cancel)
        except BaseException as error:
            self._close_job()
            return _ended(task, error)
        spent = time.perf_counter() - began, time.process_time() - cpu
        notes = tuple(self._opened.painters_notes) if self._opened is not None else ()
        return Outcome(task.name, "done", value=Spent(value, *spent, peak_memory(), notes))

    def _do(self, task: JobTask, cancel: threading.Event) -> Surveyed | Begun | Finished | None:
        if task.kind == "window":
            if self._opened is None or self._order != task.order:
                self._close_job()
                self._opened = self._open.enter_context(self._job(task, cancel).open_windows())
                self._order = task.order
            self._opened.make(task.shot, task.index, lambda: self._tell(Painted(task.shot, task.index)))
            return None
        self._close_job()
        job = self._job(task, cancel)
        if task.kind == "anchor":
            job.paint_anchor(task.order.output)
            return None
        if task.kind == "survey":
            return Surveyed(_patiently(job.spans))
        if task.kind == "look":
            job.look_at(task.span)
            return None
        before = footage_state(job.place, job.rate, job.recipe.deinterlace, staged=job.staged)
        done = _patiently(lambda: job.begin(alone=task.alone)) if task.kind == "begin" else job.run(task.earlier)
        return _finished(job, before, done) if isinstance(done, Result) else done

    def _job(self, task: JobTask, cancel: threading.Event) -> Job:
        order = task.order
        job = Job(
            order.source,
            None if task.kind == "anchor" else order.output,
            _with_threads(Recipe.build("the recipe", **json.loads(order.recipe)), self._threads),
            folder=order.folder,
            fresh=order.fresh and task.first,
            overwrite=order.overwrite,
            report=order.report,
            paint_moments=order.paint_moments,
            offline=order.offline,
            rate=order.rate,
            progress=self._progress,
            cancel=cancel,
        )
        job.lend(self._painters, task.known)
        return job

    def _progress(self, now: Progress) -> None:
        """Tell how far it is, not more often than anybody reads it; what changes the stage always."""
        clock = time.monotonic()
        if now.stage != self._stage or clock - self._told >= self.every:
            self._stage, self._told = now.stage, clock
            self._tell(now)


def _patiently(begin: Callable[[], T]) -> T:
    """Begin with a job; who works in its folder, and may be about to end because his driver has, is waited for a little."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return begin()
        except JobLockedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _finished(job: Job, before: str, result: Result) -> Finished:
    assert job.output is not None
    files = files_of(job.output)
    facts: dict[str, Any] = {
        **result.to_json(),
        "width": job.spec.width,
        "height": job.spec.height,
        "rendered": result.frames - result.reused,
        "job_bytes": bytes_in(local_folder(result.folder)),
        "output_bytes": sum(file.stat().st_size for file in files),
    }
    output = result_content(result.output, made=job.output)
    job.discard_sent()
    return Finished(result, Content(before, result.footage), output, facts)


def _ended(task: JobTask, error: BaseException) -> Outcome:
    """Make the outcome of a task that ended in an error. Raises what is none of the task's (``KeyboardInterrupt``)."""
    if isinstance(error, Cancelled):
        return Outcome(task.name, "stopped")
    if isinstance(error, RestyleError):
        name, code, line = type(error).__name__, error.exit_code, str(error)
    elif isinstance(error, Exception):
        name, code, line = describe(error, place_of(task.order.source))
    else:
        raise error
    return Outcome(task.name, "failed", line, name, code, disk_full=_is_full(error))


def _is_full(error: BaseException | None) -> bool:
    """Tell whether an error, or one that it came from, says that the disk is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def bytes_in(folder: Path) -> int:
    """Count the bytes of a folder's files; what goes away meanwhile counts nothing."""
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(here, name)).st_size
    return total


def _with_threads(recipe: Recipe, threads: int) -> Recipe:
    if not threads or "threads" in recipe.painter_options or "threads" not in options_of("painter", recipe.painter):
        return recipe
    return recipe.model_copy(update={"painter_options": {**recipe.painter_options, "threads": threads}})
