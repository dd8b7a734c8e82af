from __future__ import annotations

import pytest

from restyle import registry
from restyle.errors import MissingExtraError, RecipeError, UnknownPartError


def test_every_part_that_is_listed_can_be_made() -> None:
    for name in registry.painter_names():
        painter = registry.make_painter(name, {})
        assert painter.name == name
        painter.close()
    for name in registry.filler_names():
        assert registry.make_filler(name, {}).name == name


def test_an_unknown_name_lists_what_exists_and_the_nearest() -> None:
    with pytest.raises(
        UnknownPartError, match=r"unknown painter 'neural-stile', did you mean 'neural-style'\? .*identity"
    ):
        registry.make_painter("neural-stile", {})
    with pytest.raises(UnknownPartError, match=r"unknown filler 'x'\. There are: along-motion, hold"):
        registry.make_filler("x", {})


def test_an_unknown_option_lists_the_options() -> None:
    with pytest.raises(RecipeError, match=r"painter 'identity' has no option 'colour'"):
        registry.make_painter("identity", {"colour": 1})


def test_a_part_whose_package_is_missing_names_the_extra(monkeypatch) -> None:
    monkeypatch.setitem(registry.PAINTERS, "diffusion", "torch_that_is_not_there.painter:Painter")
    monkeypatch.setitem(registry._NEEDS, "torch_that_is_not_there", "diffusion")
    with pytest.raises(MissingExtraError, match=r"pip install 'restyle\[diffusion\]'"):
        registry.make_painter("diffusion", {})
