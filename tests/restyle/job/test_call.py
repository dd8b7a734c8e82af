"""Footage in and out as arrays."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import read_pictures
from scenes import texture

import restyle
from restyle.footage import probe

AS_IT_WAS: Any = {"painter": "identity", "keyframes": "every:1", "codec": "ffv1"}


def frames(count: int = 6, *, dtype: type = np.uint8) -> np.ndarray:
    world = texture(40, 80, 3) if dtype is np.uint8 else texture(40, 80, 3).astype(np.uint16) * 257
    return np.stack([world[:, 2 * number : 2 * number + 48] for number in range(count)])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_nobody_paints_comes_back_as_it_was(dtype: type) -> None:
    given = frames(dtype=dtype)
    back = list(restyle.restyle(given, rate=24, painter="identity", keyframes="every:1"))
    assert [each.dtype for each in back] == [dtype] * 6
    assert np.array_equal(np.stack(back), given)


def test_frames_may_come_one_by_one_and_are_painted() -> None:
    given = frames()
    back = list(restyle.restyle(iter(given), rate=Fraction(24000, 1001), style="lava"))
    assert len(back) == 6
    assert all(each.shape == (40, 48, 3) for each in back)
    assert np.abs(back[2].astype(int) - given[2]).mean() > 20


def test_arrays_become_a_file_that_is_resumed(tmp_path: Path) -> None:
    given = frames()
    result = restyle.restyle(given, tmp_path / "out.mkv", rate=12, **AS_IT_WAS)
    assert probe(tmp_path / "out.mkv").rate == 12
    assert all(np.array_equal(made, frame) for made, frame in zip(read_pictures(result.output), given, strict=True))
    again = restyle.restyle(given, tmp_path / "out.mkv", rate=12, overwrite=True, **AS_IT_WAS)
    assert again.reused == 6


def test_closing_early_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = restyle.restyle(frames(), rate=24, painter="identity")
    assert isinstance(made, Iterator)
    next(made)
    made.close()  # type: ignore[attr-defined]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ([], "no frames"),
        (np.zeros((3, 8, 8), np.uint8), "frame 0 is 8 x 8 of uint8"),
        (np.zeros((2, 8, 8, 3), np.float64), "uint8 or uint16"),
        (
            [np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)],
            "frame 1 is 8 x 9 x 3 of uint8, and the first",
        ),
    ],
)
def test_what_are_no_frames_are_one_line(given: list[np.ndarray], line: str) -> None:
    with pytest.raises(restyle.FootageError, match=line):
        list(restyle.restyle(given, rate=24, painter="identity"))


def test_arrays_need_a_rate_and_files_an_output() -> None:
    with pytest.raises(restyle.RecipeError, match="rate=24"):
        list(restyle.restyle(frames(), painter="identity"))
    with pytest.raises(restyle.RecipeError, match="an output is needed"):
        restyle.restyle("clip.mp4")  # type: ignore[call-overload]
