"""A Ray cluster of two machines (two raylets here): the same bytes, whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clips import moving_frames, write_clip
from jobs import Jobs, order

from restyle.engines import Task
from restyle.errors import RecipeError
from restyle.job.job import Job
from restyle.job.tasks import Painted
from restyle.recipe import Recipe

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

CUTS = (30, 60)
RECIPE = Recipe(painter="identity", cuts=CUTS)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without room for workers, and a machine with room for two, on half of a GPU each."""
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    cluster_utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed: pip install 'restyle[ray]'")
    made = cluster_utils.Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": 10**8}
    )
    yield made
    made.shutdown()


def add_machine(cluster: Any) -> Any:
    return cluster.add_node(num_cpus=2, num_gpus=1, object_store_memory=10**8)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "film.mp4", moving_frames(90, (48, 32), cuts=CUTS))


def test_whoever_dies_loses_one_window(cluster: Any, film: Path, tmp_path: Path) -> None:
    import ray

    from restyle.engines.cluster import RayCluster

    Job(film, tmp_path / "whole.mp4", RECIPE, report=False).run()
    machines = [add_machine(cluster)]
    died: list[str] = []

    def heard(task: Task, message: Any) -> None:
        if not isinstance(message, Painted):
            return
        if not died:  # a worker
            died.append(task.name)
            os.kill(_pid_of_worker(), signal.SIGKILL)
        elif len(died) == 1 and task.name != died[0]:  # a machine
            died.append(task.name)
            machines.append(add_machine(cluster))
            cluster.remove_node(machines[0], allow_graceful=False)

    jobs = Jobs({"film": order(film, tmp_path / "spread.mp4", RECIPE)}, heard)
    ended = jobs.run(RayCluster(1, gpus=0.5, address=cluster.address))["film"]
    assert (ended.ended, ended.message) == ("done", "")
    assert len(died) == 2
    assert len(jobs.taken) == 3 + 3  # nothing but the engine's own repetition of what was lost
    assert (tmp_path / "spread.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert not ray.is_initialized()


def _pid_of_worker() -> int:
    """The process of the one actor there is."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::_Actor"):
                return int(path.parent.name)
        except OSError:
            continue
    raise AssertionError("no actor runs")


def test_gpus_are_asked_for_by_fractions(cluster: Any) -> None:
    from restyle.engines.cluster import RayCluster

    add_machine(cluster)
    for gpus, room in ((1, 1), (0.5, 2)):
        engine = RayCluster(gpus=gpus, address=cluster.address)
        assert engine.workers >= room
        engine.close()
    with pytest.raises(RecipeError, match="has no room for one worker with 1 CPUs and 8 GPUs"):
        RayCluster(gpus=8, address=cluster.address)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("127.0.0.1:1", r"the Ray cluster '127\.0\.0\.1:1' cannot be reached: connection refused; check that it runs"),
        ("nonsense", "the address of a Ray cluster is HOST:6379"),
    ],
)
def test_a_cluster_that_cannot_be_reached_is_one_line(address: str, says: str) -> None:
    pytest.importorskip("ray")
    from restyle.engines.cluster import RayCluster

    with pytest.raises(RecipeError, match=says):
        RayCluster(address=address)


@pytest.mark.slow
def test_a_driver_that_is_killed_leaves_nothing_running_and_the_next_goes_on(film: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    command = [sys.executable, "-m", "restyle", "run", str(film), "-o", str(tmp_path / "out.mp4"), "--no-report"]
    command += ["--painter", "identity", "--cuts", "30,60", "--engine", "ray", "--jobs", "1"]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    windows = tmp_path / "out.mp4.restyle" / "windows"
    deadline = time.monotonic() + 200
    while driver.poll() is None and time.monotonic() < deadline and not (windows.is_dir() and any(windows.iterdir())):
        time.sleep(0.01)
    driver.kill()
    driver.wait()
    there = {item: item.stat().st_ino for item in windows.iterdir()}
    assert there
    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0
    assert {item: item.stat().st_ino for item in there} == there
    Job(film, tmp_path / "whole.mp4", RECIPE, report=False).run()
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
