"""Editors and image-to-image models that are known by name. Imports nothing heavy.

Ids, licences and sizes are those of the models' own pages, as they were in 2025 and 2026; nothing was run on these weights.
"""

from __future__ import annotations

from collections.abc import Mapping

from restyle.weights.pipelines import KnownPipeline

__all__ = ["EDITORS"]

FLUX = "FLUX non-commercial; its page asks for consent"


EDITORS: Mapping[str, KnownPipeline] = {
    "klein": KnownPipeline(
        "black-forest-labs/FLUX.2-klein-4B", "klein", "Apache-2.0", "FLUX.2 klein 4B, several pictures, 4 steps", 16, 8
    ),
    "klein-9b": KnownPipeline(
        "black-forest-labs/FLUX.2-klein-9B", "klein", FLUX, "FLUX.2 klein 9B, several pictures, 4 steps", 35, 18
    ),
    "flux2": KnownPipeline("black-forest-labs/FLUX.2-dev", "flux2", FLUX, "FLUX.2 dev, several pictures", 113, 65),
    "qwen-edit": KnownPipeline(
        "Qwen/Qwen-Image-Edit-2509", "qwen-edit-plus", "Apache-2.0", "Qwen-Image-Edit-Plus, up to 3 pictures", 58, 41
    ),
    "qwen-edit-2508": KnownPipeline(
        "Qwen/Qwen-Image-Edit", "qwen-edit", "Apache-2.0", "Qwen-Image-Edit, the first, one picture", 58, 41
    ),
    "kontext": KnownPipeline(
        "black-forest-labs/FLUX.1-Kontext-dev", "kontext", FLUX, "FLUX.1 Kontext dev, one picture", 34, 24
    ),
    "longcat-edit": KnownPipeline(
        "meituan-longcat/LongCat-Image-Edit", "longcat-edit", "Apache-2.0", "LongCat-Image-Edit, one picture", 29, 17
    ),
    "flux": KnownPipeline("black-forest-labs/FLUX.1-dev", "flux", FLUX, "FLUX.1 dev, image to image", 34, 24),
    "qwen-image": KnownPipeline("Qwen/Qwen-Image", "qwen-image", "Apache-2.0", "Qwen-Image, image to image", 58, 41),
    "z-image": KnownPipeline(
        "Tongyi-MAI/Z-Image-Turbo", "z-image", "Apache-2.0", "Z-Image-Turbo, image to image, 9 steps", 33, 12
    ),
}
