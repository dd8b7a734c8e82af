from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any, get_args

import pytest

from interp import parts
from restyle import registry
from restyle.errors import MissingExtraError, RecipeError, UnknownPartError
from restyle.painters.identity import IdentityPainter

MAKERS: dict[str, Any] = {kind: getattr(registry, f"make_{kind}") for kind in get_args(registry.Kind)}


def test_every_painter_and_filler_that_is_listed_can_be_made() -> None:
    for name in registry.part_names("painter"):
        painter = registry.make_painter(name, {})
        assert painter.name == name
        painter.close()
    for name in registry.part_names("filler"):
        assert registry.make_filler(name, {}).name == name


@pytest.mark.parametrize("kind", registry.TABLES)
def test_every_part_that_is_listed_can_be_imported_and_tells_its_options(kind: registry.Kind) -> None:
    assert registry.TABLES[kind].group == f"restyle.{kind}s"
    for name in registry.part_names(kind):
        assert isinstance(registry.options_of(kind, name), list)


@pytest.mark.parametrize("kind", MAKERS)
def test_an_unknown_name_lists_what_exists(kind: registry.Kind) -> None:
    with pytest.raises(UnknownPartError, match=rf"unknown [a-z ]+ 'x'\. There are: {registry.part_names(kind)[0]}"):
        MAKERS[kind]("x", {})
    with pytest.raises(UnknownPartError, match="unknown"):
        registry.options_of(kind, "x")


def test_an_unknown_name_comes_with_the_nearest() -> None:
    with pytest.raises(
        UnknownPartError, match=r"unknown painter 'neural-stile', did you mean 'neural-style'\? .*identity"
    ):
        registry.make_painter("neural-stile", {})


@pytest.mark.parametrize("kind", MAKERS)
def test_an_unknown_option_lists_the_options(kind: registry.Kind) -> None:
    name = {"painter": "identity", "masker": "flowcut", "detector": "canny"}.get(kind) or registry.part_names(kind)[0]
    with pytest.raises(RecipeError, match=rf"{name!r} has no option 'colour'; it has: "):
        MAKERS[kind](name, {"colour": 1})


def test_a_wrong_value_names_the_option() -> None:
    with pytest.raises(RecipeError, match=r"control map 'canny' cannot be made: option low: .*, got 'much'"):
        registry.make_detector("canny", {"low": "much"})


def test_a_part_whose_package_is_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    table = registry.TABLES["painter"]
    monkeypatch.setitem(table.own, "diffusion", "torch_that_is_not_there.painter:Painter")
    monkeypatch.setitem(table.extras, "torch_that_is_not_there", "diffusion")  # type: ignore[arg-type]
    with pytest.raises(MissingExtraError, match=r"painter 'diffusion' .*pip install 'restyle\[diffusion\]'"):
        registry.make_painter("diffusion", {})


def test_third_parties_add_parts_by_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("somebody_elses")
    module.Brush = type("Brush", (IdentityPainter,), {"name": "brush"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "somebody_elses", module)
    theirs = {"restyle.painters": [EntryPoint("brush", "somebody_elses:Brush", "restyle.painters")]}
    monkeypatch.setattr(parts, "entry_points", lambda group: theirs.get(group, []))
    assert "brush" in registry.part_names("painter")
    assert registry.make_painter("brush").name == "brush"
    assert "brush" not in registry.part_names("filler")
