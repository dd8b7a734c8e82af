"""Values as they are written on the command line."""

from __future__ import annotations

import pytest

from restyle.cli.parsing import (
    parse_controls,
    parse_cuts,
    parse_keyframes,
    parse_layers,
    parse_options,
    parse_prompts,
    parse_storyboard,
)
from restyle.errors import RecipeError


def test_keyframe_text_that_is_none_of_the_forms_is_refused() -> None:
    with pytest.raises(RecipeError, match="--keyframes is"):
        parse_keyframes("8;9")


def test_storyboard_items() -> None:
    assert parse_storyboard(["3=a.png", "10=b=c.png"]) == {3: "a.png", 10: "b=c.png"}
    for wrong in ("a.png", "x=a.png", "3="):
        with pytest.raises(RecipeError, match="FRAME=PICTURE"):
            parse_storyboard([wrong])
    with pytest.raises(RecipeError, match="twice"):
        parse_storyboard(["3=a.png", "3=b.png"])


def test_cuts() -> None:
    assert [parse_cuts(text) for text in ("auto", "none", "96,240")] == ["auto", "none", (96, 240)]
    with pytest.raises(RecipeError, match="--cuts is"):
        parse_cuts("here")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("car:colour=red", "fields are"),
        ("car:feather=-2", "feather"),
        ("car:mode=paint", "mode"),
        ("car:mode=replace", "source"),
    ],
)
def test_a_wrong_layer_is_one_line(text: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said) as error:
        parse_layers([text])
    assert "\n" not in str(error.value)


def test_layers_on_the_command_line() -> None:
    assert parse_layers(["car:style=mosaic,keep-colour=true,feather=6", "dog"]) == [
        {"object": "car", "style": "mosaic", "keep_colour": True, "feather": 6.0},
        {"object": "dog"},
    ]


def test_controls() -> None:
    assert parse_controls(["depth, softedge", "pose=maps"]) == [
        {"kind": "depth"},
        {"kind": "softedge"},
        {"kind": "pose", "source": "maps"},
    ]
    assert parse_controls(["canny:strength=0.8,end=0.6"]) == [{"kind": "canny", "strength": 0.8, "end": 0.6}]
    for wrong, says in (("depth:colour=1", "fields are"), ("depth:strength=9", "strength")):
        with pytest.raises(RecipeError, match=says):
            parse_controls([wrong])


def test_prompts() -> None:
    assert parse_prompts(["shot:2=a = b", "frame:48=rain"]) == [
        {"shot": 2, "prompt": "a = b"},
        {"frame": 48, "prompt": "rain"},
    ]
    for wrong in ("shot=rain", "scene:1=rain", "shot:x=rain", "shot:1"):
        with pytest.raises(RecipeError, match="--prompt-at is"):
            parse_prompts([wrong])


def test_options_of_parts() -> None:
    assert parse_options(["hold=0.5", "some-name=text", "on=true"], "--painter-option", "hold=0.5") == {
        "hold": 0.5,
        "some_name": "text",
        "on": True,
    }
    with pytest.raises(RecipeError, match="--masker-option is NAME=VALUE, for example edge=4"):
        parse_options(["edge"], "--masker-option", "edge=4")
