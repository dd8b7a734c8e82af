"""Prompts as a person writes them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from controls.prompts import check_prompts, parse_object
from controls.types import Box, Matte, MatteClip, MatteFolder, People, Point, Prompted, Text


def test_every_form_is_understood() -> None:
    assert parse_object("car=point:120,340@0") == Prompted("car", 0, Point(120, 340))
    assert parse_object("car=not:12.5,34@7") == Prompted("car", 7, Point(12.5, 34, positive=False))
    assert parse_object("my-car_2=box:1,2,30,40@12") == Prompted("my-car_2", 12, Box(1, 2, 30, 40))
    assert parse_object("car=text:red car, left@3") == Prompted("car", 3, Text("red car, left"))
    assert parse_object("car=point:5,6") == Prompted("car", 0, Point(5, 6))
    assert parse_object("car=people") == Prompted("car", 0, People())


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (np.array([[0, 51, 255]], np.uint8), "m.png"),
        (np.array([[0, 13107, 65535]], np.uint16), "m.png"),
        (np.array([[-1, 0.2, 7]], np.float32), "m.exr"),
    ],
)
def test_a_matte_is_read_in_its_own_depth(
    values: np.ndarray, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENCV_IO_ENABLE_OPENEXR", "1")
    monkeypatch.chdir(tmp_path)
    cv2.imwrite(name, values)
    Path(name).rename(f"a@2x {name}")
    read = parse_object(f"car=matte:a@2x {name}@5")
    assert read.frame == 5
    assert isinstance(read.prompt, Matte)
    np.testing.assert_allclose(read.prompt.values, [[0, 0.2, 1]], atol=1e-6)


def test_a_transparent_pictures_alpha_is_the_matte(tmp_path: Path) -> None:
    picture = np.full((2, 3, 4), 255, np.uint8)
    picture[:, 0, 3] = 0
    cv2.imwrite(str(tmp_path / "m.png"), picture)
    prompted = parse_object(f"car=matte:{tmp_path / 'm.png'}")
    assert isinstance(prompted.prompt, Matte)
    assert prompted.frame == 0
    np.testing.assert_array_equal(prompted.prompt.values, [[0, 1, 1], [0, 1, 1]])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("point:1,2@0", "NAME=PROMPT"),
        ("car=dot:1,2@0", "a prompt is point:X,Y@F"),
        ("car=point:1@0", "2 numbers"),
        ("car=point:1,nan@0", "2 numbers"),
        ("car=box:1,2,3@0", "4 numbers"),
        ("car=box:9,2,3,4@0", "left < right"),
        ("car=point:1,2@x", "whole number"),
        ("car=point:1,2@-1", "whole number"),
        ("a/b=point:1,2@0", "letters, digits"),
        ("=point:1,2@0", "letters, digits"),
        ("é" * 101 + "=point:1,2@0", "at most 200 bytes"),
        ("car=text: @0", "what to look for"),
        ("car=matte:@0", "matte's file"),
        ("car=matte:none.png@0", "no such file"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        parse_object(text)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    for content in (b"", b"no picture"):
        (tmp_path / "m.png").write_bytes(content)
        with pytest.raises(ValueError, match=r"m\.png.* is no picture"):
            parse_object(f"car=matte:{tmp_path / 'm.png'}@0")


def test_mattes_that_are_there_are_a_folder_or_a_clip(tmp_path: Path) -> None:
    clip = tmp_path / "car#1.mov"
    clip.touch()
    assert parse_object(f"car=mattes:{clip}") == Prompted("car", 0, MatteClip(clip))
    assert parse_object(f"car=mattes:{tmp_path}#2") == Prompted("car", 0, MatteFolder(tmp_path, 2))


def test_prompts_inside_of_the_shot_pass() -> None:
    check_prompts([Prompted("a", 9, Point(63, 47)), Prompted("a", 0, Point(0, 0, positive=False))], (64, 48), 10)
    check_prompts(
        [Prompted("a", 0, Box(0, 0, 64, 48)), Prompted("b", 0, Matte(np.ones((48, 64), np.float32)))], (64, 48), 1
    )


@pytest.mark.parametrize(
    ("prompted", "says"),
    [
        (Prompted("car", 0, Point(64, 5)), r"'car': \(64, 5\) is outside of the picture, 64x48: x runs from 0 to 63"),
        (Prompted("car", 0, Point(5, -1)), "outside of the picture, 64x48"),
        (Prompted("car", 0, Box(-3, 0, 5, 5)), r"box -3,0,5,5 reaches outside of the picture, 64x48"),
        (Prompted("car", 10, Point(5, 5)), "no frame 10; the shot has frames 0 to 9"),
        (Prompted("car", 0, Matte(np.ones((64, 48), np.float32))), "the matte is 48x64, the picture 64x48"),
        (Prompted("car", 0, Matte(np.zeros((48, 64), np.float32))), "is empty"),
        (Prompted("car", 0, Point(5, 5, positive=False)), "only places that it is not at"),
    ],
)
def test_prompts_outside_of_the_shot_are_refused(prompted: Prompted, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        check_prompts([Prompted("ok", 0, Point(1, 1)), prompted], (64, 48), 10)
    assert "\n" not in str(caught.value)


def test_no_prompt_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="no object is marked"):
        check_prompts([], (64, 48), 10)
