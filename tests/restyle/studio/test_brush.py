"""Mattes painted by hand: strokes, their files, and the prompts that name them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, write_clip

from controls.masks.files import read_matte
from controls.prompts import split_object
from restyle import FramePreview, Recipe, RecipeError
from restyle.studio.brush import brushed, save_matte, with_matte
from restyle.studio.open_clip import OpenClip

EMPTY = np.zeros((40, 60), np.float32)


def test_a_stroke_covers_what_lies_within_its_radius() -> None:
    rows, columns = np.mgrid[0:40, 0:60]
    dot = brushed(EMPTY, [8, 30, 20], away=False)
    far = np.hypot(columns - 30, rows - 20)
    assert (dot[far < 7] == 1).all()
    assert not dot[far > 9.5].any()
    line = brushed(EMPTY, [4, 10, 20, 50, 20], away=False)
    assert (line[17:24, 10:51] == 1).all()
    assert not line[26:].any()
    left = brushed(line, [6, 30, 20], away=True)
    assert left[20, 30] == 0
    assert left[20, 15] == line[20, 15] == 1


@pytest.mark.parametrize("stroke", [[4.0, 1.0], [4.0, 1.0, 2.0, 3.0], [4.0, float("nan"), 1.0], [1.0] * 20_001])
def test_what_is_no_stroke_is_refused(stroke: list[float]) -> None:
    with pytest.raises(RecipeError, match="a stroke is"):
        brushed(EMPTY, stroke, away=False)


def test_strokes_far_outside_do_no_harm() -> None:
    assert not brushed(EMPTY, [4, 1e9, -1e9, 1e9, 1e9], away=False).any()


def test_the_file_is_the_matte_and_what_was_there_before_stays(tmp_path: Path) -> None:
    first = save_matte(tmp_path, "car", 3, brushed(EMPTY, [8, 30, 20], away=False))
    second = save_matte(tmp_path, "car", 3, brushed(EMPTY, [9, 30, 20], away=False))
    assert first != second
    assert first.exists()
    assert np.abs(read_matte(second) - brushed(EMPTY, [9, 30, 20], away=False)).max() < 1 / 255


def test_the_painted_matte_takes_the_place_of_the_objects_marks_on_that_frame() -> None:
    marks = ("a=point:1,1@0", "b=box:1,1,5,5@0", "a=not:9,9@0", "a=point:2,2@7")
    told = with_matte(marks, "a", 0, Path("x@1.png"))
    assert told == ("a=matte:x@1.png@0", "b=box:1,1,5,5@0", "a=point:2,2@7")
    assert split_object(told[0]).value == "x@1.png"
    assert with_matte(marks, "c", 4, Path("y"))[-1] == "c=matte:y@4"


def test_strokes_go_on_from_what_is_there_and_a_run_takes_them(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mkv", moving_frames(3, (60, 40)))
    clip = OpenClip(tmp_path / "clip.mkv")
    recipe = Recipe()

    async def paint() -> Recipe:
        painted = recipe
        for stroke, away in (([8.0, 30, 20], False), ([6.0, 12, 20], False), ([3.0, 30, 20], True)):
            objects = await clip.brush(1, "thing", painted, stroke, away=away)
            painted = painted.model_copy(update={"objects": objects})
        with pytest.raises(RecipeError, match="nothing is left of thing"):
            await clip.brush(1, "thing", painted, [60.0, 30, 20], away=True)
        return painted

    painted = asyncio.run(paint())
    assert len(painted.objects) == 1
    drawn = read_matte(Path(split_object(painted.objects[0]).value))
    assert drawn[20, 30] == 0
    assert drawn[20, 25] == drawn[20, 12] == 1
    with FramePreview(tmp_path / "clip.mkv") as preview:
        assert np.array_equal(preview.quick_mattes(1, painted.objects)["thing"], drawn)
    anew = OpenClip(tmp_path / "clip.mkv")  # of another day: nothing is remembered
    assert np.array_equal(anew.mattes_at(1, painted)["thing"], drawn)
    clip.close()
    anew.close()
