"""Folders of truth: read, scaled, and refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, write_clip
from truths import write_truth

import samples
from restyle.errors import RecipeError
from restyle.footage import probe
from restyle.quality.true_motion import TrueMotion
from restyle.quality.truth import read_truth

SIZE = (96, 64)


def test_motion_at_any_size(tmp_path: Path) -> None:
    folder = write_truth(tmp_path / "truth", 4, SIZE, (6, -4), scale=2)
    spec = probe(write_clip(tmp_path / "a.mkv", moving_frames(4, SIZE, shift=(6, -4)), codec="ffv1"))
    motion = TrueMotion(folder, spec)
    for size in ((48, 32), SIZE, (24, 16)):
        between = motion.between(2, size)
        s = size[0] / SIZE[0]
        assert np.abs(between.flow - np.float32([6 * s, -4 * s])).max() < 1e-3
        known = between.known[round(4 * s) + 1 : size[1], : size[0] - round(6 * s) - 1]
        assert known.all()
        assert not between.known[: int(3 * s)].any(), "it leaves the picture at the top"
    assert [(shot.start, shot.stop) for shot in motion.shots] == [(0, 4)]


def test_between_two_things_it_is_not_known() -> None:
    motion = TrueMotion(samples.truth_folder("square"), probe(samples.clip("square")))
    truth = samples.load_truth("square")
    there = motion.between(30, (640, 360))
    rims = np.abs(np.diff(truth.matte("van", 30), axis=1)) > 0
    rows, columns = np.nonzero(rims)
    assert rows.size > 40
    assert there.known[2 * rows + 1, 2 * columns + 2].mean() < 0.4
    assert there.known.mean() > 0.75


def test_what_mirrors_is_left_out() -> None:
    motion = TrueMotion(samples.truth_folder("harbour"), probe(samples.clip("harbour")))
    truth = samples.load_truth("harbour")
    water = truth.matte("water", 20) > 0
    assert water.mean() > 0.05
    assert not motion.between(20, truth.grid).known[water].any()


def test_truth_of_other_footage_is_refused(tmp_path: Path) -> None:
    spec = probe(write_clip(tmp_path / "a.mkv", moving_frames(4, SIZE), codec="ffv1"))
    folder = write_truth(tmp_path / "truth", 4, SIZE, (2, 1))
    TrueMotion(folder, spec)
    with pytest.raises(RecipeError, match=r"4 frames, .* has 5"):
        TrueMotion(folder, replace(spec, frames=5))
    with pytest.raises(RecipeError, match=r"96x64 pixels, .* has 64x64: another shape"):
        TrueMotion(folder, replace(spec, width=64))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"version": 2}, "version 2, this release knows 1"),
        ({"grid": [90, 64]}, "no usable truth: forward of the shot from frame 0 is"),
        ({"cuts": [2]}, "cannot read truth in .*shot1.npz"),
        ({"mirrors": ["sea"]}, "mirrors"),
        ({"rate": "fast"}, "no usable truth"),
    ],
)
def test_facts_that_do_not_fit_are_one_line(tmp_path: Path, facts: dict[str, object], said: str) -> None:
    folder = write_truth(tmp_path / "truth", 4, SIZE, (2, 1), **facts)
    with pytest.raises(RecipeError, match=said) as caught:
        read_truth(folder)
    assert "\n" not in str(caught.value)


def test_a_folder_that_holds_no_truth(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"facts.json"):
        read_truth(tmp_path)
    folder = write_truth(tmp_path / "truth", 4, SIZE, (2, 1))
    (folder / "shot0.npz").write_bytes(b"PK nothing of the kind")
    with pytest.raises(RecipeError, match=r"shot0.npz"):
        read_truth(folder)
