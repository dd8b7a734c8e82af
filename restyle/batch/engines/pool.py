"""Tasks done by a pool of processes of this machine."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing import connection, get_context
from typing import Any

from restyle.batch.engines import worker
from restyle.batch.engines.base import IDLE, Engine, ProgressOfTask
from restyle.batch.tasks import Outcome, Task

__all__ = ["ProcessPool"]

TRIES = 3  # of a task whose worker dies
GRACE = 10.0  # seconds that workers get to stop: the painting of one picture may take some


class ProcessPool(Engine):
    """The engine of one machine with several cores. Processes are spawned: nothing of this one is copied, and threads are safe.

    ``threads``: cores that each worker gets, and threads of each library in it; 0: all. ``memory``: bytes that the tasks which
    run at once may take together, by what they say of themselves; one is always started. A worker that dies takes its task with
    it, which is done again, by itself if it was killed, for lack of memory is the likeliest reason.

    A program that uses it needs the guard ``if __name__ == "__main__":``, as all that spawns processes does.
    """

    def __init__(self, workers: int, *, threads: int = 0, memory: int = 1 << 62) -> None:
        if workers < 1:
            raise ValueError(f"a pool has one worker at least, got {workers}")
        self.workers = workers
        self._threads = threads
        self._memory = memory

    def run(
        self, tasks: Iterator[Task | None], progress: ProgressOfTask, cancel: threading.Event
    ) -> Generator[Outcome, None, None]:
        """See ``Engine.run``."""
        context = get_context("spawn")
        stop = context.Event()
        slots = [_Slot(context, stop, self._threads, number) for number in range(self.workers)]
        tries: dict[str, int] = {}
        again: list[Task] = []
        ended = False
        deadline = 0.0
        try:
            while True:
                if cancel.is_set() and not deadline:
                    stop.set()
                    deadline = time.monotonic() + GRACE
                while not deadline and (free := next((slot for slot in slots if not slot.task), None)):
                    if not again and ended:
                        break
                    task = again.pop() if again else next(tasks, _END)
                    if not isinstance(task, Task):
                        ended = task is _END
                        break
                    if not self._fits(task, slots):
                        again.append(task)
                        break
                    free.start(task)
                busy = [slot for slot in slots if slot.task]
                if not busy:
                    if deadline or (ended and not again):
                        return
                    cancel.wait(IDLE)
                    continue
                ready = connection.wait([slot.pipe for slot in busy], timeout=IDLE)
                for slot in busy:
                    if slot.pipe in ready:
                        outcome = self._hear(slot, progress, tries, again)
                        if outcome is not None:
                            yield outcome
                if deadline and time.monotonic() > deadline:
                    return
        finally:
            stop.set()
            for slot in slots:
                slot.close()

    def _fits(self, task: Task, slots: list[_Slot]) -> bool:
        running = [slot.task.memory for slot in slots if slot.task]
        return not running or sum(running) + task.memory <= self._memory

    def _hear(self, slot: _Slot, progress: ProgressOfTask, tries: dict[str, int], again: list[Task]) -> Outcome | None:
        """Take one message of a worker; gives the outcome of a task that ended."""
        task = slot.task
        assert task is not None
        try:
            message = slot.pipe.recv()
        except (EOFError, OSError):
            how = slot.bury()
            tries[task.name] = tries.get(task.name, 0) + 1
            if tries[task.name] < TRIES:
                again.append(replace(task, memory=max(task.memory, self._memory)))
                return None
            line = (
                f"its process ended {TRIES} times ({how}); likely there is not enough memory: give it more with --memory, or "
                "close other programs"
            )
            return Outcome(task.name, "failed", line, "WorkerDied", 1)
        if isinstance(message, Outcome):
            slot.task = None
            tries.pop(task.name, None)
            return message
        progress(*message)
        return None


_END: Any = object()


class _Slot:
    """The place of one worker, whose process is started when there is work for it, and again when it has died."""

    def __init__(self, context: Any, stop: Any, threads: int, number: int) -> None:
        self._context, self._stop, self._threads, self._number = context, stop, threads, number
        self._process: Any = None
        self.pipe: Any = None
        self.task: Task | None = None

    def start(self, task: Task) -> None:
        """Give the worker a task."""
        if self._process is None:
            self._spawn()
        self.task = task
        with suppress(OSError):  # it has died meanwhile: that is heard when it is listened to
            self.pipe.send(replace(task, threads=task.threads or self._threads))

    def _spawn(self) -> None:
        self.pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(
            target=worker.main,
            args=(theirs, self._stop, self._threads, _cores_of(self._number, self._threads)),
            name=f"restyle-{self._number}",
            daemon=True,
        )
        self._process.start()
        theirs.close()

    def bury(self) -> str:
        """Take leave of a worker that died; says how it ended."""
        self._process.join()
        code = self._process.exitcode
        self.pipe.close()
        self._process, self.task = None, None
        if code is not None and code < 0:
            with suppress(ValueError):
                return f"signal {signal.Signals(-code).name}"
        return f"exit code {code}"

    def close(self) -> None:
        """End the process, at once if it is at work."""
        if self._process is None:
            return
        with suppress(OSError):
            self.pipe.send(None)
        if self.task is None:
            self._process.join(2)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(2)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.pipe.close()
        self._process = None


def _cores_of(number: int, threads: int) -> frozenset[int]:
    """The cores of a worker: ``threads`` of those that this process may use, others than its neighbours' as far as they go."""
    if not threads or not hasattr(os, "sched_getaffinity"):
        return frozenset()
    cores = sorted(os.sched_getaffinity(0))
    return frozenset(cores[(number * threads + each) % len(cores)] for each in range(threads))
