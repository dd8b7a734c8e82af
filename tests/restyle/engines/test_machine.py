"""Budgets, and what is learned from jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from restyle.batch.history import History
from restyle.engines import machine
from restyle.engines.machine import Budget
from restyle.recipe import Recipe

GB = 1 << 30


@pytest.mark.parametrize(
    ("cores", "free", "asked", "jobs", "threads"),
    [
        (1, 100, {}, 1, 0),
        (2, 100, {}, 1, 0),
        (16, 100, {}, 8, 2),
        (16, 3, {}, 3, 5),
        (16, 100, {"threads": 4}, 4, 4),
        (16, 100, {"jobs": 5}, 5, 3),
        (2, 100, {"jobs": 4}, 4, 1),
        (8, 100, {"memory": GB}, 1, 0),
    ],
)
def test_cores_and_memory_decide_how_many_at_once(
    cores: int, free: int, asked: dict[str, int], jobs: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: cores)
    monkeypatch.setattr(machine, "available_memory", lambda: free * GB)
    budget = Budget(**asked)
    assert (budget.jobs, budget.threads) == (jobs, threads)


def test_this_machine_has_memory() -> None:
    assert 0 < machine.available_memory() < 1 << 50


def facts(**changed: Any) -> dict[str, Any]:
    plain = {
        "frames": 100,
        "rendered": 100,
        "width": 1000,
        "height": 500,
        "seconds": 50.0,
        "job_bytes": 9000,
        "output_bytes": 1000,
    }
    return {**plain, "shots": 2, "painted": 10, "peak": 2 * GB, **changed}


def test_estimates_follow_frames_and_size(tmp_path: Path) -> None:
    path = tmp_path / "cache/history.json"
    recipe = Recipe()
    assert History(path).estimate(recipe, 10, 1000, 500) is None
    History(path).add(recipe, facts())
    estimate = History(path).estimate(recipe, 200, 1000, 1000)
    assert estimate is not None
    assert estimate.seconds == pytest.approx(200)
    assert estimate.bytes == 40_000
    assert (estimate.shots, estimate.painted) == (pytest.approx(4), pytest.approx(20))
    assert History(path).estimate(Recipe(painter="identity"), 10, 1000, 500) is None


def test_newer_jobs_count_more_and_reused_work_counts_nothing(tmp_path: Path) -> None:
    history = History(tmp_path / "h.json")
    recipe = Recipe()
    history.add(recipe, facts(seconds=1.0, rendered=0))
    assert history.estimate(recipe, 100, 1000, 500) is None
    history.add(recipe, facts(seconds=50.0))
    for _ in range(20):
        history.add(recipe, facts(seconds=10.0))
    estimate = history.estimate(recipe, 100, 1000, 500)
    assert estimate is not None
    assert 10 < estimate.seconds < 16


def test_memory_is_that_of_pictures_as_large(tmp_path: Path) -> None:
    history = History(tmp_path / "h.json")
    recipe = Recipe()
    history.add(recipe, facts(peak=GB))
    history.add(recipe, facts(peak=4 * GB, width=4000, height=2000))
    assert history.memory(recipe, 640, 360) == GB
    assert history.memory(recipe, 2000, 1000) == 4 * GB
    assert history.memory(recipe, 8000, 4000) is None


@pytest.mark.parametrize("text", ["", "[]", '{"entries": 5}', '{"entries": {"x": {"peaks": "y"}}}', "\0"])
def test_a_damaged_history_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "h.json"
    path.write_text(text)
    history = History(path)
    assert history.estimate(Recipe(), 10, 10, 10) is None
    history.add(Recipe(), facts())
    assert History(path).estimate(Recipe(), 10, 10, 10) is not None


def test_a_history_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    history = History(tmp_path / "file" / "h.json")
    history.add(Recipe(), facts())
    assert history.estimate(Recipe(), 10, 10, 10) is not None
