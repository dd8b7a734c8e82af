"""Several jobs in one process: at once in threads, and one after the other."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import moving_frames, write_clip

import restyle
from restyle import Job, Recipe

AT_ONCE = """
import sys, threading
from restyle import restyle
from restyle.quality.compare import compare
from restyle.types import Shot

folder, *clips = sys.argv[1:]
start = threading.Barrier(len(clips))
told = []

def run(number):
    out = f"{folder}/{number}.mkv"
    start.wait()
    restyle(clips[number], out, painter="neural-style", keyframes="every:4", codec="ffv1", report=False)
    for _ in range(4):
        start.wait()
        found = compare(clips[number], out, shots=[Shot(0, 0, 8, "start")], preset="ultrafast")
        told.append((number, found.summary()["warp_error"]))

threads = [threading.Thread(target=run, args=(number,)) for number in range(len(clips))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(told))
"""


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Three, of three sizes."""
    sizes = [(256, 192), (128, 192), (192, 96)]
    return [
        write_clip(tmp_path / f"in{number}.mkv", moving_frames(8, size, seed=number), codec="ffv1", pixel_format="bgr0")
        for number, size in enumerate(sizes)
    ]


def at_once(clips: list[Path], folder: Path) -> str:
    """All clips painted and measured, each in a thread, in a process that may die of it. Gives what was measured."""
    folder.mkdir()
    words = [sys.executable, "-c", AT_ONCE, str(folder), *map(str, clips)]
    ended = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout


def test_jobs_in_three_threads_end_as_jobs_alone(clips: list[Path], tmp_path: Path) -> None:
    told = [at_once(clips, tmp_path / f"round{number}") for number in range(2)]
    assert len(set(told)) == 1
    for number, clip in enumerate(clips):
        alone = tmp_path / "alone.mkv"
        restyle.restyle(
            clip,
            alone,
            painter="neural-style",
            keyframes="every:4",
            codec="ffv1",
            report=False,
            overwrite=True,
            fresh=True,
        )
        for folder in ("round0", "round1"):
            assert (tmp_path / folder / f"{number}.mkv").read_bytes() == alone.read_bytes()


PLAIN: dict[str, Any] = {"painter": "identity", "keyframes": "every:4"}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mkv", moving_frames(6, (48, 32)), codec="ffv1", pixel_format="bgr0")


def held() -> tuple[int, int]:
    """Threads, and open files, of this process."""
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
def test_thirty_jobs_in_one_process_leave_nothing_open(small: Path, tmp_path: Path) -> None:
    bytes_made = set()
    before = (0, 0)
    for number in range(30):
        out = tmp_path / f"{number % 3}.mkv"
        restyle.restyle(small, out, codec="ffv1", report=False, overwrite=True, fresh=True, **PLAIN)
        bytes_made.add(out.read_bytes())
        if number == 1:  # what is opened once for the process is open now
            before = held()
    assert len(bytes_made) == 1, "the same job gives the same bytes each time"
    assert all(now <= then for now, then in zip(held(), before, strict=True))


@pytest.mark.parametrize("stop", [0, 1, 5])
def test_frames_can_be_left_at_any_of_them(small: Path, stop: int) -> None:
    recipe = Recipe.build(**PLAIN, objects=["car=box:12,8,36,24@0"], layers=[{"object": "car"}])
    job = Job(small, recipe=recipe)
    before = held()
    frames = job.frames()
    seen = [made.result.picture for made in itertools.islice(frames, stop)]
    frames.close()  # type: ignore[attr-defined]
    assert all(now <= then for now, then in zip(held(), before, strict=True))
    again = [made.result.picture for made in job.frames()]
    assert len(again) == 6
    assert all(np.array_equal(a, b) for a, b in zip(seen, again, strict=False))
    assert all(now <= then for now, then in zip(held(), before, strict=True))
