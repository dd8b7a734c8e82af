"""Editors and image-to-image models that are known by name. Imports nothing heavy.

Ids, licences and sizes are those of the models' own pages, as they were in 2025 and 2026; nothing was run on these weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from restyle.weights.selection import Selection

__all__ = ["EDITORS", "UNUSED", "EditModel"]

UNUSED = ("safety_checker", "image_encoder", "feature_extractor")
"""Parts of models that the painter ``edit`` does not load: the last two are of IP-Adapters."""

FLUX = "FLUX non-commercial; its page asks for consent"


@dataclass(frozen=True)
class EditModel:
    """A model of the painter ``edit``."""

    model: str
    family: str
    """Its adapter's name (``restyle.painters.edit.families``)."""
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


EDITORS: Mapping[str, EditModel] = {
    "klein": EditModel(
        "black-forest-labs/FLUX.2-klein-4B", "klein", "Apache-2.0", "FLUX.2 klein 4B, several pictures, 4 steps", 16, 8
    ),
    "klein-9b": EditModel(
        "black-forest-labs/FLUX.2-klein-9B", "klein", FLUX, "FLUX.2 klein 9B, several pictures, 4 steps", 35, 18
    ),
    "flux2": EditModel("black-forest-labs/FLUX.2-dev", "flux2", FLUX, "FLUX.2 dev, several pictures", 113, 65),
    "qwen-edit": EditModel(
        "Qwen/Qwen-Image-Edit-2509", "qwen-edit-plus", "Apache-2.0", "Qwen-Image-Edit-Plus, up to 3 pictures", 58, 41
    ),
    "qwen-edit-2508": EditModel(
        "Qwen/Qwen-Image-Edit", "qwen-edit", "Apache-2.0", "Qwen-Image-Edit, the first, one picture", 58, 41
    ),
    "kontext": EditModel(
        "black-forest-labs/FLUX.1-Kontext-dev", "kontext", FLUX, "FLUX.1 Kontext dev, one picture", 34, 24
    ),
    "longcat-edit": EditModel(
        "meituan-longcat/LongCat-Image-Edit", "longcat-edit", "Apache-2.0", "LongCat-Image-Edit, one picture", 29, 17
    ),
}
