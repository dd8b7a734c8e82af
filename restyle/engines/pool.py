"""Tasks done by a pool of processes of this machine."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from multiprocessing import connection, get_context
from typing import Any

from restyle.engines import process
from restyle.engines.base import IDLE, TRIES, Engine, MakeWorker, Outcome, Task, Work, lost

__all__ = ["ProcessPool"]

GRACE = 10.0  # seconds that workers get to stop: the painting of one picture may take some


class ProcessPool(Engine):
    """The engine of one machine with several cores. Processes are spawned: nothing of this one is copied, and threads are safe.

    ``threads``: cores that each worker gets, and threads of each library in it; 0: all. ``memory``: bytes that the tasks which
    run at once may take together, by what they say of themselves; one is always started. ``gpus``: names of the GPUs, as
    CUDA_VISIBLE_DEVICES has them, that workers take in turn; empty: each sees them all. A worker that dies takes its task with
    it, which is done again, by itself if it was killed, for lack of memory is the likeliest reason.

    A program that uses it needs the guard ``if __name__ == "__main__":``, as all that spawns processes does.
    """

    def __init__(self, workers: int, *, threads: int = 0, memory: int = 1 << 62, gpus: tuple[str, ...] = ()) -> None:
        if workers < 1:
            raise ValueError(f"a pool has one worker at least, got {workers}")
        self.workers = workers
        self._threads = threads
        self._memory = memory
        self._gpus = gpus

    def run(self, work: Work, make: MakeWorker, cancel: threading.Event) -> Generator[Outcome, None, None]:
        """See ``Engine.run``."""
        context = get_context("spawn")
        stop = _Flag(context)
        slots = [_Slot(context, make, stop, self._threads, number, self._gpus) for number in range(self.workers)]
        tries: dict[str, int] = {}
        again: list[Task] = []
        deadline = 0.0
        try:
            while True:
                if cancel.is_set() and not deadline:
                    stop.set()
                    deadline = time.monotonic() + GRACE
                if not deadline:
                    self._hand_out(work, slots, again)
                busy = [slot for slot in slots if slot.task]
                if not busy:
                    if deadline or (work.over and not again):
                        return
                    cancel.wait(IDLE)
                    continue
                ready = connection.wait([slot.pipe for slot in busy], timeout=IDLE)
                for slot in busy:
                    if slot.pipe in ready:
                        outcome = self._hear(slot, work, tries, again)
                        if outcome is not None:
                            yield outcome
                if deadline and time.monotonic() > deadline:
                    return
        finally:
            stop.set()
            for slot in slots:
                slot.close()

    def _hand_out(self, work: Work, slots: list[_Slot], again: list[Task]) -> None:
        """Give free workers something to do, those first that have done something before: they have things open."""
        for slot in sorted((slot for slot in slots if not slot.task), key=lambda slot: not slot.near):
            task = again.pop() if again else work.take(slot.near)
            if task is None:
                continue
            if not self._fits(task, slots):
                again.append(task)
                return
            slot.start(task)

    def _fits(self, task: Task, slots: list[_Slot]) -> bool:
        running = [slot.task.memory for slot in slots if slot.task]
        return not running or sum(running) + task.memory <= self._memory

    def _hear(self, slot: _Slot, work: Work, tries: dict[str, int], again: list[Task]) -> Outcome | None:
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
            return lost(task, how)
        if isinstance(message, Outcome):
            slot.task = None
            tries.pop(task.name, None)
            return message
        work.hear(task, message)
        return None


class _Flag:
    """An event of all processes without a lock: a process that is killed while it looks at it leaves nothing locked."""

    def __init__(self, context: Any) -> None:
        self._value = context.RawValue("b", 0)

    def set(self) -> None:
        self._value.value = 1

    def is_set(self) -> bool:
        return bool(self._value.value)


class _Slot:
    """The place of one worker, whose process is started when there is work for it, and again when it has died."""

    def __init__(
        self, context: Any, make: MakeWorker, stop: Any, threads: int, number: int, gpus: tuple[str, ...]
    ) -> None:
        self._context, self._make, self._stop, self._threads, self._number = context, make, stop, threads, number
        self._environment = {"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} if gpus else {}
        self._process: Any = None
        self.pipe: Any = None
        self.task: Task | None = None
        self.near: tuple[Any, ...] = ()
        """Place of the last task."""

    def start(self, task: Task) -> None:
        """Give the worker a task."""
        if self._process is None:
            self._spawn()
        self.task, self.near = task, task.near
        with suppress(OSError):  # it has died meanwhile: that is heard when it is listened to
            self.pipe.send(task)

    def _spawn(self) -> None:
        self.pipe, theirs = self._context.Pipe()
        cores = _cores_of(self._number, self._threads)
        self._process = self._context.Process(
            target=process.main,
            args=(theirs, self._make, self._stop, self._threads, cores, self._environment),
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
        self._process, self.task, self.near = None, None, ()
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
