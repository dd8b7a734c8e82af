"""Adapters, one a family of models: ``base`` says what one is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restyle.painters.video.families.animate import WanAnimate
from restyle.painters.video.families.animatediff import AnimateDiff
from restyle.painters.video.families.base import Family
from restyle.painters.video.families.cogvideox import CogVideoXControl
from restyle.painters.video.families.ltx import LtxVideo
from restyle.painters.video.families.ltx2 import Ltx2Video
from restyle.painters.video.families.lucy import LucyEdit
from restyle.painters.video.families.svd import StableVideo
from restyle.painters.video.families.vace import Vace

__all__ = ["FAMILIES", "family_of"]

FAMILIES: Mapping[str, Family] = {
    "animate": WanAnimate(),
    "animatediff": AnimateDiff(),
    "cogvideox-control": CogVideoXControl(),
    "ltx": LtxVideo(),
    "ltx-2": Ltx2Video(),
    "lucy-edit": LucyEdit(),
    "svd": StableVideo(),
    "vace": Vace(),
}


def family_of(index: Mapping[str, Any]) -> str | None:
    """Name of the family that the table of a ``model_index.json`` is of; ``None``: of none of these."""
    kind = index.get("_class_name")
    return next(
        (name for name, family in FAMILIES.items() if kind in (family.traits.pipeline, *family.traits.also)), None
    )
