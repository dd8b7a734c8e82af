"""The process that does long work for the page: ``python -m restyle.studio.worker ORDER``.

It is the page's neither child nor thread: closed, reloaded or crashed, the page finds the work going on, or
stopped where it can go on. It holds a lock beside the order as long as it lives, tells how far it is in ``work.json``, and
stops when there is a file ``work.stop``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import restyle
from restyle import BatchProgress, Cancelled, Job, Progress, Recipe
from restyle.files.writing import LockHeld, lock_file, sign_lock, write_file
from restyle.studio.queue import turn_in
from restyle.studio.work import LOCK, STATE, STOP
from restyle.unforeseen import describe

__all__ = ["main"]

EVERY = 0.2  # seconds between two reports


class Reporter:
    """Writes the state of the work, not more often than anybody reads it; what changes the state, always."""

    def __init__(self, path: Path, kind: str) -> None:
        self._path, self._told = path, 0.0
        self._facts: dict[str, Any] = {"kind": kind, "pid": os.getpid(), "state": "running", "began": time.time()}

    def tell(self, *, now: bool = False, **facts: Any) -> None:
        """Report some facts; ``now``: however soon after the last."""
        self._facts |= facts
        if now or time.monotonic() - self._told > EVERY:
            self._told = time.monotonic()
            write_file(self._path, (json.dumps(self._facts) + "\n").encode())

    def progress(self, progress: Progress) -> None:
        """Report a job's progress."""
        self.tell(
            now=progress.stage != self._facts.get("stage"),
            stage=progress.stage,
            done=progress.done,
            total=progress.total,
            rate=progress.rate,
            left=progress.left,
            doing=progress.doing,
        )

    def batch(self, progress: BatchProgress) -> None:
        """Report a batch's progress."""
        running = {
            name: {"stage": each.stage, "done": each.done, "total": each.total, "left": each.left}
            for name, each in progress.running.items()
        }
        self.tell(done=progress.done, total=progress.total, left=progress.left, running=running)


def main(order_file: Path) -> int:
    """Do what the order says; gives the exit code."""
    order = json.loads(order_file.read_bytes())
    try:
        lock = lock_file(order_file.with_name(LOCK))
    except LockHeld:
        return 0  # two pages ordered at once: one is enough
    sign_lock(lock)
    cancel = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: cancel.set())
    threading.Thread(target=_watch, args=(order_file.with_name(STOP), cancel), daemon=True).start()
    reporter = Reporter(order_file.with_name(STATE), order["kind"])
    reporter.tell(now=True, stage="", done=0, total=None)
    try:
        with _turn(order, order_file.parent, reporter, cancel):
            _KINDS[order["kind"]](order, reporter, cancel)
    except Cancelled:
        reporter.tell(now=True, state="stopped", line="stopped; what is finished is kept")
        return 0
    except Exception as error:
        line = str(error) if isinstance(error, restyle.RestyleError) else describe(error, Path(order["source"]))[2]
        reporter.tell(now=True, state="failed", line=line)
        return 1
    finally:
        os.close(lock)
    return 0


@contextmanager
def _turn(order: Mapping[str, Any], folder: Path, reporter: Reporter, cancel: threading.Event) -> Iterator[None]:
    """Wait in the queue, if the order says so."""
    if order.get("queue") is None:
        yield
        return
    with turn_in(Path(order["queue"]), order["title"], folder, cancel, lambda ahead: reporter.tell(ahead=ahead)):
        reporter.tell(now=True, ahead=0)
        yield


def _watch(stop: Path, cancel: threading.Event) -> None:
    while not cancel.wait(EVERY):
        if stop.exists():
            cancel.set()


def _job(order: Mapping[str, Any], reporter: Reporter, cancel: threading.Event) -> Job:
    return Job(
        order["source"],
        order["output"],
        Recipe.build("the recipe", **order["recipe"]),
        overwrite=True,
        offline=order["offline"],
        rate=None if order["rate"] is None else Fraction(order["rate"]),
        progress=reporter.progress,
        cancel=cancel,
    )


def _render(order: Mapping[str, Any], reporter: Reporter, cancel: threading.Event) -> None:
    result = _job(order, reporter, cancel).run()
    reporter.tell(now=True, state="done", line=result.verdict, notes=list(result.notes))


def _look(order: Mapping[str, Any], reporter: Reporter, cancel: threading.Event) -> None:
    """Find shots and keyframes and follow objects, all that comes before painting, into the job folder."""
    begun = _job(order, reporter, cancel).begin(alone=0)
    if isinstance(begun, restyle.Result):  # all was there: it was only joined
        reporter.tell(now=True, state="done", line=begun.verdict)
        return
    shots = f"{begun.shots} shot{'' if begun.shots == 1 else 's'}"
    reporter.tell(now=True, state="done", line=f"{begun.frames} frames in {shots}")


def _batch(order: Mapping[str, Any], reporter: Reporter, cancel: threading.Event) -> None:
    done = failed = 0
    results = restyle.batch(
        order["source"],
        order["output"],
        recipe=Recipe.build("the recipe", **order["recipe"]),
        overwrite=False,
        offline=order["offline"],
        progress=reporter.batch,
        cancel=cancel,
    )
    ends: dict[str, Any] = {}
    for result in results:
        done, failed = done + (result.status != "failed"), failed + (result.status == "failed")
        ends[str(result.source)] = {"status": result.status, "reason": result.reason, "output": str(result.output)}
        reporter.tell(now=True, ends=ends)
    reporter.tell(now=True, state="done", line=f"{done} done" + (f", {failed} failed" if failed else ""), running={})


def _compare(order: Mapping[str, Any], reporter: Reporter, cancel: threading.Event) -> None:
    frames = restyle.write_comparison(
        order["source"],
        order["right"],
        order["output"],
        layout=order["layout"],
        starts=tuple(order["starts"]),
        rate=None if order["rate"] is None else Fraction(order["rate"]),
        overwrite=True,
        progress=reporter.progress,
        cancel=cancel,
    )
    reporter.tell(now=True, state="done", line=f"{frames} frames", layout=order["layout"])


_KINDS: Mapping[str, Callable[[Mapping[str, Any], Reporter, threading.Event], None]] = {
    "render": _render,
    "look": _look,
    "batch": _batch,
    "compare": _compare,
}

if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
