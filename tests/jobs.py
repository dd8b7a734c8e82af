"""Jobs as work for engines, for tests."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from restyle.engines import Engine, Outcome, Task, Work
from restyle.job.order import JobOrder
from restyle.job.spread import Spread
from restyle.job.tasks import Finished
from restyle.job.worker import JobWorker
from restyle.recipe import Recipe

IDENTITY = Recipe(painter="identity")


def order(source: Path, output: Path, recipe: Recipe = IDENTITY, **options: Any) -> JobOrder:
    return JobOrder(str(source), str(output), f"{output}.job", recipe.to_text(), **{"report": False, **options})


class Jobs(Work):
    """Some jobs, each spread from its first window on. ``heard`` is called with each message."""

    def __init__(
        self,
        orders: Mapping[str, JobOrder],
        heard: Callable[[Task, Any], None] = lambda task, message: None,
        **options: Any,
    ) -> None:
        self.spreads = {name: Spread(order, name, **{"alone": 0, **options}) for name, order in orders.items()}
        self.ends: dict[str, Outcome] = {}
        self.taken: list[str] = []
        self._heard = heard
        self._tasks: dict[str, Any] = {}

    @property
    def over(self) -> bool:
        return not self.spreads

    def take(self, near: tuple[Any, ...]) -> Task | None:
        task = next((task for spread in self.spreads.values() if (task := spread.take(near)) is not None), None)
        if task is not None:
            self._tasks[task.name] = task
            self.taken.append(task.name)
        return task

    def hear(self, task: Task, message: Any) -> None:
        self._heard(task, message)
        self.spreads[task.near[0]].hear(self._tasks[task.name], message)

    def end(self, outcome: Outcome) -> None:
        name = self._tasks[outcome.name].near[0]
        whole = self.spreads[name].end(self._tasks[outcome.name], outcome)
        if whole is not None:
            self.ends[name] = whole
            del self.spreads[name]

    def run(self, engine: Engine, cancel: threading.Event | None = None) -> dict[str, Outcome]:
        """How each job ended."""
        for outcome in engine.run(self, JobWorker, cancel or threading.Event()):
            self.end(outcome)
        return self.ends

    def facts(self, name: str) -> Mapping[str, Any]:
        finished: Finished = self.ends[name].value
        return finished.facts


def workers_of(parent: int | str = "self") -> list[int]:
    """Worker processes of a process (not the tracker of resources that Python starts beside them)."""
    text = Path(f"/proc/{parent}/task/{os.getpid() if parent == 'self' else parent}/children").read_text()
    return [pid for pid in map(int, text.split()) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
