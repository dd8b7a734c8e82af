"""A pool of processes: the same bytes, whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from batches import contents, ends, run
from clips import moving_frames, write_clip

from restyle.batch.batch import Batch
from restyle.batch.engines.pool import TRIES, ProcessPool
from restyle.batch.results import BatchProgress
from restyle.batch.tasks import Outcome, Task
from restyle.errors import Cancelled
from restyle.progress import Progress
from restyle.recipe import Recipe

RECIPE = Recipe(painter="identity")


def task(footage: Path, out: Path, name: str, *, memory: int = 0) -> Task:
    return Task(
        name,
        str(footage / "a.mp4"),
        str(out / name),
        str(out / f"{name}.job"),
        RECIPE.to_text(),
        report=False,
        memory=memory,
    )


def children(parent: int | str = "self") -> list[int]:
    """Worker processes of a process (not the tracker of resources that Python starts beside them)."""
    text = Path(f"/proc/{parent}/task/{os.getpid() if parent == 'self' else parent}/children").read_text()
    return [pid for pid in map(int, text.split()) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_pool_makes_the_same_bytes(footage: Path, tmp_path: Path) -> None:
    run(footage, tmp_path / "one")
    results = run(footage, tmp_path / "two", engine=ProcessPool(2, threads=1))
    assert set(ends(results).values()) == {"done: new"}
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    assert children() == []


def test_a_worker_that_dies_takes_only_its_task_which_is_done_again(footage: Path, tmp_path: Path) -> None:
    killed: list[int] = []
    seen: list[str] = []

    def progress(name: str, now: Progress) -> None:
        seen.append(name)
        if not killed:
            killed.extend(children()[:1])
            os.kill(killed[0], signal.SIGKILL)

    tasks = [task(footage, tmp_path, f"{number}.mp4") for number in range(3)]
    pool = ProcessPool(1)
    outcomes = list(pool.run(iter(tasks), progress, threading.Event()))
    assert killed
    assert [(outcome.name, outcome.ended) for outcome in outcomes] == [(f"{number}.mp4", "done") for number in range(3)]


def test_a_task_that_kills_every_worker_fails_alone(footage: Path, tmp_path: Path) -> None:
    deaths = 0

    def progress(name: str, now: Progress) -> None:
        nonlocal deaths
        if name == "0.mp4":
            deaths += 1
            for pid in children():
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)

    tasks = [task(footage, tmp_path, f"{number}.mp4") for number in range(2)]
    outcomes = {o.name: o for o in ProcessPool(1).run(iter(tasks), progress, threading.Event())}
    assert outcomes["1.mp4"].ended == "done"
    assert outcomes["0.mp4"].ended == "failed"
    assert f"its process ended {TRIES} times (signal SIGKILL)" in outcomes["0.mp4"].message
    assert deaths >= TRIES


def test_no_more_run_at_once_than_memory_is_enough_for(footage: Path, tmp_path: Path) -> None:
    asked: list[str] = []

    def tasks() -> Iterator[Task]:
        for number in range(3):
            asked.append(f"{number}.mp4")
            yield task(footage, tmp_path, asked[-1], memory=6)

    at_once: list[set[str]] = []
    running: set[str] = set()

    def progress(name: str, now: Progress) -> None:
        running.add(name)
        at_once.append(set(running))

    for outcome in ProcessPool(2, memory=10).run(tasks(), progress, threading.Event()):
        assert outcome.ended == "done"
        running.discard(outcome.name)
    assert max(map(len, at_once)) == 1
    assert asked == ["0.mp4", "1.mp4", "2.mp4"]


def test_tasks_may_wait_for_outcomes(footage: Path, tmp_path: Path) -> None:
    ended: list[Outcome] = []

    def tasks() -> Iterator[Task | None]:
        yield task(footage, tmp_path, "first.mp4")
        while not ended:
            yield None
        yield task(footage, tmp_path, "second.mp4")

    for outcome in ProcessPool(2).run(tasks(), lambda *_: None, threading.Event()):
        ended.append(outcome)
    assert [outcome.name for outcome in ended] == ["first.mp4", "second.mp4"]


def test_cancelling_ends_all_workers_soon(footage: Path, tmp_path: Path) -> None:
    write_clip(footage / "long.mp4", moving_frames(200, (96, 64)))
    cancel = threading.Event()

    def progress(now: BatchProgress) -> None:
        if now.running:
            cancel.set()

    began = time.monotonic()
    with pytest.raises(Cancelled):
        list(Batch([footage], tmp_path / "out", engine=ProcessPool(2), progress=progress, cancel=cancel).results())
    assert time.monotonic() - began < 30
    assert children() == []


def test_workers_end_with_a_driver_that_is_killed_and_all_goes_on_from_there(footage: Path, tmp_path: Path) -> None:
    write_clip(footage / "long.mp4", moving_frames(120, (96, 64)))
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "restyle",
        "batch",
        str(footage),
        "-o",
        str(out),
        "--painter",
        "identity",
        "-j",
        "2",
    ]
    driver = subprocess.Popen([*command, "--no-report"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (out / "batch.restyle/jobs/long.mp4/recipe.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = children(driver.pid)
    assert workers
    driver.kill()
    driver.wait()
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert {result.status for result in run(footage, out)} <= {"done", "skipped"}
    run(footage, tmp_path / "whole")
    assert contents(out) == contents(tmp_path / "whole")
