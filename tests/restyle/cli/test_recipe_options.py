"""Options that are made from the recipe's fields."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from clips import moving_frames, write_clip
from command import Caller

from restyle.cli.app import COMMANDS, application
from restyle.cli.recipe_options import OPTIONS, build_recipe, recipe_options
from restyle.recipe import Recipe
from restyle.registry import part_names


def parameters(name: str) -> dict[str, Any]:
    """The parameters of a command, hidden ones too."""
    command = typer.main.get_command(application()).commands[name]  # type: ignore[attr-defined]
    return {parameter.name: parameter for parameter in command.params}


def test_every_field_is_an_option_of_run() -> None:
    assert set(OPTIONS) == set(Recipe.model_fields) - {"version"}
    assert set(OPTIONS) <= set(parameters("run"))


@pytest.mark.parametrize("name", [*COMMANDS])
def test_an_option_is_the_same_wherever_it_is(name: str) -> None:
    ours, runs = parameters(name), parameters("run")
    for field in OPTIONS.keys() & ours.keys():
        if name == "models":  # its own
            continue
        for fact in ("opts", "secondary_opts", "metavar", "help", "multiple", "hidden"):
            assert getattr(ours[field], fact) == getattr(runs[field], fact), (name, field)


def test_help_is_the_first_paragraph_of_the_description() -> None:
    shown = parameters("run")
    assert shown["seed"].help == Recipe.model_fields["seed"].description
    assert shown["style"].help == (Recipe.model_fields["style"].description or "").split("\n\n")[0]
    assert shown["cuts"].help.endswith("or a list such as 96,240.")
    for field in OPTIONS:
        assert shown[field].help, field
        assert "``" not in shown[field].help, field


def test_the_help_names_every_part() -> None:
    shown = parameters("run")
    for names, field in ((part_names("painter"), "painter"), (part_names("filler"), "filler")):
        for name in names:
            assert name in shown[field].help


def test_types_follow_the_fields() -> None:
    def takes(terminal: Any, recipe: Recipe) -> None:
        """Take all of them."""

    signature = inspect.signature(recipe_options()(takes))
    kinds = {name: each.annotation.__origin__ for name, each in signature.parameters.items() if name in OPTIONS}
    assert kinds["style"] == str | None
    assert kinds["keyframes"] == str | None
    assert kinds["strength"] == float | None
    assert kinds["mix"] == float | None
    assert kinds["quality"] == int | None
    assert kinds["keep_colour"] == bool | None
    many = {
        "prompts",
        "controls",
        "painter_options",
        "filler_options",
        "storyboard",
        "objects",
        "layers",
        "masker_options",
    }
    assert {name for name, kind in kinds.items() if kind == list[str] | None} == many


def test_an_old_option_works_with_a_note_and_is_not_shown(restyle_command: Caller, tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", moving_frames(3, (32, 32)))
    words = ("run", "a.mp4", "--painter", "identity", "--no-report", "-o")
    old = restyle_command(*words, "b.mkv", "--fill", "hold", "--fill-option", "at=start", code=2)
    notes = [line for line in old.err.splitlines() if "note" in line]
    assert notes == [
        "restyle: note: --fill is called --filler now",
        "restyle: note: --fill-option is called --filler-option now",
    ]
    assert "filler 'hold' has no option 'at'" in old.err
    restyle_command(*words, "c.mkv", "--fill", "hold")
    assert json.loads((tmp_path / "c.mkv.restyle" / "recipe.json").read_text())["filler"] == "hold"
    assert "--fill " not in restyle_command("run", "--help").out
    line = restyle_command.fails(*words, "d.mkv", "--fill", "hold", "--filler", "hold", code=2)
    assert line == "--fill is the old name of --filler: give --filler alone"


def test_an_old_name_in_a_recipe_is_told_on_the_command_line(restyle_command: Caller, tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", moving_frames(3, (32, 32)))
    (tmp_path / "old.json").write_text('{"painter": "identity", "fill": "hold"}')
    said = restyle_command("run", "a.mp4", "-o", "b.mkv", "--recipe", "old.json", "--no-report")
    assert said.err.splitlines()[0] == "restyle: note: recipe 'old.json': 'fill' is called 'filler' now"
    changed = restyle_command(
        "run", "a.mp4", "-o", "c.mkv", "--recipe", "old.json", "--filler", "along-motion", "--no-report", "-q"
    )
    assert changed.err == ""
    assert json.loads((tmp_path / "c.mkv.restyle" / "recipe.json").read_text())["filler"] == "along-motion"


def test_options_of_a_part_are_added_to_the_recipes(tmp_path: Path) -> None:
    path = tmp_path / "look.json"
    path.write_text('{"painter_options": {"hold": 0.5, "threads": 2}}')
    assert build_recipe(path, {"painter_options": ["hold=0.25"]}).painter_options == {"hold": 0.25, "threads": 2}


def test_only_options_really_given_come_before_the_recipe_file(tmp_path: Path) -> None:
    path = tmp_path / "look.json"
    path.write_text(
        json.dumps({"style": "oil", "strength": 0.4, "keep_colour": True, "keyframes": [0, 8], "cuts": "none"})
    )
    given = {"style": None, "strength": None, "keep_colour": None, "keyframes": None, "storyboard": None, "cuts": None}
    assert build_recipe(path, given) == Recipe.load(path)
    changed = build_recipe(path, given | {"strength": 0.0, "keep_colour": False, "keyframes": "every:4", "cuts": "5,9"})
    assert (changed.style, changed.strength, changed.keep_colour) == ("oil", 0.0, False)
    assert (changed.keyframes, changed.cuts) == ("every:4", (5, 9))


def test_wrong_options_are_told_by_name(restyle_command: Caller, tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", moving_frames(3, (32, 32)))
    for option, value in (
        ("--strength", "2"), ("--seed", "-1"), ("--keyframes", "some"), ("--cuts", "here"), ("--coverage", "7"),
        ("--max-gap", "0"), ("--quality", "101"), ("--keyframe-image", "nine"), ("--recipe", "none.json"),
    ):  # fmt: skip
        line = restyle_command.fails("run", "a.mp4", "-o", "b.mp4", option, value, code=2)
        assert option.lstrip("-").replace("-", "_").split("_")[0] in line
    assert not (tmp_path / "b.mp4").exists()
