"""Plans for painters that make every frame: all frames are keyframes, in windows as long as such a painter wants them."""

from __future__ import annotations

from collections.abc import Iterable

from restyle.errors import RecipeError
from restyle.painters.base import EveryFrame, Painter
from restyle.recipe import Recipe

__all__ = ["planned"]

ALL = "every:1"


def planned(recipe: Recipe, painters: Iterable[Painter]) -> tuple[Recipe, EveryFrame | None]:
    """Give the recipe as it is planned with, and how windows are cut, if one of the painters makes every frame.

    Raises ``RecipeError`` for keyframes that it would not heed, and for two such painters that do not go together."""
    rules = {painter.name: rule for painter in painters if (rule := painter.capabilities.every_frame) is not None}
    if not rules:
        return recipe, None
    name = next(iter(rules))
    if recipe.keyframes not in ("auto", ALL):
        raise RecipeError(f"the painter {name!r} makes every frame: leave out the keyframes {recipe.keyframes!r}")
    if len(set(rules.values())) > 1:
        raise RecipeError(f"the painters {' and '.join(rules)} want different windows: use one of them in a job")
    return recipe.model_copy(update={"keyframes": ALL}), rules[name]
