"""Tasks done by a Ray cluster: one that is there, or one of this machine that is started for the work.

https://docs.ray.io/en/latest/ray-core/actors.html. Each worker is an actor. It reads footage and writes results where the
driver does (a shared folder); through Ray go only tasks, messages of progress and outcomes, which are small.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Generator
from queue import SimpleQueue
from typing import Any

from restyle.engines.base import EVERY, IDLE, TRIES, Engine, MakeWorker, Outcome, Task, Work, lost
from restyle.engines.process import settle
from restyle.errors import MissingExtraError, RecipeError, RestyleError, why

__all__ = ["RayCluster"]

GRACE = 10.0  # seconds that workers get to stop: the painting of one picture may take some
MESSAGES = 50  # of progress in a second, of all workers together, at most
CONNECT = 15  # seconds for an answer of a cluster


class RayCluster(Engine):
    """The engine of many machines. ``workers``: actors; ``None``: as many as the cluster has room for.

    ``threads``: cores of each; 0: one is reserved, and it uses as many as it likes. ``gpus``: of each, also a fraction of one.
    ``address``: of the cluster (``HOST:6379``, ``ray://HOST:10001``, ``auto``); ``None``: one is started here, and stopped in
    the end. A worker that dies, or whose machine does, loses only its task, which another does again.

    Raises ``MissingExtraError``; ``RecipeError`` for a cluster that cannot be reached, or has no room for a worker;
    ``RestyleError`` if none can be started.
    """

    def __init__(
        self, workers: int | None = None, *, threads: int = 0, gpus: float | None = None, address: str | None = None
    ) -> None:
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as later versions of Ray do it
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
        try:
            import ray
        except ImportError:
            raise MissingExtraError("the engine ray", "ray") from None
        self._ray: Any = ray
        self._address = address
        self._threads = threads
        self._needs = {"num_cpus": max(1, threads), **({} if gpus is None else {"num_gpus": gpus})}
        self._ours = not ray.is_initialized()
        self._connect(workers)
        self.workers = workers or self._room()

    def _connect(self, workers: int | None) -> None:
        if not self._ours:
            return
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if self._address is None:
            here: dict[str, Any] = {"include_dashboard": False}
            if workers is not None:  # so many were asked for, whatever the cores
                here["num_cpus"] = workers * self._needs["num_cpus"]
            try:
                self._ray.init(**here, **quiet)
            except Exception as error:  # it gives itself half a minute
                raise RestyleError(f"Ray did not start on this machine: {_reason(error)}; is it overloaded?") from error
            return
        _require_answer(self._address)
        try:
            self._ray.init(address=self._address, **quiet)
        except Exception as error:
            raise RecipeError(f"the Ray cluster {self._address!r} cannot be reached: {_reason(error)}") from error

    def _room(self) -> int:
        """Count the workers that the cluster has room for."""
        have = self._ray.cluster_resources()
        names = {"num_cpus": "CPU", "num_gpus": "GPU"}
        room = min(int(have.get(names[name], 0) / wanted) for name, wanted in self._needs.items())
        if room < 1:
            wants = " and ".join(f"{wanted:g} {names[name]}s" for name, wanted in self._needs.items())
            self.close()
            raise RecipeError(f"the Ray cluster has no room for one worker with {wants}: ask for less")
        return room

    def close(self) -> None:
        """Let go of the cluster; one that was started here is stopped."""
        if self._ours and self._ray.is_initialized():
            self._ray.shutdown()

    def run(self, work: Work, make: MakeWorker, cancel: threading.Event) -> Generator[Outcome, None, None]:
        """See ``Engine.run``. The cluster is let go of in the end."""
        actor = self._ray.remote(_Actor).options(max_restarts=0, max_concurrency=2, **self._needs)
        every = max(EVERY, self.workers / MESSAGES)
        slots = [_Slot(self._ray, lambda: actor.remote(make, self._threads, every)) for _ in range(self.workers)]
        tries: dict[str, int] = {}
        again: list[Task] = []
        deadline = 0.0
        try:
            while True:
                if cancel.is_set() and not deadline:
                    deadline = time.monotonic() + GRACE
                    for slot in slots:
                        slot.stop()
                for slot in slots:
                    if slot.free and not deadline:
                        task = again.pop() if again else work.take(slot.near)
                        if task is not None:
                            slot.start(task)
                busy = {slot.next: slot for slot in slots if slot.next is not None}
                if not any(slot.task for slot in slots) and (deadline or (work.over and not again)):
                    return
                if not busy:
                    cancel.wait(IDLE)
                    continue
                self._ray.wait(list(busy), timeout=IDLE, fetch_local=False)  # for one; then all that are there
                ready, _ = self._ray.wait(list(busy), num_returns=len(busy), timeout=0, fetch_local=False)
                for reference in ready:
                    outcome = self._hear(busy[reference], work, tries, again)
                    if outcome is not None:
                        yield outcome
                if deadline and time.monotonic() > deadline:
                    return
        finally:
            for slot in slots:
                slot.close()
            self.close()

    def _hear(self, slot: _Slot, work: Work, tries: dict[str, int], again: list[Task]) -> Outcome | None:
        """Take one message of a worker; gives the outcome of a task that ended."""
        task = slot.task
        try:
            message = slot.read()
        except self._ray.exceptions.RayError as error:
            slot.bury()
            if task is None:
                return None
            tries[task.name] = tries.get(task.name, 0) + 1
            if tries[task.name] < TRIES:
                again.append(task)
                return None
            return lost(task, _reason(error))
        if task is None or message is None:
            return None
        if isinstance(message, Outcome):
            tries.pop(task.name, None)
            return message
        work.hear(task, message)
        return None


class _Slot:
    """The place of one worker: an actor, made anew when it has died. It gets tasks once the cluster has found room for it."""

    def __init__(self, ray: Any, make_actor: Callable[[], Any]) -> None:
        self._ray, self._make_actor = ray, make_actor
        self.task: Task | None = None
        self.near: tuple[Any, ...] = ()
        """Place of the last task."""
        self._spawn()

    def _spawn(self) -> None:
        self._actor = self._make_actor()
        self.next: Any = self._actor.ready.remote()
        """Reference of the next message; ``None``: nothing is to come."""

    @property
    def free(self) -> bool:
        """True if it can be given a task."""
        return self.next is None

    def start(self, task: Task) -> None:
        """Give the worker a task."""
        self.task, self.near = task, task.near
        self._actor.start.remote(task)
        self.next = self._actor.read.remote()

    def read(self) -> Any:
        """Take the message that is there. Raises Ray's errors if the worker has died."""
        message = self._ray.get(self.next)
        self.next = None if self.task is None or isinstance(message, Outcome) else self._actor.read.remote()
        if isinstance(message, Outcome):
            self.task = None
        return message

    def bury(self) -> None:
        """Take leave of a worker that died, and ask for another."""
        self.task, self.near = None, ()
        self._spawn()

    def stop(self) -> None:
        """Tell the worker to stop."""
        self._actor.stop.remote()

    def close(self) -> None:
        """End the worker, at once if it is at work."""
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(self._actor)


class _Actor:
    """Content of a process of Ray's: a worker in a thread, whose messages wait until they are read."""

    def __init__(self, make: MakeWorker, threads: int, every: float) -> None:
        settle(threads)
        self._worker = make(threads)
        self._worker.every = every
        self._cancel = threading.Event()
        self._tasks: SimpleQueue[Any] = SimpleQueue()
        self._messages: SimpleQueue[Any] = SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            self._messages.put(self._worker.perform(self._tasks.get(), self._messages.put, self._cancel))

    def ready(self) -> None:
        """Answer, which shows that there is room for the worker."""

    def start(self, task: Any) -> None:
        """Begin a task."""
        self._tasks.put(task)

    def read(self) -> Any:
        """Wait for the next message."""
        return self._messages.get()

    def stop(self) -> None:
        """Stop what is at work."""
        self._cancel.set()


def _require_answer(address: str) -> None:
    """Look whether anybody answers, before Ray tries for minutes. Raises ``RecipeError``."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if address in ("auto", "local"):
        return
    if not (colon and host and port.isdigit()):
        raise RecipeError(f"the address of a Ray cluster is HOST:6379, ray://HOST:10001 or auto, got {address!r}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT).close()
    except (OSError, OverflowError) as error:
        raise RecipeError(f"the Ray cluster {address!r} cannot be reached: {why(error)}; check that it runs") from error


def _reason(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return why(RuntimeError(lines[0] if lines else type(error).__name__))
