"""Footage in and out as arrays."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from clips import read_pictures
from scenes import texture

import restyle
from restyle.footage import probe


class Negative(restyle.Painter):
    """Paints negatives, and remembers what it was asked for."""

    name = "negative"
    capabilities = restyle.Capabilities()
    identity: ClassVar[dict[str, int]] = {"method": 1}

    def __init__(self) -> None:
        self.painted: list[int] = []
        self.closed = False

    def paint(
        self, request: restyle.PaintRequest, carry: restyle.Carry | None
    ) -> tuple[list[np.ndarray], restyle.Carry]:
        self.painted += [frame for index, frame in enumerate(request.frames) if index not in request.fixed]
        pairs = enumerate(request.pictures)
        return [request.fixed.get(index, 255 - picture) for index, picture in pairs], restyle.Carry()

    def close(self) -> None:
        self.closed = True


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


def test_a_painter_of_the_programs_own_paints_and_stays_open(tmp_path: Path) -> None:
    given, painter = frames(), Negative()
    back = list(restyle.restyle(given, rate=24, painter=painter, keyframes="every:1"))
    assert np.array_equal(np.stack(back), 255 - given)
    assert painter.painted == [*range(6)]
    result = restyle.restyle(given, tmp_path / "out.mkv", rate=24, painter=painter, keyframes="every:1", codec="ffv1")
    assert np.array_equal(np.stack(read_pictures(result.output)), 255 - given)
    again = Negative()
    options: Any = {"rate": 24, "keyframes": "every:1", "codec": "ffv1", "overwrite": True}
    assert restyle.restyle(given, tmp_path / "out.mkv", painter=again, **options).reused == 6
    assert again.painted == []  # another one with the same identity paints the same
    again.identity = {"method": 2}  # type: ignore[misc]
    restyle.restyle(given, tmp_path / "out.mkv", painter=again, **options)
    assert again.painted == [*range(6)]
    assert not painter.closed
    assert not again.closed


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_keyframes_are_given_as_arrays(tmp_path: Path, dtype: type) -> None:
    given = frames(dtype=dtype)
    mine = np.full_like(given[0], 70) if dtype is np.uint8 else np.full_like(given[0], 18_000)
    options: Any = {"rate": 24, "painter": "identity", "keyframes": "every:1", "storyboard": {2: mine}}
    back = list(restyle.restyle(given, **options))
    assert np.array_equal(back[2], mine)
    assert np.array_equal(back[3], given[3])
    result = restyle.restyle(given, tmp_path / "out.mkv", codec="ffv1", **options)
    assert np.array_equal(read_pictures(result.output)[2] if dtype is np.uint8 else mine, mine)
    again = restyle.restyle(given, tmp_path / "out.mkv", codec="ffv1", overwrite=True, **options)
    assert again.reused == 6


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"painter": object()}, "derive it from restyle.painters.base.Painter"),
        ({"painter": Negative(), "style": "lava"}, "'negative' is given as it is: style is its own"),
        ({"painter": Negative(), "painter_options": {"a": 1}}, "painter_options is its own"),
        ({"painter": Negative(), "controls": [{"kind": "canny"}]}, "does not ask for control maps canny"),
        ({"painter": Negative(), "prompt": "a harbour"}, "does not read prompts"),
        ({"painter": Negative(), "jobs": 2}, "leave jobs and engine out"),
        ({"storyboard": {0: np.zeros((40, 48))}}, "frame 0 is 40 x 48 of float64: a painting is H x W x 3"),
        ({"storyboard": {0: np.zeros((20, 48, 3), np.uint8)}}, "is 48x20, the footage 48x40"),
        ({"storyboard": {-1: np.zeros((40, 48, 3), np.uint8)}}, "storyboard"),
    ],
)
def test_objects_that_do_not_fit_are_one_line(tmp_path: Path, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(restyle.RestyleError, match=says) as caught:
        restyle.restyle(frames(), tmp_path / "out.mkv", rate=24, **fields)
    assert "\n" not in str(caught.value)
