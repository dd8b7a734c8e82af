"""The interface of engines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from typing import Protocol

from restyle.batch.tasks import Outcome, Task
from restyle.progress import Progress

__all__ = ["IDLE", "Engine", "ProgressOfTask"]

IDLE = 0.2  # seconds between two looks for work, or at whether to stop

ProgressOfTask = Callable[[str, Progress], None]
"""Called with a task's name and how far it is, in the thread that iterates."""


class Engine(Protocol):
    """Does tasks somewhere: in this process, in others, on other machines.

    Whatever the engine, the same tasks give the same bytes: an engine decides where and when, never how.
    """

    workers: int
    """The most tasks that are done at once."""

    def run(
        self, tasks: Iterator[Task | None], progress: ProgressOfTask, cancel: threading.Event
    ) -> Generator[Outcome, None, None]:
        """Do the tasks, and give each one's outcome as it ends, in whatever order.

        ``tasks`` is asked for the next one when there is room for it, never earlier, and may depend on outcomes that were given
        before: ``None`` from it means that there is nothing to do just now (what is to come waits for what is being done, or
        for new footage); it is asked again after ``IDLE`` seconds or the next outcome. A task whose worker dies is done again;
        one that kills every worker is given as ``failed``. When ``cancel`` is set, no more are begun, those that run are told,
        and ``stopped`` ones are given. Closing the iterator leaves nothing running.
        """
        ...
