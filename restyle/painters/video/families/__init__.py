"""Adapters, one a family of models: ``base`` says what one is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restyle.painters.video.families.animatediff import AnimateDiff
from restyle.painters.video.families.base import Family
from restyle.painters.video.families.vace import Vace

__all__ = ["FAMILIES", "family_of"]

FAMILIES: Mapping[str, Family] = {"animatediff": AnimateDiff(), "vace": Vace()}


def family_of(index: Mapping[str, Any]) -> str | None:
    """Name of the family that the table of a ``model_index.json`` is of; ``None``: of none of these."""
    kind = index.get("_class_name")
    return next((name for name, family in FAMILIES.items() if family.traits.pipeline == kind), None)
