"""Parts beside the base model, as a person names them: plain values, checked when built. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import PurePath
from typing import Any

from restyle.errors import RecipeError

__all__ = [
    "ControlSpec",
    "EmbeddingSpec",
    "LoraSpec",
    "StyleSpec",
    "control_spec",
    "embedding_spec",
    "lora_spec",
    "style_spec",
]


@dataclass(frozen=True)
class ControlSpec:
    """A network that takes a control map (a ControlNet, one of a union of several, a T2I-Adapter), and how much it counts."""

    kind: str
    """Kind of map."""
    model: str | None = None
    """Hub id, folder or file; ``None``: the ControlNet that suits the kind and the base model."""
    strength: float = 1.0
    start: float = 0.0
    """Part of the steps from which it counts."""
    end: float = 1.0


@dataclass(frozen=True)
class LoraSpec:
    """Trained changes to a model: hub id, folder or file, ``FILE`` within a hub id or folder, and how much they count."""

    source: str
    weight: float = 1.0
    file: str | None = None


@dataclass(frozen=True)
class StyleSpec:
    """A picture that an IP-Adapter shows to the model, and how much it counts."""

    picture: str
    """A file."""
    source: str | None = None
    """Hub id or folder of the IP-Adapter; ``None``: the one that suits the base model."""
    file: str | None = None
    """Within the source, such as ``models/ip-adapter-plus_sd15.safetensors``; ``None``: the first *ip-adapter* there."""
    encoder: str | None = None
    """Folder of the image encoder within the source; ``None``: ``image_encoder`` beside the file."""
    weight: float = 0.6


@dataclass(frozen=True)
class EmbeddingSpec:
    """A word that was trained (textual inversion): hub id, folder or file, ``FILE`` within a hub id or folder."""

    source: str
    token: str | None = None
    """The word that it is called by in prompts; ``None``: the one in the file, or the file's name."""
    file: str | None = None


def control_spec(value: ControlSpec | Mapping[str, Any]) -> ControlSpec:
    """Raises ``RecipeError``, as the others here."""
    spec = value if isinstance(value, ControlSpec) else _build(ControlSpec, value, "controls")
    if not 0 <= spec.start < spec.end <= 1:
        raise RecipeError(f"control {spec.kind!r} counts from its start to its end, within 0 to 1")
    return spec


def lora_spec(value: LoraSpec | Mapping[str, Any] | str) -> LoraSpec:
    """Of a table, or of ``SOURCE`` or ``SOURCE:WEIGHT``."""
    if isinstance(value, LoraSpec):
        return value
    if isinstance(value, Mapping):
        return _build(LoraSpec, value, "loras")
    source, colon, weight = value.rpartition(":")
    try:
        return LoraSpec(source, float(weight)) if colon else LoraSpec(value)
    except ValueError:
        return LoraSpec(value)


def style_spec(value: StyleSpec | Mapping[str, Any]) -> StyleSpec:
    """Of a table."""
    spec = value if isinstance(value, StyleSpec) else _build(StyleSpec, value, "styles")
    if not 0 <= spec.weight <= 2:
        raise RecipeError(f"painter option styles: the weight of {spec.picture!r} is 0 to 2, got {spec.weight!r}")
    for part in (spec.file, spec.encoder):
        if part is not None and (PurePath(part).is_absolute() or ".." in PurePath(part).parts):
            raise RecipeError(f"painter option styles: {part!r} does not lie within the IP-Adapter's folder")
    return spec


def embedding_spec(value: EmbeddingSpec | Mapping[str, Any] | str) -> EmbeddingSpec:
    """Of a table, or of ``SOURCE``."""
    if isinstance(value, EmbeddingSpec):
        return value
    spec = EmbeddingSpec(value) if isinstance(value, str) else _build(EmbeddingSpec, value, "embeddings")
    if spec.token is not None and (not spec.token or any(letter.isspace() for letter in spec.token)):
        raise RecipeError(f"painter option embeddings: the token {spec.token!r} of {spec.source!r} is no single word")
    return spec


def _build(kind: type, table: Mapping[str, Any], option: str) -> Any:
    known = [item.name for item in fields(kind)]
    for name in table:
        if name not in known:
            raise RecipeError(f"painter option {option} has no field {name!r}; it has: {', '.join(known)}")
    try:
        return kind(**table)
    except TypeError as error:
        raise RecipeError(f"painter option {option}: {error}") from None
