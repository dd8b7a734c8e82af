"""A model that diffusers has a pipeline for, and that is known by name. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from restyle.weights.selection import Selection

__all__ = ["UNUSED", "KnownPipeline"]

UNUSED = ("safety_checker", "image_encoder", "feature_extractor")
"""Parts of models that are not loaded: the last two are of IP-Adapters."""


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

    @property
    def selection(self) -> Selection:
        """The part of the repository that is loaded."""
        return Selection(unused=UNUSED)
