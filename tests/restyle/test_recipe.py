from __future__ import annotations

import json
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from restyle.cli.parsing import parse_keyframes
from restyle.errors import MissingExtraError, RecipeError
from restyle.recipe import RECIPE_VERSION, Recipe
from restyle.recipe_fields import RecipeFields
from restyle.renames import RENAMED_FIELDS


def test_a_recipe_of_nothing_is_complete() -> None:
    recipe = Recipe()
    assert (recipe.painter, recipe.filler, recipe.strength, recipe.mix, recipe.keyframes) == (
        "neural-style",
        "along-motion",
        None,
        1.0,
        "auto",
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"stile": "oil"}, "unknown key 'stile', did you mean 'style'?"),
        ({"strength": 1.5}, "strength"),
        ({"strength": float("nan")}, "strength"),
        ({"mix": 1.5}, "mix"),
        ({"brush_size": 0}, "brush_size"),
        ({"layers": [{"object": "background", "brush_size": 99}]}, "layers[0].brush_size: input should be"),
        ({"keyframes": "evry:3"}, "every:N"),
        ({"keyframes": "every:0"}, "every:N"),
        ({"keyframes": [-1]}, "list of frame numbers"),
        ({"cuts": "some"}, "'none'"),
        ({"seed": -1}, "seed"),
        ({"quality": 101}, "quality"),
        ({"storyboard": {"x": "a.png"}}, "storyboard"),
        ({"version": RECIPE_VERSION + 1}, "install a newer restyle"),
        ({"version": 0}, "version"),
    ],
)
def test_a_wrong_field_is_one_clear_line(fields: dict, says: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.build("recipe 'r.json'", **fields)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "r.json" in str(caught.value)


def test_two_wrong_fields_are_both_named() -> None:
    with pytest.raises(RecipeError, match=r"strength.*seed"):
        Recipe.build(strength=2, seed=-4)


def test_a_recipe_survives_its_file(tmp_path) -> None:
    recipe = Recipe(
        style="a:0.5,b:0.5", keyframes=(4, 9), storyboard={4: str(tmp_path / "k.png")}, range="0:20", seed=7
    )
    recipe.save(tmp_path / "r.json")
    assert Recipe.load(tmp_path / "r.json") == recipe


def test_pictures_are_relative_to_the_recipe(tmp_path) -> None:
    (tmp_path / "look.png").write_bytes(b"")
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"style": "look.png", "storyboard": {"3": "key.png"}}))
    recipe = Recipe.load(path)
    assert recipe.style == str(tmp_path / "look.png")
    assert recipe.storyboard == {3: str(tmp_path / "key.png")}


def test_yaml_says_the_same_as_json(tmp_path) -> None:
    (tmp_path / "r.yaml").write_text("style: oil\nkeyframes: [0, 8]\nstrength: 0.5\n")
    assert Recipe.load(tmp_path / "r.yaml") == Recipe(style="oil", keyframes=(0, 8), strength=0.5)


def test_yaml_without_its_package_names_the_install_line(tmp_path, monkeypatch) -> None:
    import sys

    (tmp_path / "r.yml").write_text("style: oil\n")
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'restyle\[yaml\]'"):
        Recipe.load(tmp_path / "r.yml")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("r.json", "{", "not valid JSON"),
        ("r.yaml", "a: [", "not valid YAML"),
        ("r.json", "[1, 2]", "not a table"),
        ("r.json", '{"stlye": "oil"}', "did you mean 'style'"),
    ],
)
def test_a_broken_recipe_file_is_named(tmp_path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(RecipeError, match=says) as caught:
        Recipe.load(tmp_path / name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_recipe_is_named(tmp_path) -> None:
    with pytest.raises(RecipeError, match=r"nowhere\.json.*no such file"):
        Recipe.load(tmp_path / "nowhere.json")


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_a_list_of_keyframes_comes_back_sorted_and_unique(numbers: list[int]) -> None:
    parsed = parse_keyframes(",".join(map(str, numbers)))
    assert parsed == tuple(sorted(set(numbers)))
    assert Recipe(keyframes=numbers).keyframes == parsed


@pytest.mark.parametrize("name", list(RENAMED_FIELDS))
def test_an_old_name_loads_with_a_note(name: str, tmp_path) -> None:
    value = {"detail": 0.5} if name.endswith("_options") else "hold"
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"style": "lava", name: value}))
    new = RENAMED_FIELDS[name]
    with pytest.warns(FutureWarning, match=rf"^recipe '.*old\.json': '{name}' is called '{new}' now$"):
        recipe = Recipe.load(path)
    assert recipe == Recipe(style="lava", **{new: value})
    assert name not in json.loads(recipe.to_text())
    with pytest.warns(FutureWarning, match="the recipe"):
        assert Recipe.build(**{name: value}) == Recipe(**{new: value})


@pytest.mark.parametrize("name", list(RENAMED_FIELDS))
def test_both_names_of_a_field_are_refused(name: str, tmp_path) -> None:
    new = RENAMED_FIELDS[name]
    value = {} if name.endswith("_options") else "hold"
    path = tmp_path / "both.json"
    path.write_text(json.dumps({new: value, name: value}))
    with pytest.raises(RecipeError, match=rf"both\.json.*'{name}' is the old name of '{new}'"):
        Recipe.load(path)
    with pytest.raises(RecipeError, match="old name"):
        Recipe.build(**{name: value, new: value})


def test_old_names_are_of_fields_that_are_there() -> None:
    assert set(RENAMED_FIELDS.values()) <= set(Recipe.model_fields)
    assert not set(RENAMED_FIELDS) & set(Recipe.model_fields)


def test_the_keywords_for_type_checkers_are_the_fields() -> None:
    assert set(RecipeFields.__annotations__) == set(Recipe.model_fields)
    hints = get_type_hints(RecipeFields)
    for name, field in Recipe.model_fields.items():
        adapter = TypeAdapter(hints[name])
        default = field.get_default(call_default_factory=True)
        assert adapter.validate_python(default) == default, f"{name}: {hints[name]} does not take {default!r}"


def test_every_field_describes_itself() -> None:
    for name, field in Recipe.model_fields.items():
        assert field.description, name


def test_strength_of_version_1_is_the_mix(tmp_path) -> None:
    """It meant a cross-fade then; a document that names no version is of the present one."""
    layers = [{"object": "background", "strength": 0.25}, {"object": "background"}]
    (tmp_path / "old.json").write_text(json.dumps({"version": 1, "strength": 0.5, "layers": layers}))
    with pytest.warns(FutureWarning) as notes:
        old = Recipe.load(tmp_path / "old.json")
    assert (old.version, old.strength, old.mix) == (RECIPE_VERSION, None, 0.5)
    assert [(layer.strength, layer.mix) for layer in old.layers] == [(None, 0.25), (None, None)]
    assert [str(note.message).partition("old.json")[2] for note in notes] == [
        "', of version 1: 'strength' is called 'mix' now",
        "', of version 1, layer 0: 'strength' is called 'mix' now",
    ]
    old.save(tmp_path / "new.json")
    assert Recipe.load(tmp_path / "new.json") == old
    (tmp_path / "bare.json").write_text('{"strength": 0.5}')
    bare = Recipe.load(tmp_path / "bare.json")
    assert (bare.strength, bare.mix) == (0.5, 1.0)
    with pytest.raises(RecipeError, match="'strength' is the old name of 'mix'"):
        Recipe.build(version=1, strength=0.5, mix=0.5)
