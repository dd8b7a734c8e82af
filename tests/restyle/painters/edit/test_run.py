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

from restyle.compositing.blend import matte_edge
from restyle.footage import open_footage

SIZE = (96, 64)
FRAMES = 60
Tiny = Callable[[str], str]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mkv", moving_frames(FRAMES, SIZE), codec="ffv1", pixel_format="bgr0", rate=24)


def arguments(model: str, clip: Path, out: Path, *more: object) -> list[object]:
    return [
        "run", clip, "-o", out, "--painter", "edit", "--painter-option", f"model={model}", "--painter-option", "steps=2",
        "--painter-option", "resolution=0", "--prompt", "make it a gouache painting", "--keyframes", "every:10", "--codec",
        "ffv1", "--offline", *more,
    ]  # fmt: skip


def pictures(path: Path) -> list[np.ndarray]:
    with open_footage(path) as footage:
        return [frame.picture for frame in footage.frames()]


def test_a_clip_is_repainted_and_words_are_heard(
    tiny: Tiny, clip: Path, tmp_path: Path, restyle_command: Caller
) -> None:
    out = tmp_path / "a.mkv"
    said = restyle_command(*arguments(tiny("klein"), clip, out, "--json"))
    assert (said.json["frames"], said.json["painted"]) == (FRAMES, 6)
    first = pictures(out)
    assert len(first) == FRAMES
    again = restyle_command(*arguments(tiny("klein"), clip, out, "--json", "--overwrite"))
    assert again.json["reused"] == FRAMES
    restyle_command(
        *arguments(tiny("klein"), clip, out, "--prompt-at", "frame:50=a house on a blue hill", "--overwrite")
    )
    second = pictures(out)
    assert np.array_equal(first[20], second[20])
    assert not np.array_equal(first[55], second[55])


@pytest.mark.slow
def test_killed_and_started_again_it_ends_with_the_same_bytes(tiny: Tiny, clip: Path, tmp_path: Path) -> None:
    def run(out: Path, *, kill: bool) -> bytes:
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        line = arguments(tiny("kontext"), clip, out, "--no-report", "--keyframes", "every:6")
        process = start(*line, env=env)
        done = out.with_name(out.name + ".restyle") / "paintings"
        if kill:
            while process.poll() is None and not (done.is_dir() and any(done.iterdir())):
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert not out.exists()
            kept = {item.name: item.stat().st_ino for item in done.iterdir()}
            assert kept
            process = start(*line, env=env)
        _, err = process.communicate(timeout=200)
        assert process.returncode == 0, err
        if kill:
            assert kept.items() <= {item.name: item.stat().st_ino for item in done.iterdir()}.items()
        return out.read_bytes()

    assert run(tmp_path / "whole.mkv", kill=False) == run(tmp_path / "killed.mkv", kill=True)


@pytest.mark.parametrize("kind", ["kontext", "klein"])
def test_an_object_is_painted_and_nothing_else(
    tiny: Tiny, clip: Path, tmp_path: Path, restyle_command: Caller, kind: str
) -> None:
    matte = np.zeros(SIZE[::-1], np.float32)
    matte[20:44, 30:60] = 1
    (tmp_path / "mattes").mkdir()
    for number in range(FRAMES):
        cv2.imwrite(str(tmp_path / "mattes" / f"{number:04d}.png"), (matte * 255).astype(np.uint8))
    layer = ("--object", f"car=mattes:{tmp_path / 'mattes'}", "--layer", "car:prompt=rust,feather=2", "--range", "0:12")
    restyle_command(*arguments(tiny(kind), clip, tmp_path / "o.mkv", *layer, "--no-report"))
    inside = matte_edge(matte, grow=0, feather=2) > 0
    for before, after in zip(pictures(clip), pictures(tmp_path / "o.mkv"), strict=False):
        assert np.array_equal(before[~inside], after[~inside])
        assert (before[matte > 0] != after[matte > 0]).mean() > 0.8


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (["--painter-option", "model=nosuch"], 2, "there is no model 'nosuch' of the painter 'edit'"),
        (
            ["--painter-option", "model=qwen-edit"],
            6,
            "is not on this machine, and --offline fetches nothing: restyle models pull",
        ),
        (
            ["--painter-option", "model={sd15}"],
            6,
            "is a StableDiffusionPipeline, which the painter 'edit' does not use",
        ),
        (["--painter-option", "stepps=2"], 2, "no option 'stepps'"),
        (["--painter-option", "device=cuda:7"], 2, "there is no device 'cuda:7' here"),
    ],
)
def test_what_cannot_be_is_one_line(
    tiny: Tiny, clip: Path, tmp_path: Path, restyle_command: Caller, more: list[str], code: int, says: str
) -> None:
    wrong = [word.format(sd15=tiny("sd15")) for word in more]
    line = arguments(tiny("klein"), clip, tmp_path / "a.mkv", "--no-report", "--range", "0:12")
    assert says in restyle_command.fails(*line, *wrong, code=code)


def test_maps_guide_an_image_to_image_model(tiny: Tiny, clip: Path, tmp_path: Path, restyle_command: Caller) -> None:
    control = ("--control", f"canny:model={tiny('flux-controlnet')},strength=0.8", "--range", "0:24", "--no-report")
    restyle_command(*arguments(tiny("flux"), clip, tmp_path / "with.mkv", *control))
    restyle_command(*arguments(tiny("flux"), clip, tmp_path / "without.mkv", *control[2:]))
    pairs = zip(pictures(tmp_path / "with.mkv"), pictures(tmp_path / "without.mkv"), strict=True)
    assert all(np.abs(a.astype(int) - b).mean() > 1 for a, b in pairs)
