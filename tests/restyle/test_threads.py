"""Several jobs in one process: at once in threads, and one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from clips import moving_frames, write_clip

import restyle

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
