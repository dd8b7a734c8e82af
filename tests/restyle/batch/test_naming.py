"""Names of results."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from restyle.batch.clips import Clip
from restyle.batch.naming import Names, check_template, output_name
from restyle.errors import RecipeError
from restyle.recipe import Recipe

LAVA = Recipe(style="lava")


def named(source: str, template: str | None = None, *, folder: str = "day1", recipe: Recipe = LAVA, **more: str) -> str:
    stem = Path(source).parent.name if "%" in source else Path(source).stem
    return str(output_name(Clip(Path(source), PurePosixPath(folder), stem, **more), recipe, template))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("in/a.mov", "day1/a.mov"),
        ("in/a.MP4", "day1/a.MP4"),
        ("in/a.v2.mkv", "day1/a.v2.mkv"),
        ("in/a.mp4.mkv", "day1/a.mp4.mkv"),
        ("in/a.mxf", "day1/a.mp4"),
        ("in/a.gif", "day1/a.mp4"),
        ("in/shot/frame.%04d.exr", "day1/shot/frame.%04d.exr"),
    ],
)
def test_clips_keep_their_names(source: str, name: str) -> None:
    assert named(source) == name


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{stem}_{style}.mp4", "day1/a_lava.mp4"),
        ("{stem}_{style}", "day1/a_lava.mov"),
        ("{folder}-{stem}.webm", "day1-a.webm"),
        ("{style}/{stem}-{seed}.{ext}", "day1/lava/a-0.mov"),
        ("{painter}/{stem}.v2", "day1/neural-style/a.v2.mov"),
    ],
)
def test_a_template_makes_the_names(template: str, name: str) -> None:
    check_template(template)
    assert named("in/a.mov", template) == name


def test_a_sequence_is_a_clip_or_a_folder_by_its_template() -> None:
    assert named("in/shot/f.%04d.png", "{stem}_{style}.mp4") == "day1/shot_lava.mp4"
    assert named("in/shot/f.%04d.png", "{stem}_{style}") == "day1/shot_lava/f.%04d.png"


def test_styles_of_any_kind_can_stand_in_a_name() -> None:
    assert (
        named("a.mp4", "{stem}_{style}.mp4", recipe=Recipe(style="mosaic:0.6,lava:0.4"))
        == "day1/a_mosaic-0.6-lava-0.4.mp4"
    )
    assert named("a.mp4", "{stem}_{style}.mp4", recipe=Recipe(style="art/sun set.jpg")) == "day1/a_sun-set.mp4"
    assert named("a.mp4", "{stem}_{style}.mp4", recipe=Recipe()) == "day1/a_default.mp4"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{stme}.mp4", r"holds \{stme\}; there are \{stem\}, \{folder\}"),
        ("{stem.mp4", "is no template"),
        ("{}.mp4", r"holds \{\}"),
        ("all.mp4", r"is the same for every clip: put \{stem\} into it"),
    ],
)
def test_a_template_that_cannot_be_is_told(template: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        check_template(template)


@pytest.mark.parametrize("output", ["../a.mp4", "/tmp/a.mp4", "b/../../a.mp4", "batch.restyle/a.mp4"])
def test_no_result_leaves_the_output(output: str) -> None:
    with pytest.raises(RecipeError, match="not in the output: name it within the output folder"):
        named("in/a.mp4", output=output)


@pytest.mark.parametrize("other", ["day1/a.mp4", "DAY1/A.mp4"])
def test_two_clips_for_one_name_are_told_in_capitals_or_not(other: str) -> None:
    names = Names()
    names.take(PurePosixPath("day1/a.mp4"), Clip(Path("in/a.mxf")))
    names.take(PurePosixPath("day1/b.mp4"), Clip(Path("in/b.mxf")))
    with pytest.raises(RecipeError, match=r"^'in/a.mxf' and 'in/A.avi' would both be written to '.*': tell them apart"):
        names.take(PurePosixPath(other), Clip(Path("in/A.avi")))
