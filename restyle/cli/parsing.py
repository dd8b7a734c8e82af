"""Values of recipe fields as they are written on the command line."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ValidationError

from restyle.errors import RecipeError
from restyle.recipe import Control, Layer, explain

__all__ = [
    "parse_controls",
    "parse_cuts",
    "parse_keyframes",
    "parse_layers",
    "parse_options",
    "parse_prompts",
    "parse_storyboard",
]


def parse_keyframes(text: str) -> str | tuple[int, ...]:
    """``--keyframes``: ``auto``, ``every:N`` or ``0,24,48``. Raises ``RecipeError``."""
    text = text.strip()
    if text == "auto" or text.startswith("every:"):
        return text
    try:
        return tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        raise RecipeError(f"--keyframes is 'auto', 'every:N' or a list such as 0,24,48; got {text!r}") from None


def parse_cuts(text: str) -> str | tuple[int, ...]:
    """``--cuts``: ``auto``, ``none`` or ``96,240``. Raises ``RecipeError``."""
    if text in ("auto", "none"):
        return text
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise RecipeError(f"--cuts is 'auto', 'none' or a list such as 96,240; got {text!r}") from None


def parse_storyboard(items: list[str]) -> dict[int, str]:
    """``--keyframe-image FRAME=PICTURE``, any number of times. Raises ``RecipeError``."""
    board: dict[int, str] = {}
    for item in items:
        number, _, picture = item.partition("=")
        if not number.strip().isdigit() or not picture:
            raise RecipeError(f"--keyframe-image is FRAME=PICTURE, for example 48=painted.png; got {item!r}")
        if int(number) in board:
            raise RecipeError(f"--keyframe-image names frame {int(number)} twice; give one picture a frame")
        board[int(number)] = picture
    return board


def parse_layers(items: list[str]) -> list[dict[str, Any]]:
    """``--layer NAME`` or ``--layer NAME:style=mosaic,feather=6``: each layer's fields. Raises ``RecipeError``."""
    return [_parse_layer(text) for text in items]


def _parse_layer(text: str) -> dict[str, Any]:
    name, _, rest = text.partition(":")
    known = sorted(set(Layer.model_fields) - {"object"})
    return _parse_fields("--layer", "NAME", text, rest, Layer, known, {"object": name.strip()})


def parse_controls(items: list[str]) -> list[dict[str, Any]]:
    """``--control depth,softedge``, ``--control depth=FOLDER`` or ``--control depth:strength=0.8,end=0.6``: each control's
    fields. Raises ``RecipeError``."""
    return [control for text in items for control in _parse_control(text)]


def _parse_control(text: str) -> list[dict[str, Any]]:
    head, colon, rest = text.partition(":")
    if "=" not in head and not colon:
        return [{"kind": kind.strip()} for kind in text.split(",") if kind.strip()]
    kind, equals, source = head.partition("=")
    fields: dict[str, Any] = {"kind": kind.strip()} | ({"source": source} if equals else {})
    known = sorted(set(Control.model_fields) - {"kind", "options", "source"})
    return [_parse_fields("--control", "KIND[=FOLDER]", text, rest, Control, known, fields)]


def parse_prompts(items: list[str]) -> list[dict[str, Any]]:
    """``--prompt-at shot:2=TEXT`` or ``--prompt-at frame:48=TEXT``, any number of times. Raises ``RecipeError``."""
    prompts = []
    for item in items:
        scope, equals, prompt = item.partition("=")
        kind, _, number = scope.partition(":")
        if kind not in ("shot", "frame") or not number.isdigit() or not equals:
            raise RecipeError(f"--prompt-at is shot:NUMBER=TEXT or frame:NUMBER=TEXT; got {item!r}")
        prompts.append({kind: int(number), "prompt": prompt})
    return prompts


def parse_options(items: list[str], option: str = "--painter-option", example: str = "hold=0.5") -> dict[str, Any]:
    """``--painter-option NAME=VALUE``, any number of times. Raises ``RecipeError``."""
    options: dict[str, Any] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise RecipeError(f"{option} is NAME=VALUE, for example {example}; got {item!r}")
        try:
            options[name.strip().replace("-", "_")] = json.loads(value)
        except ValueError:
            options[name.strip().replace("-", "_")] = value
    return options


def _parse_fields(
    option: str, form: str, text: str, rest: str, model: type[BaseModel], known: list[str], fields: dict[str, Any]
) -> dict[str, Any]:
    """``FIELD=VALUE,...`` added to ``fields``, checked against the model."""
    for part in filter(None, rest.split(",")):
        field, equals, value = part.partition("=")
        field = field.strip().replace("-", "_")
        if not equals or field not in known:
            raise RecipeError(f"{option} is {form}:FIELD=VALUE,...; fields are {', '.join(known)}; got {text!r}")
        fields[field] = value.strip()
    try:
        return model(**fields).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise RecipeError(f"{option} {text}: {explain(error)}") from None
