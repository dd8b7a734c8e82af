"""The painter in a whole job, from the command line."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import moving_frames, write_clip
from command import Caller, start

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("ftfy")

from restyle.footage import open_footage

SIZE = (64, 48)
FRAMES = 31
Tiny = Callable[[str], str]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mkv", moving_frames(FRAMES, SIZE), codec="ffv1", pixel_format="bgr0", rate=24)


def arguments(model: str, clip: Path, out: Path, *more: object) -> list[object]:
    options = (f"model={model}", "steps=2", "resolution=0", "frames=9", "overlap=3")
    chosen = [word for option in options for word in ("--painter-option", option)]
    return [
        "run",
        clip,
        "-o",
        out,
        "--painter",
        "video",
        *chosen,
        "--prompt",
        "gouache",
        "--codec",
        "ffv1",
        "--offline",
        *more,
    ]


def pictures(path: Path) -> list[np.ndarray]:
    with open_footage(path) as footage:
        return [frame.picture for frame in footage.frames()]


def test_every_frame_is_made_and_none_twice(tiny: Tiny, clip: Path, tmp_path: Path, restyle_command: Caller) -> None:
    out = tmp_path / "a.mkv"
    said = restyle_command(*arguments(tiny("vace"), clip, out, "--json", "--cuts", "12"))
    assert (said.json["frames"], said.json["painted"], said.json["shots"]) == (FRAMES, FRAMES, 2)
    assert len(pictures(out)) == FRAMES
    again = restyle_command(*arguments(tiny("vace"), clip, out, "--json", "--cuts", "12", "--overwrite"))
    assert again.json["reused"] == FRAMES


@pytest.mark.slow
def test_killed_and_started_again_it_ends_with_the_same_bytes(tiny: Tiny, clip: Path, tmp_path: Path) -> None:
    def run(out: Path, *, kill: bool) -> bytes:
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        line = arguments(tiny("vace"), clip, out, "--no-report")
        process = start(*line, env=env)
        done = out.with_name(out.name + ".restyle") / "paintings"
        if kill:
            while process.poll() is None and not (done.is_dir() and len(list(done.iterdir())) > 1):
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert not out.exists()
            kept = {item.name: item.stat().st_ino for item in done.iterdir()}
            process = start(*line, env=env)
        _, err = process.communicate(timeout=200)
        assert process.returncode == 0, err
        if kill:
            assert kept.items() <= {item.name: item.stat().st_ino for item in done.iterdir()}.items()
        return out.read_bytes()

    assert run(tmp_path / "whole.mkv", kill=False) == run(tmp_path / "killed.mkv", kill=True)


def test_an_object_is_painted_and_nothing_else(tiny: Tiny, clip: Path, tmp_path: Path, restyle_command: Caller) -> None:
    matte = np.zeros(SIZE[::-1], np.float32)
    matte[12:36, 16:48] = 1
    (tmp_path / "mattes").mkdir()
    for number in range(FRAMES):
        cv2.imwrite(str(tmp_path / "mattes" / f"{number:04d}.png"), (matte * 255).astype(np.uint8))
    layer = ("--object", f"car=mattes:{tmp_path / 'mattes'}", "--layer", "car:prompt=rust,feather=0", "--range", "0:12")
    restyle_command(*arguments(tiny("vace"), clip, tmp_path / "o.mkv", *layer, "--no-report"))
    for before, after in zip(pictures(clip), pictures(tmp_path / "o.mkv"), strict=False):
        assert np.array_equal(before[matte == 0], after[matte == 0])
        assert (before[matte > 0] != after[matte > 0]).mean() > 0.8


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (["--painter-option", "model=nosuch"], 2, "there is no model 'nosuch' of the painter 'video'"),
        (["--painter-option", "model=vace-1.3b"], 6, "fetches nothing: restyle models pull vace-1.3b"),
        (
            ["--painter-option", "model={klein}"],
            6,
            "does not use. It takes: WanAnimatePipeline, StableDiffusionPipeline, CogVideoX",
        ),
        (["--painter-option", "motion=a/b"], 2, "Wan VACE has no motion: leave the painter option motion out"),
        (["--keyframes", "every:8"], 2, "the painter 'video' makes every frame: leave out the keyframes 'every:8'"),
        (["--control", "depth", "--control", "canny"], 2, "is led by one control map, got depth, canny"),
        (["--painter-option", "framse=9"], 2, "no option 'framse'"),
    ],
)
def test_what_cannot_be_is_one_line(
    tiny: Tiny, clip: Path, tmp_path: Path, restyle_command: Caller, more: list[str], code: int, says: str
) -> None:
    wrong = [word.format(klein=tiny("klein")) if "{" in word else word for word in more]
    line = arguments(tiny("vace"), clip, tmp_path / "a.mkv", "--no-report", "--range", "0:12")
    assert says in restyle_command.fails(*line, *wrong, code=code)
