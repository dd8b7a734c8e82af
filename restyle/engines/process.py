"""The process of a pool's worker. Imports nothing that counts cores before it is said how many there are for it."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import closing, suppress
from multiprocessing import connection, parent_process
from typing import Any

from restyle.engines.base import MakeWorker
from restyle.memory import keep_freed_memory

__all__ = ["main", "settle"]

COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def settle(threads: int) -> None:
    """Make a process that was started for work one that takes ``threads`` cores; 0: as many as it likes."""
    if threads:
        os.environ.update(dict.fromkeys(COUNTS, str(threads)))
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    keep_freed_memory()
    if threads:
        import cv2

        cv2.setNumThreads(threads)


def main(
    pipe: connection.Connection,
    make: MakeWorker,
    cancel: Any,
    threads: int,
    cores: frozenset[int],
    environment: dict[str, str],
) -> None:
    """Do the tasks that come through ``pipe`` until ``None`` does; send messages and outcomes back.

    ``cancel``: a flag of all processes (``is_set``). ``threads``: of each library; 0: as many as it likes. ``cores``: those
    that the process may run on; empty: all. ``environment``: variables that it has besides the driver's.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of a terminal's processes; the driver tells
    threading.Thread(target=_die_with_parent, daemon=True).start()
    os.environ.update(environment)
    if cores and hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            os.sched_setaffinity(0, cores)
    settle(threads)
    with suppress(EOFError, OSError), closing(make(threads)) as worker:
        while (task := pipe.recv()) is not None:
            pipe.send(worker.perform(task, pipe.send, cancel))


def _die_with_parent() -> None:
    """End at once when the driver is gone: a job folder is safe at any instant, and its lock must not stay held."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
