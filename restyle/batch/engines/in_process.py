"""Tasks done one after the other, in this process."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator

from restyle.batch.engines.base import IDLE, Engine, ProgressOfTask
from restyle.batch.tasks import Outcome, Task
from restyle.batch.work import perform
from restyle.progress import Progress

__all__ = ["InProcess"]


class InProcess(Engine):
    """The engine that needs nothing: quick to start, easy to debug, and stopped as a single job is."""

    workers = 1

    def run(
        self, tasks: Iterator[Task | None], progress: ProgressOfTask, cancel: threading.Event
    ) -> Generator[Outcome, None, None]:
        """See ``Engine.run``."""
        for task in tasks:
            if cancel.is_set():
                return
            if task is None:
                cancel.wait(IDLE)
                continue
            name = task.name

            def tell(now: Progress, name: str = name) -> None:
                progress(name, now)

            yield perform(task, tell, cancel)
