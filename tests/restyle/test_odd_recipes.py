"""Recipes that nobody meant: each ends in a job that works, or in one line and exit 2, at once."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from clips import moving_frames, write_clip
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restyle import Recipe, RestyleError
from restyle.cli import main
from restyle.recipe import Control, Layer

DEEP = "[" * 200_000
NASTY: dict[str, str | bytes] = {
    "an empty file": "",
    "no table": "[1, 2]",
    "a null": "null",
    "half a table": '{"style": "lava"',
    "bytes of something else": bytes(range(256)),
    "UTF-16": '{"style": "lava"}'.encode("utf-16"),
    "nested lists": '{"painter_options": {"hold": ' + DEEP,
    "nested tables": '{"painter_options": ' + '{"a":' * 100_000 + "1" + "}" * 100_001,
    "a number of 5,000 digits": '{"seed": ' + "9" * 5000 + "}",
    "a number of 400 digits": '{"painter_options": {"hold": ' + "9" * 400 + "}}",
    "infinity": '{"strength": Infinity}',
    "infinity in an option": '{"painter_options": {"hold": Infinity}}',
    "1e999": '{"painter_options": {"hold": 1e999}}',
    "not a number": '{"filler_options": {"detail": NaN}}',
    "NUL in a style": '{"style": "a\\u0000b.png"}',
    "NUL in a storyboard": '{"storyboard": {"0": "a\\u0000b.png"}}',
    "half a character in a path": '{"style": "\\ud800.png"}',
    "half a character in a key": '{"\\ud800": 1}',
    "half a character in a prompt": '{"painter": "identity", "prompt": "\\ud800"}',
    "frames of two kinds": '{"keyframes": [1, "a"]}',
    "frames within frames": '{"keyframes": [[1]]}',
    "frames that are tables": '{"cuts": [{}, 1]}',
    "a huge frame": '{"keyframes": [99999999999999999999]}',
    "a key twice": '{"style": "lava", "style": "mosaic"}',
    "an object without a mark": '{"objects": ["car"]}',
    "an object of nothing": '{"objects": ["=box:1,2,3,4"]}',
    "an object that is no text": '{"objects": [3]}',
    "20,000 objects": json.dumps({"objects": [f"o{n}=point:1,1@0" for n in range(20_000)]}),
    "an object with a long mark": json.dumps({"objects": ["o=text:" + "long " * 100_000]}),
    "a frame number of 5,000 digits": json.dumps({"objects": ["o=point:1,1@" + "9" * 5000]}),
    "20,000 layers": json.dumps({"objects": ["o=point:1,1@0"], "layers": [{"object": "o"}] * 20_000}),
    "20,000 unknown keys": json.dumps({f"key {n}": n for n in range(20_000)}),
    "a long unknown key": json.dumps({"k" * 1_000_000: 1}),
    "a long style": json.dumps({"style": "s" * 1_000_000}),
    "options that are a list": '{"painter_options": []}',
    "options of a wrong type": '{"painter_options": {"threads": "many"}}',
    "options of a wrong type, filler": '{"filler_options": {"detail": []}}',
    "no threads": '{"painter_options": {"threads": -3}}',
    "a style that is a folder": '{"style": "/"}',
    "a style that never ends": '{"style": "/dev/zero"}',
    "a style that is a pipe": '{"style": "pipe"}',
    "a keyframe that never ends": '{"storyboard": {"0": "/dev/zero"}}',
    "a keyframe that is a pipe": '{"storyboard": {"0": "pipe"}}',
    "a matte that never ends": '{"objects": ["o=matte:/dev/zero@0"]}',
    "a matte that is a pipe": '{"objects": ["o=matte:pipe@0"]}',
    "mattes that are a pipe": '{"objects": ["o=mattes:pipe"]}',
    "a source that is a pipe": json.dumps(
        {"objects": ["o=box:1,1,20,20@0"], "layers": [{"object": "o", "mode": "replace", "source": "pipe"}]}
    ),
    "a range of 5,000 digits": json.dumps({"range": "9" * 5000 + ":"}),
    "a range backwards": '{"range": "3:1"}',
    "a painter that is a module": '{"painter": "os:system"}',
    "a filler that is a module": '{"filler": "os:system"}',
    "a masker that is a module": '{"objects": ["o=box:1,1,20,20@0"], "masker": "os:system"}',
    "files to be trusted": '{"masker_options": {"allow_pickle": true}}',
    "files to be trusted, 1": '{"filler": "rife", "filler_options": {"allow_pickle": 1}}',
    "files to be trusted, text": '{"painter": "diffusion", "painter_options": {"allow_pickle": "yes"}}',
    "a configuration that builds what it likes": json.dumps(
        {
            "objects": ["o=box:1,1,20,20@0"],
            "masker": "sam2",
            "masker_options": {"model": "weights.safetensors", "config": "../evil.yaml"},
        }
    ),
}  # fmt: skip
YAML: dict[str, str] = {
    "an alias bomb": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9))
    + "painter_options: {hold: *i}\n",
    "an alias of itself": "painter_options: &a {hold: *a}\n",
    "a key that is a number": "3: lava\n",
    "a key that is a list": "? [1, 2]\n: lava\n",
    "a day": "painter_options: {hold: 2026-01-01}\n",
    "bytes": "painter_options: {hold: !!binary aGVsbG8=}\n",
    "a set": "painter_options: {hold: !!set {a, b}}\n",
    "an object": "style: !!python/object/apply:os.system ['touch touched']\n",
    "a key twice": "style: lava\nstyle: mosaic\n",
    "a tab": "style:\tlava\n\tseed: 1\n",
    "nested": "painter_options: " + "[" * 5_000 + "\n",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    write_clip(folder / "clip.mkv", moving_frames(4, (64, 48)), codec="ffv1", pixel_format="bgr0", rate=24)
    os.mkfifo(folder / "pipe")
    (folder / "weights.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    (folder.parent / "evil.yaml").write_text("_target_: shutil.copyfile\nsrc: clip.mkv\ndst: touched\n")
    return folder


def outcome(place: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """The line that a run with a recipe ends in; nothing else may have happened."""
    monkeypatch.chdir(place)
    before = others(place)
    began = time.monotonic()
    code = main(["run", "clip.mkv", "-o", "out.mkv", "--recipe", str(recipe), "--overwrite", "--no-report"])
    took = time.monotonic() - began
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("restyle:")]
    assert code == 2, said
    assert took < 30
    line = said[-1]
    assert len(line) < 5000
    assert not re.search(r"internal error|Traceback", line)
    assert others(place) == before
    return line


def others(place: Path) -> set[Path]:
    """What lies there besides the job folder."""
    return {path for path in place.rglob("*") if ".restyle" not in str(path)}


@pytest.mark.parametrize("what", NASTY)
def test_a_nasty_recipe_is_one_line(
    what: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = NASTY[what]
    (tmp_path / "look.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    for name in ("pipe", "weights.safetensors"):  # what a recipe names lies beside it
        (tmp_path / name).symlink_to(place / name)
    outcome(place, tmp_path / "look.json", monkeypatch, capsys)


@pytest.mark.parametrize("what", YAML)
def test_a_nasty_recipe_in_yaml_is_one_line(
    what: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "look.yaml").write_text(YAML[what])
    outcome(place, tmp_path / "look.yaml", monkeypatch, capsys)


def test_more_yaml_than_is_read_in_seconds_is_refused_before_it_is_read(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "look.yaml").write_text(f"keyframes: [{', '.join(map(str, range(200)))}]\n[broken")
    monkeypatch.setattr("restyle.files.document.MOST_YAML_VALUES", 100)
    line = outcome(place, tmp_path / "look.yaml", monkeypatch, capsys)
    assert "more than 100 values: write it as JSON" in line


@pytest.mark.parametrize("name", ["/dev/zero", "pipe", ".", "nowhere.json", "huge.json"])
def test_a_recipe_that_is_no_file(
    name: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(tmp_path / "huge.json", "wb") as file:
        file.truncate(1 << 34)
    where = tmp_path / name if name == "huge.json" else Path(name)
    assert "cannot read recipe" in outcome(place, where, monkeypatch, capsys)


# Thousands more, made of what recipes are made of.

odd_text = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "auto", "lava", "every:3", "0:2", ":", "#ff0000", "a=b", "../x", "pipe", "/dev/null", "\ud800"]
    ),
)
odd_value = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), odd_text),
    lambda inside: st.one_of(st.lists(inside, max_size=4), st.dictionaries(odd_text, inside, max_size=4)),
    max_leaves=8,
)
NAMES = [name for name in Recipe.model_fields if name not in ("range", "codec", "quality")]
marks = st.one_of(
    odd_text,
    st.builds(
        lambda name, kind, what, frame: f"{name}={kind}:{what}@{frame}",
        st.sampled_from(["o", "car", "background", "-", "a b"]),
        st.sampled_from(["point", "not", "box", "text", "matte", "mattes", "people", "x"]),
        st.sampled_from(["1,1", "1,2,30,40", "nan,inf", "", "1e999,1", "words", "pipe", "9" * 400]),
        st.sampled_from(["0", "1", "99", "-1", "x", "9" * 5000]),
    ),
)


def tables(model: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.one_of(st.sampled_from(list(model.model_fields)), odd_text), odd_value, max_size=4)


fields = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(NAMES, odd_value),
        "style": st.one_of(odd_text, odd_value),
        "keyframes": st.one_of(st.lists(st.integers(-1, 9), max_size=4), odd_value),
        "objects": st.lists(marks, max_size=3),
        "layers": st.lists(tables(Layer), max_size=3),
        "controls": st.lists(tables(Control), max_size=2),
        "painter_options": st.dictionaries(
            st.sampled_from(["style", "hold", "threads", "size", "x"]), odd_value, max_size=2
        ),
        "filler_options": st.dictionaries(st.sampled_from(["detail", "flow", "x"]), odd_value, max_size=2),
        "masker_options": st.dictionaries(st.sampled_from(["edge", "model", "x"]), odd_value, max_size=2),
    },
)


def build(fields: dict[str, Any]) -> None:
    line = ""
    try:
        made = Recipe.build("the recipe", **fields)
    except RestyleError as error:
        line = str(error)
    else:
        assert Recipe.build(**json.loads(made.to_text())) == made
    assert "\n" not in line
    assert len(line) < 5000


@settings(max_examples=300, deadline=None)
@given(fields)
def test_any_table_is_a_recipe_or_one_line(fields: dict[str, Any]) -> None:
    build(fields)


@pytest.mark.slow
@settings(max_examples=5000, deadline=None)
@given(fields)
def test_any_table_of_thousands_is_a_recipe_or_one_line(fields: dict[str, Any]) -> None:
    build(fields)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields)
def test_any_recipe_is_planned_or_refused(place: Path, fields: dict[str, Any]) -> None:
    """What builds may still not fit the footage, or name what is not there."""
    plan(place, fields)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields)
def test_any_recipe_of_thousands_is_planned_or_refused(place: Path, fields: dict[str, Any]) -> None:
    plan(place, fields)


def plan(place: Path, fields: dict[str, Any]) -> None:
    recipe = place / "any.json"
    recipe.write_text(json.dumps(fields))
    began = time.monotonic()
    code = main(["plan", str(place / "clip.mkv"), "--recipe", str(recipe), "--offline", "--quiet"])
    assert code in (0, 2, 3, 6), fields
    assert time.monotonic() - began < 30
