"""Tasks done one after the other, in this process."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import closing
from functools import partial
from typing import Any

from restyle.engines.base import IDLE, Engine, MakeWorker, Outcome, Work

__all__ = ["InProcess"]


class InProcess(Engine):
    """The engine that needs nothing: quick to start, easy to debug, and stopped as a single job is.

    ``threads``: that painters may use; 0: as many as they like."""

    workers = 1

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads

    def run(self, work: Work, make: MakeWorker, cancel: threading.Event) -> Generator[Outcome, None, None]:
        """See ``Engine.run``."""
        near: tuple[Any, ...] = ()
        with closing(make(self._threads)) as worker:
            while not work.over and not cancel.is_set():
                task = work.take(near)
                if task is None:
                    if not work.over:
                        cancel.wait(IDLE)
                    continue
                near = task.near
                yield worker.perform(task, partial(work.hear, task), cancel)
