"""A model that diffusers has a pipeline for, and that is known by name. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from restyle.weights.selection import Selection

__all__ = ["UNUSED", "KnownPipeline", "unused_parts"]

UNUSED = ("safety_checker", "prompt_enhancer", "image_encoder", "feature_extractor")
"""Parts of models that are not loaded: the second writes longer prompts of short ones; the last two are of IP-Adapters, but for
models that see by them."""


def unused_parts(*, sees: bool) -> tuple[str, ...]:
    """Parts of a model that are not loaded; ``sees``: its pipeline sees pictures by its own image encoder."""
    return UNUSED[:2] if sees else UNUSED


@dataclass(frozen=True)
class KnownPipeline:
    """A model by a short name."""

    model: str
    family: str
    """Its adapter's name (``families`` of the painter that uses it)."""
    licence: str
    about: str
    size: int
    """About how many GB its weights take in half precision."""
    largest: int
    """About how many GB of them its largest network takes: what a GPU has to hold when networks take turns on it."""
    sees: bool = False
    """It sees pictures by an image encoder of its own."""
    more: int = 0
    """About how many GB more are fetched than that: of parts that are on the hub in full precision."""

    @property
    def fetched(self) -> int:
        """About how many GB are fetched."""
        return self.size + self.more

    @property
    def selection(self) -> Selection:
        """The part of the repository that is loaded."""
        return Selection(unused=unused_parts(sees=self.sees))
