"""Checks of painters' options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from restyle.errors import RecipeError

__all__ = ["check_choice", "check_range"]


def check_choice(name: str, value: Any, known: Sequence[Any]) -> None:
    """Raise ``RecipeError`` unless an option is one of those that are known."""
    if value not in known:
        listed = ", ".join(str(choice) for choice in known if choice is not None)
        raise RecipeError(f"painter option {name} is one of {listed}; got {value!r}")


def check_range(name: str, value: Any, least: float, most: float) -> None:
    """Raise ``RecipeError`` unless an option is ``None``, or a number from ``least`` to ``most``."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise RecipeError(f"painter option {name} is {least} to {most}, got {value!r}")
