"""An object's name in words -> the box round it, by an open-vocabulary detector of the package transformers.

Minderer, Gritsenko & Houlsby, "Scaling Open-Vocabulary Object Detection" (OWLv2, NeurIPS 2023) is the default; any model that
transformers' ``zero-shot-object-detection`` runs will do (OWL-ViT, Grounding DINO). What is found is followed by a masker.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from controls.errors import ControlError
from controls.types import Box
from interp.errors import MissingPackageError, MissingWeightsError
from interp.quiet import without_prints

__all__ = ["DEFAULT", "PACKAGES", "WordFinder"]

DEFAULT = "google/owlv2-base-patch16-ensemble"
PACKAGES = ("torch", "transformers")
SCORE = 0.2  # from which a find counts: of what OWLv2's makers show
LEAST = 2.0  # pixels: what is smaller than that cannot be followed


class WordFinder:
    """Finds things by their names.

    ``model``: a local folder; its weights are loaded from safetensors. ``score``: 0 to 1, from which a find counts.
    Raises ``MissingPackageError``, ``MissingWeightsError``, ``ControlError`` (no such detector).
    """

    def __init__(self, model: str, score: float = SCORE) -> None:
        if not isinstance(score, (int, float)) or not 0 <= score <= 1:
            raise ControlError(f"text_score is 0 to 1, got {score!r}")
        for package in PACKAGES:
            if find_spec(package) is None:
                raise MissingPackageError("finding an object by its name", package, "controls")
        self._score = float(score)
        folder = Path(model).expanduser()
        if not folder.is_dir():
            raise MissingWeightsError(f"the detector {model!r} is no folder")
        self._pipeline = _pipeline(folder, model)

    def find(self, picture: np.ndarray, words: str) -> Box:
        """The likeliest box. ``picture``: H x W x 3 of any depth. Raises ``ControlError`` if nothing is likely enough."""
        from PIL import Image

        from interp.pixels.depth import to_uint8

        height, width = picture.shape[:2]
        shown = Image.fromarray(to_uint8(picture))
        best = 0.0
        for found in self._pipeline(shown, candidate_labels=[words], threshold=0.0):
            box = found["box"]
            left, right = (float(np.clip(box[name], 0, width - 1)) for name in ("xmin", "xmax"))
            top, bottom = (float(np.clip(box[name], 0, height - 1)) for name in ("ymin", "ymax"))
            if right - left < LEAST or bottom - top < LEAST:
                continue
            best = max(best, float(found["score"]))
            if found["score"] >= self._score:
                return Box(left, top, right, bottom)
        raise ControlError(
            f"nothing that looks like {words!r} was found (the likeliest scores {best:.2f}, {self._score:g} is needed): "
            "say it in other words, box it, or lower text_score"
        )


def _pipeline(folder: Path, model: str) -> Any:
    from controls.torchvision_guard import make_torchvision_importable

    make_torchvision_importable()
    try:
        with without_prints():
            from transformers import pipeline

            return pipeline(
                "zero-shot-object-detection",
                model=str(folder),
                trust_remote_code=False,  # else transformers asks, on the terminal
                model_kwargs={"use_safetensors": True},
            )
    except Exception as error:  # whatever a folder of something else makes transformers say
        reason = " ".join(str(error).split())[:160]
        raise ControlError(f"{model!r} is no detector that transformers can run: {reason}") from error
