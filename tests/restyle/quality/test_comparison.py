"""Comparisons as clips: what lies left and right of the edge, which frames, whose sound."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import numbered_frames, read_pictures, stream_packets, write_clip

from restyle import Cancelled, FootageError, OutputExistsError, RecipeError, write_comparison

DARK, LIGHT = (np.full((48, 64, 3), value, np.uint8) for value in (60, 190))


@pytest.fixture
def clips(tmp_path: Path) -> tuple[Path, Path]:
    write_clip(tmp_path / "left.mp4", [DARK] * 12, audio=True)
    write_clip(tmp_path / "right.mp4", [LIGHT] * 8)
    return tmp_path / "left.mp4", tmp_path / "right.mp4"


def near(picture: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(picture.astype(int) - other.astype(int)).max() < 12)


def test_the_edge_stands_where_it_is_told_to(clips: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    assert write_comparison(*clips, out, wipe=0.25) == 8
    frames = read_pictures(out)
    assert len(frames) == 8
    for frame in frames:
        assert near(frame[:, :10], DARK[:, :10])
        assert near(frame[:, 24:], LIGHT[:, 24:])
    assert frames[0][:, 16].min() > 200  # the line
    assert stream_packets(out, "audio")
    with pytest.raises(OutputExistsError):
        write_comparison(*clips, out)


def test_the_edge_sweeps_from_the_right_to_the_left(tmp_path: Path) -> None:
    for name, picture in (("a.mkv", DARK), ("b.mkv", LIGHT)):
        write_clip(tmp_path / name, [picture] * 9, rate=Fraction(4), codec="ffv1", pixel_format="bgr0")
    write_comparison(tmp_path / "a.mkv", tmp_path / "b.mkv", tmp_path / "out.mp4")
    shares = [float((frame[..., 0] < 125).mean()) for frame in read_pictures(tmp_path / "out.mp4")]
    assert shares[0] == 1
    assert shares[:9] == sorted(shares[:9], reverse=True)
    assert shares[8] == 0


def test_side_by_side_from_the_frames_that_are_told(tmp_path: Path) -> None:
    frames = numbered_frames(10)
    for name, some in (("all.mkv", frames), ("part.mkv", frames[4:9])):
        write_clip(tmp_path / name, some, codec="ffv1", pixel_format="bgr0")
    count = write_comparison(
        tmp_path / "all.mkv", tmp_path / "part.mkv", tmp_path / "out.mp4", layout="beside", starts=(4, 0)
    )
    pictures = read_pictures(tmp_path / "out.mp4")
    assert count == len(pictures) == 5
    for number, picture in enumerate(pictures):
        assert picture.shape == (64, 192, 3)
        for half in (picture[:, :96], picture[:, 96:]):
            assert np.abs(half.astype(int) - frames[4 + number]).mean() < 6


def test_what_cannot_be_compared_is_said(clips: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with pytest.raises(RecipeError, match="wipe or beside"):
        write_comparison(*clips, out, layout="above")  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match="between 0 and 1"):
        write_comparison(*clips, out, wipe=1.5)
    with pytest.raises(FootageError, match=r"left\.mp4' has 12 frames and .*right\.mp4' 8"):
        write_comparison(*clips, out, starts=(0, 8))
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        write_comparison(*clips, out, cancel=cancel)
    assert not out.exists()
