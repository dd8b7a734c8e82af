"""Facts in words, for the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restyle import Recipe
from restyle.painters.neural_style.styles import DEFAULT_STYLE
from restyle.progress import STAGE_NAMES
from restyle.types import FootageSpec

__all__ = ["OBJECT_COLOURS", "facts_line", "progress_line", "recipe_line", "seconds"]

OBJECT_COLOURS = ("#ff40a0", "#40c8ff", "#ffbe28", "#78ff78", "#be82ff", "#ff7846")
"""As ``quality.overlay.COLOURS``."""


def facts_line(spec: FootageSpec) -> str:
    """Size, rate, length, codec."""
    rate = f"{float(spec.rate):.3f}".rstrip("0").rstrip(".")
    length = f" · {seconds(spec.frames / spec.rate)}" if spec.frames else ""
    sound = " · sound" if spec.audio_streams else ""
    return f"{spec.width} × {spec.height} · {rate} fps{length} · {spec.codec} {spec.bits} bit{sound}"


def seconds(length: Any) -> str:
    """A length of time: ``5.5 s``, ``3 min 20 s``, ``1 h 02 min``."""
    length = float(length)
    if length < 60:
        return f"{length:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(length), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def recipe_line(recipe: Recipe) -> str:
    """A recipe's look in a few words."""
    look = recipe.style or (DEFAULT_STYLE if recipe.painter == "neural-style" else recipe.painter)
    plain, usual = recipe.model_dump(mode="json"), Recipe().model_dump(mode="json")
    told = [
        f"{name} {plain[name]:g}" for name in ("strength", "mix", "brush_size", "seed") if plain[name] != usual[name]
    ]
    told += [f"effort {recipe.effort}"] if recipe.effort != usual["effort"] else []
    return ", ".join([Path(look).name if "/" in look else look, *told]).replace("_", " ")


def progress_line(facts: Mapping[str, Any]) -> str:
    """The step that work is at, and how long it still takes."""
    if ahead := facts.get("ahead"):
        return f"waiting: {ahead} before it"
    stage, done, total, left = (facts.get(name) for name in ("stage", "done", "total", "left"))
    parts = [STAGE_NAMES.get(stage, "starting") if isinstance(stage, str) else "starting"]  # type: ignore[call-overload]
    if total:
        parts.append(f"{done} of {total} frames")
    if left is not None and done:
        parts.append(f"about {seconds(left)} left in this step")
    return " · ".join(parts)
