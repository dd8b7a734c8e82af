"""A model that diffusers has a pipeline for, and that is known by name. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from restyle.weights.selection import Selection

__all__ = ["UNUSED", "KnownPipeline", "unused_parts"]

UNUSED = ("safety_checker", "image_encoder", "feature_extractor")
"""Parts of models that are not loaded: the last two are of IP-Adapters, but for models that see by them."""


def unused_parts(*, sees: bool) -> tuple[str, ...]:
    """Parts of a model that are not loaded; ``sees``: its pipeline sees pictures by its own image encoder."""
    return UNUSED[:1] if sees else UNUSED


@dataclass(frozen=True)
class KnownPipeline:
    """A model by a short name."""

    model: str
    family: str
    """Its adapter's name (``families`` of the painter that uses it)."""
    licence: str
    about: str
    size: int
    """About how many GB are fetched, and how many its weights take in half precision."""
    largest: int
    """About how many GB of them its largest network takes: what a GPU has to hold when networks take turns on it."""
    sees: bool = False
    """It sees pictures by an image encoder of its own."""

    @property
    def selection(self) -> Selection:
        """The part of the repository that is loaded."""
        return Selection(unused=unused_parts(sees=self.sees))
