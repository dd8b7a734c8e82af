"""The painter in a whole job, from the command line."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from clips import moving_frames, write_clip
from command import Caller, start

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from restyle.compositing.blend import matte_edge
from restyle.footage import open_footage

from .conftest import partly_fitting_lora

SIZE = (96, 64)
FRAMES = 110


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    frames = moving_frames(FRAMES, SIZE)
    return write_clip(tmp_path / "in.mkv", frames, codec="ffv1", pixel_format="bgr0", rate=24)


def arguments(tiny: Any, clip: Path, out: Path, *more: object) -> list[object]:
    return [
        "run", clip, "-o", out, "--painter", "diffusion", "--painter-option", f"model={tiny('sd15')}", "--painter-option",
        "steps=3", "--painter-option", "resolution=0", "--prompt", "a red car", "--control",
        f"canny:model={tiny('controlnet-sd15')},strength=0.8", "--keyframes", "every:10", "--codec", "ffv1", "--offline", *more,
    ]  # fmt: skip


def pictures(path: Path) -> list[np.ndarray]:
    with open_footage(path) as footage:
        return [frame.picture for frame in footage.frames()]


def test_a_clip_is_repainted_and_words_are_heard(
    tiny: Any, clip: Path, tmp_path: Path, restyle_command: Caller
) -> None:
    said = restyle_command(*arguments(tiny, clip, tmp_path / "a.mkv", "--json"))
    assert (said.json["frames"], said.json["painted"]) == (FRAMES, 11)
    first = pictures(tmp_path / "a.mkv")
    assert len(first) == FRAMES
    assert "a red car" in Path(said.json["report"]).read_text()
    again = restyle_command(*arguments(tiny, clip, tmp_path / "a.mkv", "--json", "--overwrite"))
    assert again.json["reused"] == FRAMES
    later = ("--prompt-at", "frame:70=a blue boat", "--overwrite", "--json")
    assert restyle_command(*arguments(tiny, clip, tmp_path / "a.mkv", *later)).json["reused"] == 50, (
        "the window before stays"
    )
    second = pictures(tmp_path / "a.mkv")
    assert np.array_equal(first[49], second[49])
    assert not np.array_equal(first[80], second[80])


def test_killed_and_started_again_it_ends_with_the_same_bytes(tiny: Any, clip: Path, tmp_path: Path) -> None:
    def run(out: Path, kill: bool) -> bytes:
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = start(*arguments(tiny, clip, out, "--no-report"), env=env)
        done = out.with_name(out.name + ".restyle") / "paintings"
        if kill:
            while process.poll() is None and not (done.is_dir() and any(done.iterdir())):
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert not out.exists()
            kept = {item.name: item.stat().st_ino for item in done.iterdir()}
            assert kept
            process = start(*arguments(tiny, clip, out, "--no-report"), env=env)
        _, err = process.communicate(timeout=200)
        assert process.returncode == 0, err
        if kill:
            assert kept.items() <= {item.name: item.stat().st_ino for item in done.iterdir()}.items()
        return out.read_bytes()

    assert run(tmp_path / "whole.mkv", kill=False) == run(tmp_path / "killed.mkv", kill=True)


def test_a_job_keeps_how_much_was_computed_at_once(
    tiny: Any, clip: Path, tmp_path: Path, restyle_command: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made again where there is more memory, its windows are what they were."""
    import torch

    from restyle.painters.diffusion.denoiser import Denoiser

    call = Denoiser.__call__
    sizes: list[int] = []

    def short(self: Any, inputs: Any, *rest: Any, **more: Any) -> Any:
        sizes.append(len(inputs))
        if len(inputs) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return call(self, inputs, *rest, **more)

    monkeypatch.setattr(Denoiser, "__call__", short)
    out, most = tmp_path / "a.mkv", 2
    restyle_command(*arguments(tiny, clip, out, "--no-report", "--range", "0:60"))
    assert max(sizes) > 2
    assert min(sizes) <= 2
    before = out.read_bytes()
    folder = tmp_path / "a.mkv.restyle"
    for kind in ("paintings", "windows"):
        for finished in (folder / kind).iterdir():
            shutil.rmtree(finished)
    sizes.clear()
    most = 99
    restyle_command(*arguments(tiny, clip, out, "--no-report", "--range", "0:60", "--overwrite"))
    assert sizes
    assert max(sizes) <= 2
    assert out.read_bytes() == before


def test_an_object_is_painted_and_nothing_else(tiny: Any, clip: Path, tmp_path: Path, restyle_command: Caller) -> None:
    matte = np.zeros(SIZE[::-1], np.float32)
    matte[20:44, 30:60] = 1
    (tmp_path / "mattes").mkdir()
    for number in range(FRAMES):
        cv2.imwrite(str(tmp_path / "mattes" / f"{number:04d}.png"), (matte * 255).astype(np.uint8))
    layer = ("--object", f"car=mattes:{tmp_path / 'mattes'}", "--layer", "car:prompt=rust,feather=2", "--range", "0:24")
    restyle_command(*arguments(tiny, clip, tmp_path / "o.mkv", *layer, "--no-report"))
    inside = matte_edge(matte, grow=0, feather=2) > 0
    for before, after in zip(pictures(clip), pictures(tmp_path / "o.mkv"), strict=False):
        assert np.array_equal(before[~inside], after[~inside])
        assert (before[matte > 0] != after[matte > 0]).mean() > 0.8


def test_what_a_person_should_know_is_noted_at_the_end(
    tiny: Any, clip: Path, tmp_path: Path, restyle_command: Caller
) -> None:
    """A LoRA that fits in part, and an option by its old name."""
    lora, there, whole = partly_fitting_lora(tiny, tmp_path / "lora.safetensors", 0.75)
    options = ("--painter-option", f"loras={lora}", "--painter-option", "denoise=0.5")
    said = restyle_command(*arguments(tiny, clip, tmp_path / "o.mkv", *options, "--range", "0:12", "--json"))
    assert any(f"fits in part: the model has {there} of its {whole} layers" in note for note in said.json["notes"])
    assert "painter option denoise is called strength now" in said.json["notes"]


def test_preview_shows_each_shots_first(tiny: Any, clip: Path, tmp_path: Path, restyle_command: Caller) -> None:
    restyle_command(
        "preview", clip, "-o", tmp_path / "sheet.png", "--painter", "diffusion", "--painter-option", f"model={tiny('sdxl')}",
        "--painter-option", "steps=2", "--painter-option", "resolution=0", "--prompt", "a red car", "--cuts", "50",
    )  # fmt: skip
    assert (tmp_path / "sheet.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (["--painter-option", "model=nosuch"], 2, "there is no model 'nosuch'"),
        (["--painter-option", "model=owner/name"], 6, "'owner/name' is not on this machine"),
        (["--painter-option", "attention=all"], 2, "attention is one of"),
        (["--painter-option", "stepps=2"], 2, "no option 'stepps'"),
        (["--control", "lineart:model=owner/net"], 6, "ControlNet 'owner/net' is not on this machine"),
        (["--control", "tile:model={sdxl}"], 2, "is not made for the model"),
        (
            ["--control", "normal", "--painter-option", "model={xl}"],
            2,
            "no ControlNet is known for normal maps and SDXL",
        ),
        (["--painter-option", "loras={lora}"], 2, "does not fit to the model"),
        (["--painter-option", "model={pickled}"], 2, "pickled"),
        (["--painter-option", "model={empty}"], 6, "no model_index.json"),
    ],
)
def test_what_cannot_be_is_one_line_and_the_job_folder_survives(
    tiny: Any, clip: Path, tmp_path: Path, restyle_command: Caller, more: list[str], code: int, says: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "model.ckpt").write_bytes(b"\x80\x04")
    names = {
        "sdxl": tiny("controlnet-sdxl"), "xl": tiny("sdxl"), "lora": tiny("lora-sdxl"), "pickled": tmp_path / "model.ckpt",
        "empty": tmp_path / "empty",
    }  # fmt: skip
    restyle_command(*arguments(tiny, clip, tmp_path / "a.mkv", "--no-report", "--range", "0:12"))
    wrong = [word.format(**names) for word in more]
    line = restyle_command.fails(
        *arguments(tiny, clip, tmp_path / "a.mkv", "--no-report", "--range", "0:12", "--overwrite"), *wrong, code=code
    )
    assert says in line
    fine = restyle_command(
        *arguments(tiny, clip, tmp_path / "a.mkv", "--no-report", "--range", "0:12", "--overwrite", "--json")
    )
    assert fine.json["reused"] == 12


def test_without_its_packages_it_names_the_line_that_installs_them(
    tiny: Any, clip: Path, tmp_path: Path, restyle_command: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    from restyle.painters.diffusion import painter

    monkeypatch.setattr(painter, "find_spec", lambda name: None if name == "torch" else object())
    line = restyle_command.fails(*arguments(tiny, clip, tmp_path / "a.mkv"), code=6)
    assert "pip install 'restyle[diffusion]'" in line


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (("--control", "depth:model={net}"), "restyle models pull depth-anything/"),
        (("--control", "depth=maps"), "control_v11f1p_sd15_depth"),
        (("--painter-option", "loras=nobody/nothing"), "restyle models pull nobody/nothing"),
    ],
    ids=["a detector's weights", "a ControlNet", "a LoRA"],
)
def test_what_is_missing_is_said_before_the_footage_is_looked_at(
    missing: tuple[str, str],
    named: str,
    tiny: Any,
    clip: Path,
    tmp_path: Path,
    restyle_command: Caller,
    monkeypatch: Any,
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "maps").mkdir()
    more = [word.format(net=tiny("controlnet-sd15")) for word in missing]
    asked = [
        "run",
        clip,
        "-o",
        "o.mkv",
        "--painter",
        "diffusion",
        "--painter-option",
        f"model={tiny('sd15')}",
        "--offline",
    ]
    said = restyle_command(*asked, *more, code=6).err
    assert named in said
    assert "looking" not in said
