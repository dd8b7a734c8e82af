"""The process of a pool's worker. Imports nothing that counts cores before it is said how many there are for it."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing import connection, parent_process
from typing import Any

from restyle.memory import keep_freed_memory

__all__ = ["main"]

EVERY = 0.1  # seconds between two reports of progress
COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(pipe: connection.Connection, cancel: Any, threads: int, cores: frozenset[int]) -> None:
    """Do the tasks that come through ``pipe`` until ``None`` does; send (name, progress) and outcomes back.

    ``cancel``: an event of all processes. ``threads``: of each library; 0: as many as it likes. ``cores``: those that the
    process may run on; empty: all.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of a terminal's processes; the driver tells
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if threads:
        os.environ.update(dict.fromkeys(COUNTS, str(threads)))
    if cores and hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            os.sched_setaffinity(0, cores)
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    keep_freed_memory()
    if threads:
        import cv2

        cv2.setNumThreads(threads)
    from restyle.batch.work import perform

    with suppress(EOFError, OSError):
        while (task := pipe.recv()) is not None:
            pipe.send(perform(task, _Reporter(pipe, task.name), cancel))


class _Reporter:
    """Sends progress, not more often than anybody reads it; what changes its stage always."""

    def __init__(self, pipe: connection.Connection, name: str) -> None:
        self._pipe, self._name = pipe, name
        self._last, self._stage = 0.0, ""

    def __call__(self, now: Any) -> None:
        clock = time.monotonic()
        if now.stage != self._stage or clock - self._last >= EVERY:
            self._stage, self._last = now.stage, clock
            self._pipe.send((self._name, now))


def _die_with_parent() -> None:
    """End at once when the driver is gone: a job folder is safe at any instant, and its lock must not stay held."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
