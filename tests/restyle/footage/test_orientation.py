from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.sidedata.sidedata import Type
from clips import moving_frames, psnr, write_clip

from restyle.footage import open_footage, probe
from restyle.footage.orientation import display_matrix, stored, upright

RIGHT = [(a, b, c, d) for a, b, c, d in (
    (1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, -1, 0), (0, -1, -1, 0),
)]  # fmt: skip
"""All eight: x' = a x + c y, y' = b x + d y, y down."""


def matrix_of(way: tuple[int, int, int, int], width: int, height: int) -> list[int]:
    """With the shift that brings the picture back among the positive numbers, as cameras write it."""
    a, b, c, d = way
    left = (width if a < 0 else 0) + (height if c < 0 else 0)
    top = (width if b < 0 else 0) + (height if d < 0 else 0)
    one = 1 << 16
    return [a * one, b * one, 0, c * one, d * one, 0, left * one, top * one, 1 << 30]


def shown(picture: np.ndarray, way: tuple[int, int, int, int]) -> np.ndarray:
    a, b, c, d = way
    if a == 0:
        picture, a, d = picture.swapaxes(0, 1), c, b
    return np.ascontiguousarray(picture[:: d or 1, :: a or 1])


def matrix_in(path: Path) -> list[int] | None:
    with av.open(str(path)) as container:
        data = [x for x in next(container.decode(video=0)).side_data if x.type == Type.DISPLAYMATRIX]
        return list(np.frombuffer(bytes(data[0]), np.int32)) if data else None


@pytest.mark.parametrize("way", RIGHT)
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi"])
def test_every_orientation_goes_in_upright_and_out_as_it_was(tmp_path: Path, way, suffix: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    pictures = moving_frames(3, (64, 48))
    matrix = matrix_of(way, 64, 48)
    source = write_clip(tmp_path / "in.mov", pictures, display_matrix=matrix, pixel_aspect=Fraction(4, 3))
    done = pass_through(source, f"out{suffix}")
    for frame, picture in zip(done.frames, pictures, strict=True):
        assert psnr(frame.picture, shown(picture, way)) > 31
    tagged = suffix in (".mp4", ".mov") and way != (1, 0, 0, 1)
    assert matrix_in(done.path) == (matrix if tagged else None)
    for frame, picture in zip(open_footage(done.path).frames(), pictures, strict=True):
        assert psnr(frame.picture, shown(picture, way)) > 28
    if suffix != ".avi":
        assert probe(done.path).pixel_aspect == done.source.pixel_aspect


@pytest.mark.parametrize("way", RIGHT)
def test_matroska_tells_all_eight(tmp_path: Path, way: tuple[int, int, int, int]) -> None:
    pictures = moving_frames(2, (64, 48))
    source = write_clip(tmp_path / "in.mkv", pictures, display_matrix=matrix_of(way, 64, 48))
    frame = next(open_footage(source).frames())
    assert psnr(frame.picture, shown(pictures[0], way)) > 31
    small = next(open_footage(source).frames(size=(frame.picture.shape[1] // 2, frame.picture.shape[0] // 2))).picture
    assert psnr(small, np.ascontiguousarray(shown(pictures[0], way)[::2, ::2])) > 15


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_there_and_back(rotation: int, mirrored: bool) -> None:
    picture = moving_frames(1, (64, 48))[0]
    there = upright(picture, rotation, mirrored)
    assert np.array_equal(stored(there, rotation, mirrored), picture)
    a, b, _, c, d = (value >> 16 for value in display_matrix(rotation, mirrored)[:5])
    assert np.array_equal(there, shown(picture, (a, b, c, d)))


def test_other_angles_are_said(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", moving_frames(2, (64, 48)), rotation=60)
    spec = probe(source)
    assert spec.rotation == 90
    assert spec.notes == ("its pictures are tagged to be shown turned by 60 degrees; taken as 90",)
    assert spec.display_matrix is None
