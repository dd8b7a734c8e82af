"""A pool of processes: the same bytes, whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from batches import contents, ends, run
from clips import moving_frames, write_clip
from jobs import Jobs, order, workers_of

from restyle.batch.batch import Batch
from restyle.batch.results import BatchProgress
from restyle.engines import Outcome, Task, Work
from restyle.engines.base import TRIES
from restyle.engines.pool import ProcessPool
from restyle.errors import Cancelled
from restyle.job.job import Job
from restyle.job.tasks import Painted
from restyle.recipe import Recipe


class Naps:
    """A worker that only waits as long as its tasks say."""

    every = 0.0

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def perform(self, task: Task, tell: Callable[[Any], None], cancel: threading.Event) -> Outcome:
        tell("begun")
        time.sleep(task.near[0])
        return Outcome(task.name, "done", value=os.environ.get("CUDA_VISIBLE_DEVICES"))

    def close(self) -> None:
        pass


class Listed(Work):
    """Tasks in a row. ``wait``: each waits for the one before."""

    def __init__(self, *tasks: Task, wait: bool = False, heard: Callable[[Task], None] = lambda task: None) -> None:
        self.waiting, self.wait, self.heard = list(tasks), wait, heard
        self.running: set[str] = set()  # taken
        self.started: set[str] = set()
        self.at_once: list[int] = []
        self.taken: list[str] = []

    @property
    def over(self) -> bool:
        return not self.waiting

    def take(self, near: tuple[Any, ...]) -> Task | None:
        if not self.waiting or (self.wait and self.running):
            return None
        task = self.waiting.pop(0)
        self.running.add(task.name)
        self.taken.append(task.name)
        return task

    def hear(self, task: Task, message: Any) -> None:
        self.started.add(task.name)
        self.at_once.append(len(self.started))
        self.heard(task)

    def run(self, engine: ProcessPool) -> dict[str, Outcome]:
        made = {}
        for outcome in engine.run(self, Naps, threading.Event()):
            self.running.discard(outcome.name)
            self.started.discard(outcome.name)
            made[outcome.name] = outcome
        return made


def naps(*seconds: float, memory: int = 0) -> list[Task]:
    return [Task(str(number), memory, (each,)) for number, each in enumerate(seconds)]


def test_a_pool_makes_the_same_bytes(footage: Path, tmp_path: Path) -> None:
    run(footage, tmp_path / "one")
    results = run(footage, tmp_path / "two", engine=ProcessPool(2, threads=1))
    assert set(ends(results).values()) == {"done: new"}
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    assert workers_of() == []


CUTS = (40, 95)
CUT = Recipe(painter="identity", cuts=CUTS)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Three shots, two of which have two windows."""
    return write_clip(tmp_path / "film.mp4", moving_frames(150, (48, 32), cuts=CUTS))


def test_one_clip_spreads_over_workers_and_comes_out_the_same(film: Path, tmp_path: Path) -> None:
    recipe = Recipe(style="mosaic", keyframes="every:8", cuts=CUTS, painter_options={"threads": 1})
    whole = Job(film, tmp_path / "whole.mp4", recipe, report=False).run()
    windows: list[str] = []

    def heard(task: Task, message: Any) -> None:
        if isinstance(message, Painted):
            windows.append(task.name)

    jobs = Jobs({"film": order(film, tmp_path / "spread.mp4", recipe)}, heard)
    ended = jobs.run(ProcessPool(2, threads=1))["film"]
    assert (ended.ended, ended.message) == ("done", "")
    assert (tmp_path / "spread.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    facts = jobs.facts("film")
    assert (facts["frames"], facts["shots"], facts["painted"]) == (whole.frames, whole.shots, whole.painted)
    assert (facts["reused"], facts["rendered"]) == (0, 150)
    assert len(windows) == len(jobs.taken) - 3 == 5  # all but the survey, the beginning and the joining
    for shot in (1, 2):  # the paintings of a shot are made in order
        assert windows.index(f"film: window {shot}.0") < windows.index(f"film: window {shot}.1")


def test_a_worker_that_dies_loses_one_window(film: Path, tmp_path: Path) -> None:
    Job(film, tmp_path / "whole.mp4", CUT, report=False).run()
    killed: list[str] = []

    def heard(task: Task, message: Any) -> None:
        if isinstance(message, Painted) and not killed:
            killed.append(task.name)
            for pid in workers_of():
                os.kill(pid, signal.SIGKILL)

    made = tmp_path / "spread.mp4.job" / "windows"
    jobs = Jobs({"film": order(film, tmp_path / "spread.mp4", CUT)}, heard)
    assert jobs.run(ProcessPool(1))["film"].ended == "done"
    assert killed
    assert len(jobs.taken) == 3 + len(list(made.iterdir()))  # the engine did it again by itself
    assert (tmp_path / "spread.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert not list((tmp_path / "spread.mp4.job" / "work").iterdir())


def test_windows_that_are_there_are_not_made_again(film: Path, tmp_path: Path) -> None:
    cancel = threading.Event()

    def heard(task: Task, message: Any) -> None:
        if isinstance(message, Painted) and message.index == 1:
            cancel.set()

    first = Jobs({"film": order(film, tmp_path / "a.mp4", CUT)}, heard)
    first.run(ProcessPool(1), cancel)
    there = {item: item.stat().st_ino for item in (tmp_path / "a.mp4.job" / "windows").iterdir()}
    assert 0 < len(there) < 5
    second = Jobs({"film": order(film, tmp_path / "a.mp4", CUT)})
    assert second.run(ProcessPool(2))["film"].ended == "done"
    assert len(second.taken) == 3 + 5 - len(there)
    assert {item: item.stat().st_ino for item in there} == there
    assert second.facts("film")["reused"] > 0


def test_what_fails_is_said_of_the_job(film: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"x")
    orders = {"bad": order(tmp_path / "bad.mp4", tmp_path / "b.mp4"), "film": order(film, tmp_path / "a.mp4", CUT)}
    ended = Jobs(orders).run(ProcessPool(2))
    assert (ended["bad"].ended, ended["bad"].error, ended["bad"].exit_code) == ("failed", "FootageError", 3)
    assert ended["film"].ended == "done"


def test_a_task_that_kills_every_worker_fails_alone() -> None:
    def heard(task: Task) -> None:
        if task.name == "0":
            for pid in workers_of():
                os.kill(pid, signal.SIGKILL)

    made = Listed(*naps(5, 0), heard=heard).run(ProcessPool(1))
    assert made["1"].ended == "done"
    assert made["0"].ended == "failed"
    assert f"its process ended {TRIES} times (signal SIGKILL)" in made["0"].message


def test_no_more_run_at_once_than_memory_is_enough_for() -> None:
    tasks = Listed(*naps(0.1, 0.1, 0.1, memory=6))
    pool = ProcessPool(2, memory=10)
    assert {outcome.ended for outcome in tasks.run(pool).values()} == {"done"}
    assert max(tasks.at_once) == 1
    assert tasks.taken == ["0", "1", "2"]


def test_tasks_may_wait_for_outcomes() -> None:
    tasks = Listed(*naps(0.1, 0), wait=True)
    assert list(tasks.run(ProcessPool(2))) == ["0", "1"]
    assert set(tasks.at_once) == {1}


def test_workers_take_the_gpus_in_turn() -> None:
    made = Listed(*naps(0.5, 0.5)).run(ProcessPool(2, gpus=("3", "7")))
    assert {outcome.value for outcome in made.values()} == {"3", "7"}


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
    assert workers_of() == []


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
    workers = workers_of(driver.pid)
    assert workers
    driver.kill()
    driver.wait()
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert {result.status for result in run(footage, out)} <= {"done", "skipped"}
    run(footage, tmp_path / "whole")
    assert contents(out) == contents(tmp_path / "whole")
