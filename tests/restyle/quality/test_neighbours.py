"""Sheets of neighbouring frames: the right frames, in the right places."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from clips import number_of, numbered_frames, write_clip

from restyle.errors import FootageError
from restyle.quality.neighbours import Clip, Spot, spots_of, write_neighbours
from restyle.quality.stored_report import PaintedFrame, StoredMoment, StoredReport

SIZE = (64, 48)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mp4", numbered_frames(30, SIZE))


def numbers_in(sheet: Path, count: int, size: tuple[int, int] = SIZE) -> list[list[int]]:
    """Numbers drawn into the pictures of a strip, row by row: they stand 4 pixels apart, 12 from the edge."""
    picture = cv2.cvtColor(cv2.imread(str(sheet)), cv2.COLOR_BGR2RGB)
    width, height = size
    rows = (picture.shape[0] - 12 - 24) // (height + 4)
    assert picture.shape[1] == 24 + count * (width + 4) - 4
    return [
        [
            number_of(
                picture[12 + row * (height + 4) + height // 2 :][: height // 2, 12 + at * (width + 4) :][:, :width]
            )
            for at in range(count)
        ]
        for row in range(rows)
    ]


def test_neighbours_stand_from_left_to_right_and_the_result_beneath(source: Path, tmp_path: Path) -> None:
    part = write_clip(tmp_path / "out.mp4", numbered_frames(30, SIZE)[10:25])  # of a job with --range 10:25
    clips = [Clip("source", source), Clip("result", part, first=10)]
    spots = [Spot("b", 24, "last"), Spot("a", 15, "within"), Spot("c", 10, "first"), Spot("d", 16, "within")]
    written = write_neighbours(spots, clips, tmp_path, around=2, long_side=64)
    assert [path.name for path in written] == ["a.png", "b.png", "c.png", "d.png"]
    assert numbers_in(tmp_path / "a.png", 5) == [[13, 14, 15, 16, 17]] * 2
    assert numbers_in(tmp_path / "d.png", 5) == [[14, 15, 16, 17, 18]] * 2
    assert numbers_in(tmp_path / "b.png", 3) == [[22, 23, 24]] * 2
    assert numbers_in(tmp_path / "c.png", 3) == [[10, 11, 12]] * 2


def test_a_part_of_the_picture_is_enlarged(source: Path, tmp_path: Path) -> None:
    spot = Spot("part", 6, "worst", box=(0, 0, 16, 16))
    write_neighbours([spot], [Clip("source", source)], tmp_path, around=1, long_side=80)
    picture = cv2.imread(str(tmp_path / "part.png"))
    assert picture.shape == (12 + 84 + 24, 24 + 3 * 84 - 4, 3)
    shown = picture[12 + 40 : 12 + 80, 12 + 84 : 12 + 164]  # bits 0 and 1 of frame 6: dark, bright
    assert shown[:, :30].mean() < 60 < 180 < shown[:, -30:].mean()


def test_a_frame_that_is_not_there_and_clips_of_two_sizes_are_told(source: Path, tmp_path: Path) -> None:
    with pytest.raises(FootageError, match=r"no frame 40 .* end together after frame 29"):
        write_neighbours([Spot("x", 40, "")], [Clip("source", source)], tmp_path, around=2, long_side=64)
    other = write_clip(tmp_path / "wide.mp4", numbered_frames(4, (96, 48)))
    with pytest.raises(FootageError, match=r"96x48.*64x48.*one size"):
        write_neighbours([Spot("x", 1, "")], [Clip("a", source), Clip("b", other)], tmp_path, around=1, long_side=64)
    spot = Spot("x", 1, "", box=(100, 0, 140, 40))
    with pytest.raises(FootageError, match="footage of that job"):
        write_neighbours([spot], [Clip("a", source)], tmp_path, around=1, long_side=64)


def test_a_report_names_painted_frames_and_worst_moments() -> None:
    painted = tuple(PaintedFrame(frame, "coverage") for frame in range(0, 100, 10))
    moments = (StoredMoment(41, 1.4, (0, 0, 40, 40)), StoredMoment(12, 0.5, (8, 8, 48, 48)))
    spots = spots_of(StoredReport("bad", "Bad.", {}, 0, painted, moments), most=3)
    assert [spot.frame for spot in spots] == [0, 40, 90, 41, 12]
    assert [spot.box for spot in spots[3:]] == [(0, 0, 40, 40), (8, 8, 48, 48)]
    assert "explain too little" in spots[0].label
    assert "loses 1.00" in spots[3].label
    assert len({spot.name for spot in spots}) == 5
