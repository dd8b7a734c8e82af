"""A job killed at any instant and started again ends with the same bytes, and repeats nothing that was finished."""

from __future__ import annotations

import multiprocessing as mp
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from clips import moving_frames, write_clip

from restyle import Job, Progress, Recipe
from restyle.errors import Cancelled

POINTS = 20
SOURCE = "clip.mp4"


def work(folder: str, ticks: Any, at: int | None, delay: float, number: int) -> None:
    """The whole job, in a process of its own, which sends itself a signal ``delay`` seconds after the ``at``-th tick of its
    progress. SIGTERM cancels it, as the command line does."""
    cancel = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: cancel.set())

    def progress(_: Progress) -> None:
        ticks.value += 1
        if ticks.value == at:
            threading.Timer(delay, os.kill, (os.getpid(), number)).start()

    try:
        job_in(Path(folder), progress, cancel).run()
    except Cancelled:
        os._exit(130)
    os._exit(0)


def job_in(folder: Path, progress: Any = None, cancel: threading.Event | None = None) -> Job:
    recipe = Recipe(style="mosaic", keyframes="every:8", painter_options={"threads": 1})
    return Job(folder / SOURCE, folder / "out.mp4", recipe, overwrite=True, progress=progress, cancel=cancel)


@pytest.fixture(scope="module")
def context() -> Any:
    made = mp.get_context("forkserver")
    made.set_forkserver_preload(
        ["av", "cv2", "onnxruntime", "scenedetect.detectors", "restyle.job.job", "restyle.job.window_report"]
    )
    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, context: Any) -> tuple[bytes, bytes, int]:
    """Source, result of a run that was never stopped, and how many ticks it took."""
    folder = tmp_path_factory.mktemp("whole")
    frames = moving_frames(105, (64, 48), cuts=(35, 70))
    write_clip(folder / SOURCE, frames, rate=24, audio=True)
    ended, ticks = run(folder, context)
    assert ended == 0
    return (folder / SOURCE).read_bytes(), (folder / "out.mp4").read_bytes(), ticks


def run(
    folder: Path, context: Any, at: int | None = None, delay: float = 0, number: int = signal.SIGKILL
) -> tuple[int | None, int]:
    ticks = context.Value("i", 0, lock=False)
    process = context.Process(target=work, args=(str(folder), ticks, at, delay, number))
    process.start()
    process.join(120)
    return process.exitcode, ticks.value


def finished(folder: Path) -> dict[str, int]:
    """Finished things of the job, with the identity of each on the disk."""
    job = folder / "out.mp4.restyle"
    return {
        f"{kind}/{item.name}": item.stat().st_ino
        for kind in ("analysis", "paintings", "windows")
        if (job / kind).is_dir()
        for item in (job / kind).iterdir()
    }


@pytest.mark.parametrize(
    "number",
    [  # SIGTERM is tried from the command line, too (``cli/test_stopping``)
        pytest.param(signal.SIGKILL, id="SIGKILL"),
        pytest.param(signal.SIGTERM, id="SIGTERM", marks=pytest.mark.slow),
    ],
)
def test_stopped_anywhere_it_goes_on_to_the_same_bytes(number: int, whole: Any, tmp_path: Path, context: Any) -> None:
    source, result, ticks = whole
    stopped, partly = 0, 0
    for point in range(POINTS):
        folder = tmp_path / f"{point:02d}"
        folder.mkdir()
        (folder / SOURCE).write_bytes(source)
        os.utime(folder / SOURCE, ns=(1, 1))
        at = 1 + ticks * (2 * point + 1) // (2 * POINTS)
        ended, _ = run(folder, context, at, delay=point % 4 * 0.003, number=number)
        stopped += ended != 0
        assert ended in (0, -number, 130 if number == signal.SIGTERM else -number)
        if ended != 0:
            assert not (folder / "out.mp4").exists() or (folder / "out.mp4").read_bytes() == result
        before = finished(folder)
        partly += any(name.startswith("windows/") for name in before)
        job_in(folder).run()
        after = finished(folder)
        assert (folder / "out.mp4").read_bytes() == result, f"point {point}"
        assert {name: after.get(name) for name in before} == before, f"point {point} did finished work again"
        left = {item.name for item in folder.iterdir()}
        assert left == {SOURCE, "out.mp4", "out.mp4.restyle"}, f"point {point} left {left}"
        shutil.rmtree(folder)
    assert stopped >= POINTS // 2  # most runs were caught in the middle
    assert partly >= 3  # and some with windows finished
