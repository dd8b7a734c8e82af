"""Adapters, one a family of models: ``base`` says what one is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restyle.painters.edit.families.base import Family
from restyle.painters.edit.families.flux import Flux
from restyle.painters.edit.families.flux2 import Flux2, Klein, KleinBase
from restyle.painters.edit.families.kontext import Kontext
from restyle.painters.edit.families.longcat import LongCat
from restyle.painters.edit.families.qwen_edit import QwenEdit, QwenEditPlus
from restyle.painters.edit.families.qwen_image import QwenImage
from restyle.painters.edit.families.z_image import ZImage

__all__ = ["FAMILIES", "family_of"]

FAMILIES: Mapping[str, Family] = {
    "kontext": Kontext(),
    "qwen-edit": QwenEdit(),
    "qwen-edit-plus": QwenEditPlus(),
    "flux2": Flux2(),
    "klein": Klein(),
    "klein-base": KleinBase(),
    "longcat-edit": LongCat(),
    "flux": Flux(),
    "qwen-image": QwenImage(),
    "z-image": ZImage(),
}


def family_of(index: Mapping[str, Any]) -> str | None:
    """Name of the family that the table of a ``model_index.json`` is of; ``None``: of none of these."""
    kind = index.get("_class_name")
    if kind == "Flux2KleinPipeline":
        return "klein" if index.get("is_distilled") else "klein-base"
    return next((name for name, family in FAMILIES.items() if family.traits.pipeline == kind), None)
