"""Efforts: more of it paints more, and dear paintings are fewer."""

from __future__ import annotations

import pytest

from restyle import Recipe
from restyle.errors import RecipeError
from restyle.job.keys import analysis_key
from restyle.planning.effort import EFFORTS, key_rules, region_rules

ORDER = ("draft", "normal", "best")


def test_more_effort_paints_more() -> None:
    assert tuple(EFFORTS) == ORDER
    keys = [key_rules(Recipe(effort=effort)) for effort in ORDER]
    regions = [region_rules(Recipe(effort=effort)) for effort in ORDER]
    assert [rules.loss for rules in keys] == sorted((rules.loss for rules in keys), reverse=True)
    assert [rules.least_gap for rules in keys] == sorted((rules.least_gap for rules in keys), reverse=True)
    assert [rules.loss for rules in regions] == sorted((rules.loss for rules in regions), reverse=True)
    assert [rules.budget for rules in regions] == sorted(rules.budget for rules in regions)
    assert len({repr(rules) for rules in (*keys, *regions)}) == 6


def test_dear_paintings_are_fewer() -> None:
    cheap, dear = (key_rules(Recipe(), cost) for cost in (35.0, 400.0))
    assert key_rules(Recipe()) == cheap
    assert dear.loss > 3 * cheap.loss
    assert dear.least_gap > cheap.least_gap


def test_a_recipe_says_the_rest() -> None:
    rules = key_rules(Recipe(coverage=0.7, max_gap=9))
    assert (rules.coverage, rules.max_gap) == (0.7, 9)


def test_another_effort_is_another_analysis() -> None:
    def key(recipe: Recipe) -> str:
        return analysis_key("footage", recipe, key_rules(recipe), (0, None))

    assert key(Recipe()) != key(Recipe(effort="best"))
    assert key(Recipe(keyframes="every:4")) == key(Recipe(keyframes="every:4", effort="best"))


def test_there_is_no_other() -> None:
    with pytest.raises(RecipeError, match="effort: input should be 'draft', 'normal' or 'best', got 'great'"):
        Recipe.build(effort="great")
