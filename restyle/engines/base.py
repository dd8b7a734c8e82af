"""The interface of engines, and the plain values that travel between them and their workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

__all__ = ["EVERY", "IDLE", "TRIES", "Engine", "MakeWorker", "Outcome", "Task", "Work", "Worker", "lost"]

EVERY = 0.1  # seconds, of ``Worker.every``, where there are few workers
IDLE = 0.2  # seconds between two looks for work, or at whether to stop
TRIES = 3  # of a task whose worker dies


@dataclass(frozen=True)
class Task:
    """A piece of work that any worker can do on its own."""

    name: str
    """Each task's is its own."""
    memory: int = 0
    """Bytes that it may take at its peak: an engine starts no more at once than fit."""
    near: tuple[Any, ...] = ()
    """Place of the task: a worker does one near the last with less effort, for what it needs is open still."""


@dataclass(frozen=True)
class Outcome:
    """The end of a task."""

    name: str
    ended: Literal["done", "failed", "stopped"]
    message: str = ""
    """One line, if it failed."""
    error: str = ""
    """Kind of the error: a class of ``restyle.errors``, ``WorkerDied`` or ``InternalError``."""
    exit_code: int = 0
    disk_full: bool = False
    value: Any = None
    """Outcome of it, if it was done: small, for results lie in files."""


class Work(Protocol):
    """Tasks, and the order in which they can be done. Called in the thread that iterates over ``Engine.run``."""

    def take(self, near: tuple[Any, ...]) -> Task | None:
        """The next task for a worker whose last one was ``near``; ``None``: nothing just now, for what is to come waits for
        what is being done, or for new footage. It is asked again after the next message or outcome, or ``IDLE`` seconds."""
        ...

    def hear(self, task: Task, message: Any) -> None:
        """Take notice of what a task's worker tells meanwhile."""
        ...

    @property
    def over(self) -> bool:
        """True if no more tasks will come, not even when those that run have ended."""
        ...


class Worker(Protocol):
    """Does tasks, and keeps open what the next may need: footage, models. One a process."""

    every: float
    """Seconds from one message to the next, at least, of those that only say how far it is; an engine may make it longer."""

    def perform(self, task: Any, tell: Callable[[Any], None], cancel: threading.Event) -> Outcome:
        """Do a task; every error becomes a line in its outcome. ``tell`` sends a message to ``Work.hear``;
        of ``cancel`` it is only asked ``is_set``. Raises nothing."""
        ...

    def close(self) -> None:
        """Let go of all that is open."""
        ...


MakeWorker = Callable[[int], Worker]
"""Makes a worker, given the number of threads that it may use (0: as many as it likes): a class or a function of a module,
which other processes import by its name."""


class Engine(Protocol):
    """Does tasks somewhere: in this process, in others, on other machines.

    Whatever the engine, the same tasks give the same bytes: an engine decides where and when, never how.
    """

    workers: int
    """The most tasks that are done at once."""

    def run(self, work: Work, make: MakeWorker, cancel: threading.Event) -> Generator[Outcome, None, None]:
        """Do all tasks of ``work``, and give each one's outcome as it ends; who iterates hands it on to whom it concerns before
        the next is asked for.

        A task whose worker dies is done again; one that kills ``TRIES`` workers is given as ``failed``. When ``cancel`` is set,
        no more are begun, those that run are told, and ``stopped`` ones are given. Closing the iterator leaves nothing running.
        """
        ...


def lost(task: Task, how: str) -> Outcome:
    """Make the outcome of a task whose workers all died. ``how``: in a few words, the last one."""
    line = (
        f"its process ended {TRIES} times ({how}); likely there is not enough memory: give it more with --memory, or close "
        "other programs"
    )
    return Outcome(task.name, "failed", line, "WorkerDied", 1)
