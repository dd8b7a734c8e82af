"""Maps written, edited by hand, and read back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from controls.errors import ControlError
from controls.maps.canny import Canny
from controls.maps.depth_maps import depth_map
from controls.maps.files import read_map, read_maps, write_map
from controls.maps.people import Person
from controls.maps.pose_maps import pose_map
from controls.types import ControlMap


def ramp(width: int = 61, height: int = 33) -> np.ndarray:
    return np.linspace(0, 1, width * height, dtype=np.float32).reshape(height, width)


def test_pictures_come_back_as_they_were(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    maps = [(frame, ControlMap("normal", draw.integers(0, 255, (9, 14, 3), np.uint8))) for frame in (3, 4, 12)]
    files = [write_map(tmp_path / "normal", frame, normals) for frame, normals in maps]
    assert [file.name for file in files] == ["000003.png", "000004.png", "000012.png"]
    kept = read_maps(tmp_path / "normal", "normal")
    assert kept.frames == [3, 4, 12]
    for frame, made in maps:
        again = kept.load(frame, (14, 9))
        assert np.array_equal(again.picture, made.picture)
        assert again.kind == "normal"


@pytest.mark.parametrize(("bits", "step"), [(8, 255), (16, 65535)])
def test_depth_keeps_its_values(tmp_path: Path, bits: int, step: int) -> None:
    made = depth_map(ramp())
    file = write_map(tmp_path, 7, made, bits=bits)
    raw = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    assert raw.dtype == (np.uint8 if bits == 8 else np.uint16)
    again = read_map(file, "depth")
    assert again.values is not None
    assert np.abs(again.values - ramp()).max() <= 1 / step
    assert np.abs(again.picture.astype(int) - made.picture).max() <= (0 if bits == 8 else 1)


def test_a_pattern_and_another_program_s_files(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "take2.depth.0101.png"), np.rint(ramp() * 65535).astype(np.uint16))
    cv2.imwrite(str(tmp_path / "take2.depth.0102.png"), np.rint(ramp() * 255).astype(np.uint8))
    cv2.imwrite(str(tmp_path / "other.0101.png"), np.zeros((4, 4), np.uint8))
    (tmp_path / "notes.txt").write_text("x")
    kept = read_maps(tmp_path / "take2.depth.%04d.png", "depth")
    assert kept.frames == [101, 102]
    for frame in kept.frames:
        values = kept.load(frame).values
        assert values is not None
        assert np.abs(values - ramp()).max() <= 1 / 255
    cv2.imwrite(str(tmp_path / "rgba.0001.png"), np.dstack([np.full((4, 4), c, np.uint8) for c in (1, 2, 3, 255)]))
    assert read_map(tmp_path / "rgba.0001.png", "canny").picture[0, 0].tolist() == [3, 2, 1]
    with pytest.raises(ControlError, match="both of frame 101"):
        read_maps(tmp_path, "depth")


def test_joints_come_back_unless_the_picture_was_edited(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    joints = np.column_stack([draw.uniform(9, 90, (18, 2)), np.ones(18)]).astype(np.float32)
    made = pose_map([Person(joints)], 120, 100)
    file = write_map(tmp_path, 0, made)
    again = read_map(file, "pose")
    assert again.facts["people"] == made.facts["people"]
    edited = made.picture.copy()
    edited[:20] = 0
    edited[40:60, 40:60] = 255
    cv2.imwrite(str(file), edited[..., ::-1])
    again = read_map(file, "pose")
    assert "people" not in again.facts
    assert np.array_equal(again.picture, edited)
    file.with_suffix(".json").write_text('{"people": [{"tail": 1}]}')
    with pytest.raises(ControlError, match="cannot be read"):
        read_map(file, "pose")


def test_what_cannot_be_read_says_why_on_one_line(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "first.png").write_bytes(b"no picture")
    for place, said in (
        (tmp_path / "nowhere", "there is no folder"),
        (tmp_path / "nowhere" / "f.%04d.png", "there is no folder"),
        (empty, "no maps in"),
        (odd, "has no number"),
    ):
        with pytest.raises(ControlError, match=said) as caught:
            read_maps(place, "canny")
        assert "\n" not in str(caught.value)
    (odd / "first.png").rename(odd / "0001.png")
    kept = read_maps(odd, "canny")
    with pytest.raises(ControlError, match="is no picture"):
        kept.load(1)
    with pytest.raises(ControlError, match="no canny map of frame 2"):
        kept.load(2)
    with pytest.raises(ControlError, match="no such file"):
        read_map(odd / "0009.png", "canny")
    write_map(odd, 1, Canny().detect(np.zeros((8, 9, 3), np.uint8)))
    (odd / "0001.png").unlink()
    with pytest.raises(ControlError, match="is 9x8, but the footage is 18x16"):
        read_maps(odd, "canny").load(1, (18, 16))


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    made = Canny().detect(np.zeros((8, 9, 3), np.uint8))
    with pytest.raises(ControlError, match="8 or 16 bits"):
        write_map(tmp_path, 0, made, bits=12)
    with pytest.raises(ControlError, match="only depth is kept with 16 bits"):
        write_map(tmp_path, 0, made, bits=16)
    assert not list(tmp_path.iterdir())
