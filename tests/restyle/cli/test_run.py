"""``restyle run``, for real: footage in, footage out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, number_of, numbered_frames, psnr, read_pictures, write_clip, write_pictures
from command import Caller

ROOT = Path(__file__).parents[3]
SIZE = (64, 48)


def test_run_restyles_a_clip_and_says_so(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    said = restyle_command("run", "in.mp4", "-o", "out.mp4", "--style", "mosaic")
    before, after = read_pictures(clip), read_pictures(tmp_path / "out.mp4")
    assert len(after) == 24
    assert after[0].shape == before[0].shape
    assert psnr(before[10], after[10]) < 25  # it has been painted
    for fact in ("'out.mp4'", "24 in 1 shot", "painted", "verdict", "'out.mp4.restyle'", "report.html"):
        assert fact in said.out
    assert "restyling 100 %: 24/24 frames" in said.err
    page = (tmp_path / "out.mp4.restyle" / "report.html").read_text()
    assert "mosaic" in page


def test_run_again_repeats_nothing_and_changes_nothing(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    first = restyle_command("run", "in.mp4", "-o", "out.mp4", "--painter", "identity", "--json").json
    assert (first["output"], first["frames"], first["reused"]) == ("out.mp4", 24, 0)
    data = (tmp_path / "out.mp4").read_bytes()
    line = restyle_command.fails("run", "in.mp4", "-o", "out.mp4", "--painter", "identity", code=4)
    assert "'out.mp4'" in line
    assert "--overwrite" in line
    words = ("run", "in.mp4", "-o", "out.mp4", "--painter", "identity", "--json", "--overwrite")
    assert restyle_command(*words).json["reused"] == 24
    assert restyle_command(*words, "--resume").json["reused"] == 24
    assert restyle_command(*words, "--fresh").json["reused"] == 0
    assert (tmp_path / "out.mp4").read_bytes() == data


def test_quiet_says_nothing(clip: Path, restyle_command: Caller) -> None:
    said = restyle_command("run", "in.mp4", "-o", "out.mp4", "--painter", "identity", "--no-report", "-q")
    assert said.out == ""
    assert said.err == ""
    assert restyle_command.fails("run", "in.mp4", "-o", "out.mp4", "-q", code=4)


def test_json_is_one_document_and_nothing_else(clip: Path, restyle_command: Caller) -> None:
    said = restyle_command("run", "in.mp4", "-o", "out.mp4", "--painter", "identity", "--json", "-v")
    assert Path(said.json["report"]).is_file()
    assert "restyling" in said.err


def test_options_reach_the_job(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    (tmp_path / "look.json").write_text(json.dumps({"style": "lava", "strength": 0.5, "seed": 3}))
    restyle_command(
        "run", "in.mp4", "-o", "out.mkv", "--recipe", "look.json", "--style", "mosaic", "--keep-color", "--keyframes",
        "every:6", "--filler", "along-motion", "--range", "4:16", "--codec", "ffv1", "--quality", "90", "--job", "work here",
        "--no-report", "--effort", "best", "--coverage", "0.5", "--max-gap", "9", "--cuts", "10", "--offline",
        "--painter-option", "hold=0.25", "--filler-option", "detail=0.9", "--masker-option", "edge=4",
    )  # fmt: skip
    recipe = json.loads((tmp_path / "work here" / "recipe.json").read_text())
    assert recipe == {
        "version": 2, "style": "mosaic", "strength": 0.5, "brush_size": None,
        "prompt": None, "negative_prompt": None, "prompts": [], "controls": [],
        "painter": "neural-style", "painter_options": {"hold": 0.25},
        "filler": "along-motion", "filler_options": {"detail": 0.9}, "mix": 1.0, "keep_colour": True, "anchor": None,
        "seed": 3,
        "keyframes": "every:6", "effort": "best", "coverage": 0.5,
        "max_gap": 9, "storyboard": {}, "cuts": [10], "deinterlace": False,
        "objects": [], "masker": "auto", "masker_options": {"edge": 4},
        "layers": [], "range": "4:16", "codec": "ffv1", "quality": 90,
    }  # fmt: skip
    plan = json.loads((tmp_path / "work here" / "plan.json").read_text())
    assert [(shot["start"], shot["stop"]) for shot in plan["shots"]] == [(4, 10), (10, 16)]
    assert len(read_pictures(tmp_path / "out.mkv")) == 12
    assert not (tmp_path / "work here" / "report.html").exists()
    assert not (tmp_path / "out.mkv.restyle").exists()


def test_a_sequence_of_pictures(restyle_command: Caller, tmp_path: Path) -> None:
    write_pictures(tmp_path / "shot", numbered_frames(9, SIZE), first=11)
    said = restyle_command(
        "run", "shot/frame.%04d.png", "-o", "painted/frame.%04d.png", "--painter", "identity", "--keyframes", "every:1",
        "--fps", "12", "--json",
    ).json  # fmt: skip
    assert said["frames"] == 9
    assert (tmp_path / "painted.restyle").is_dir()
    names = sorted(path.name for path in (tmp_path / "painted").glob("[!.]*"))
    assert names == [f"frame.{number:04d}.png" for number in range(11, 20)]
    assert [number_of(picture) for picture in read_pictures(tmp_path / "painted")] == list(range(9))


def test_a_picture_as_the_style_and_a_keyframe_by_hand(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    hand = np.full((48, 64, 3), (200, 40, 40), np.uint8)
    write_pictures(tmp_path, [hand, moving_frames(1, SIZE, seed=9)[0]], "art%d.png", first=1)
    restyle_command(
        "run", "in.mp4", "-o", "out.mkv", "--codec", "ffv1", "--style", "art2.png", "--keyframe-image", "8=art1.png"
    )
    made = read_pictures(tmp_path / "out.mkv")
    assert np.array_equal(made[8], hand)
    assert not np.array_equal(made[0], hand)


@pytest.mark.parametrize(
    ("words", "code", "hints"),
    [
        (("--style", "mosiac"), 2, ("'mosiac'", "did you mean 'mosaic'")),
        (("--painter", "identify"), 2, ("'identify'", "did you mean 'identity'")),
        (("--filler", "along"), 2, ("'along'", "along-motion")),
        (("--style", "none.png"), 2, ("'none.png'",)),
        (("--recipe", "future.json"), 2, ("'future.json'", "version 99")),
        (("--recipe", "odd.json"), 2, ("'odd.json'", "'styel'", "did you mean 'style'")),
        (("--recipe", "filler.json"), 2, ("'along-motion'", "detail")),
        (("--range", "90:95"), 2, ("'90:95'", "24 frames")),
        (("--codec", "mp3"), 4, ("'mp3'", "h264")),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    words: tuple[str, ...], code: int, hints: tuple[str, ...], clip: Path, restyle_command: Caller, tmp_path: Path
) -> None:
    (tmp_path / "future.json").write_text('{"version": 99}')
    (tmp_path / "odd.json").write_text('{"styel": "oil"}')
    (tmp_path / "filler.json").write_text('{"filler_options": {"detail": 5}}')
    line = restyle_command.fails("run", "in.mp4", "-o", "out.mp4", *words, code=code)
    for hint in hints:
        assert hint in line
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    "name", ["two words", "it's", 'say "so"', "100%", "[bold]x", "line\nbreak", "-dash", "映画", "#;&|*"]
)
def test_hostile_names_all_the_way(name: str, restyle_command: Caller, tmp_path: Path) -> None:
    write_clip(tmp_path / f"{name}.mp4", moving_frames(4, (32, 32)))
    words = ("run", "-o", f"{name} out.mp4", "--painter", "identity", "--json", "--", f"{name}.mp4")
    assert restyle_command(*words).json["output"] == f"{name} out.mp4"
    assert len(read_pictures(tmp_path / f"{name} out.mp4")) == 4
