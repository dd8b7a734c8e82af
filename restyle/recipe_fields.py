"""The recipe's fields as keywords, for type checkers: ``def f(**fields: Unpack[RecipeFields])``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from restyle.recipe import Control, Layer, PromptAt

__all__ = ["PlainFields", "RecipeFields"]


class PlainFields(TypedDict, total=False):
    """All of ``RecipeFields`` but those that a call of Python takes as objects, too."""

    version: Literal[1, 2]
    style: str | None
    strength: float | None
    brush_size: float | None
    prompt: str | None
    negative_prompt: str | None
    prompts: Sequence[PromptAt | Mapping[str, Any]]
    controls: Sequence[Control | Mapping[str, Any]]
    painter_options: Mapping[str, Any]
    filler: str
    filler_options: Mapping[str, Any]
    mix: float
    keep_colour: bool
    anchor: str | None
    seed: int
    keyframes: str | Sequence[int]
    effort: Literal["draft", "normal", "best"]
    coverage: float
    max_gap: int
    cuts: Literal["auto", "none"] | Sequence[int]
    deinterlace: bool
    objects: Sequence[str]
    masker: str
    masker_options: Mapping[str, Any]
    layers: Sequence[Layer | Mapping[str, Any]]
    range: str | None
    codec: str | None
    quality: int | None


class RecipeFields(PlainFields, total=False):
    """Values that the fields of ``Recipe`` are made from; ``Recipe`` says what they mean."""

    painter: str
    storyboard: Mapping[int, str]
