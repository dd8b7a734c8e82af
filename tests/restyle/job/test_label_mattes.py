"""Mattes that are labels, or faint: what becomes of the object, and what is said."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import moving_frames, write_pictures

from restyle.errors import RecipeError
from restyle.job.job import Job
from restyle.recipe import Recipe


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "shot", moving_frames(3, (32, 24)), "f.%04d.png")
    return tmp_path / "shot"


def mattes(folder: Path, inside: int, other: int = 0, count: int = 3) -> Path:
    folder.mkdir()
    for number in range(count):
        values = np.zeros((24, 32), np.uint8)
        values[4:12, 4:12], values[14:20, 4:12] = inside, other
        cv2.imwrite(str(folder / f"{number:04d}.png"), values)
    return folder


def follow(shot: Path, out: Path, *objects: str) -> tuple[list[str], dict[str, float]]:
    """The notes, and the share of the picture that each object takes in the second frame."""
    notes = Job(shot, None, Recipe(objects=objects)).mattes(out)
    shares = {}
    for folder in out.glob("[!.]*"):
        files = sorted(folder.iterdir())
        shares[folder.name] = float(cv2.imread(str(files[1]), cv2.IMREAD_GRAYSCALE).mean()) / 255
    return notes, shares


def test_an_object_of_labels_is_wholly_the_object_and_that_is_said(shot: Path, tmp_path: Path) -> None:
    two = mattes(tmp_path / "two", 1, 2)
    one = mattes(tmp_path / "one", 1)
    drawn = two / "0001.png"
    notes, shares = follow(
        shot,
        tmp_path / "out",
        f"both=mattes:{two}",
        f"second=mattes:{two}#2",
        f"one=mattes:{one}",
        f"drawn=matte:{drawn}#1@0",
    )
    assert shares["both"] == pytest.approx((64 + 48) / 768, abs=1e-3)
    assert shares["second"] == pytest.approx(48 / 768, abs=1e-3)
    assert shares["one"] == pytest.approx(64 / 768, abs=1e-3)
    assert [note for note in notes if "labels 1, 2" in note and "'both'" in note and "#2 takes one alone" in note]
    assert [note for note in notes if "0 and 1" in note and "'one'" in note]
    assert not [note for note in notes if "'second'" in note]


def test_a_label_that_is_not_there_is_refused_before_any_work(shot: Path, tmp_path: Path) -> None:
    two = mattes(tmp_path / "two", 1, 2)
    with pytest.raises(RecipeError, match="no label 3; there are: 1, 2"):
        follow(shot, tmp_path / "out", f"a=mattes:{two}#3")
    assert not (tmp_path / "out").exists()


def test_a_faint_matte_is_said(shot: Path, tmp_path: Path) -> None:
    notes, _ = follow(shot, tmp_path / "out", f"a=mattes:{mattes(tmp_path / 'faint', 20)}")
    assert [note for note in notes if "'a'" in note and "never rise above 7.8 %" in note]
    notes, _ = follow(shot, tmp_path / "again", f"a=mattes:{mattes(tmp_path / 'strong', 200)}")
    assert notes == []


def test_a_change_of_labelled_mattes_is_noticed(shot: Path, tmp_path: Path) -> None:
    from restyle.job.mattes import matte_files

    two = mattes(tmp_path / "two", 1, 2)
    assert matte_files([f"a=mattes:{two}#2"]) == sorted(two.iterdir())
    assert matte_files([f"a=matte:{two / '0000.png'}#2@1"]) == [two / "0000.png"]
