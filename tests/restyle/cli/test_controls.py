"""``restyle controls``, for real."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import moving_frames, write_clip
from command import Caller

from controls.maps import DETECTORS, kinds
from restyle.footage import open_footage

SIZE = (96, 64)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(
        tmp_path / "in.mkv", moving_frames(14, SIZE, cuts=(8,)), codec="ffv1", pixel_format="bgr0", rate=24
    )


def test_the_command_lists_what_there_is(restyle_command: Caller) -> None:
    listed = restyle_command("controls", "--json").json["kinds"]
    assert {one["name"] for one in listed} == set(kinds())
    for one in listed:
        assert one["ready"] or one["remedies"]
        assert one["licence"]
    said = restyle_command("controls").out
    assert "canny" in said
    assert "weights: OpenPose's own: academic and non-commercial use only" in said


def test_the_command_makes_maps(restyle_command: Caller, clip: Path, tmp_path: Path) -> None:
    said = restyle_command("controls", clip, "-o", tmp_path / "maps", "--kinds", "canny, lineart", "--json")
    assert said.json["maps"] == [str(tmp_path / "maps" / "canny"), str(tmp_path / "maps" / "lineart")]
    assert len(list((tmp_path / "maps" / "lineart").glob("*.png"))) == 14
    kinds = ("--kinds", "canny,tile", "--option", "low=300", "--option", "high=600")  # tiles have no such options
    restyle_command("controls", clip, "-o", tmp_path / "few", *kinds, "--no-stabilise")
    old_words = ("controls", clip, "-o", tmp_path / "old", *kinds, "--no-steady")
    assert "note: --no-steady is called --no-stabilise now" in restyle_command(*old_words).err
    assert "--stabilise alone" in restyle_command.fails(*old_words, "--stabilise", code=2)
    old, new = ((tmp_path / name / "canny" / "000003.png").read_bytes() for name in ("old", "few"))
    assert old == new
    few = cv2.imread(str(tmp_path / "few" / "canny" / "000003.png"))
    with open_footage(clip) as footage:
        picture = next(frame.picture for frame in footage.frames() if frame.index == 3)
    assert np.array_equal(few, DETECTORS.make("canny", {"low": 300, "high": 600}).detect(picture).picture)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--kinds", "cany"], 2, "did you mean 'canny'"),
        (["--kinds", "canny,canny"], 2, "different kinds"),
        (["--kinds", "canny", "--bits", "12"], 2, "8 or 16"),
        (["--kinds", "canny", "--range", "20:30"], 2, "20"),
        (["--kinds", "canny,tile", "--option", "lw=3"], 2, "none of the control maps canny, tile has an option 'lw'"),
        (["--kinds", "canny", "--option", "low"], 2, "--option is NAME=VALUE, for example low=50"),
        (["--kinds", "canny", "--option", "low=0"], 2, "canny's thresholds are 0 < low <= high"),
    ],
)
def test_bad_requests_end_in_one_line(
    restyle_command: Caller, clip: Path, tmp_path: Path, options: list[str], code: int, said: str
) -> None:
    assert said in restyle_command.fails("controls", clip, "-o", tmp_path / "maps", "-q", *options, code=code)
    assert not [path for path in tmp_path.iterdir() if path != clip]


def test_maps_that_are_there_stay_there(restyle_command: Caller, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "mine.txt").write_text(json.dumps("mine"))
    assert "--overwrite" in restyle_command.fails("controls", clip, "-o", tmp_path / "maps", "-q", code=4)
    assert (tmp_path / "maps" / "mine.txt").exists()
    assert "-o DIR" in restyle_command.fails("controls", clip, "-q", code=2)


def test_what_is_missing_is_named_with_its_remedy(restyle_command: Caller, clip: Path, tmp_path: Path) -> None:
    """Without the package: the extra's install line. With it, offline: the weights and the line that fetches them."""
    words = ("controls", clip, "-o", tmp_path / "maps", "-q", "--kinds", "softedge", "--offline")
    line = restyle_command.fails(*words, code=6)
    assert "restyle[controls]" in line or "restyle models pull lllyasviel/Annotators --file" in line
