"""Grounding: an object named in words -> the box around it, by an open-vocabulary detector of the package transformers.

Minderer, Gritsenko & Houlsby, "Scaling Open-Vocabulary Object Detection" (OWLv2, NeurIPS 2023) is the default; any model that
transformers' ``zero-shot-object-detection`` runs will do (OWL-ViT, Grounding DINO). What is grounded is followed by a masker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from controls.errors import ControlError
from controls.torchvision_guard import make_torchvision_importable
from controls.types import Box, Pictures, Prompted, Text
from interp.errors import InterpError, MissingPackageError, MissingWeightsError
from interp.pixels.depth import to_uint8
from interp.quiet import without_prints

__all__ = ["DEFAULT", "PACKAGES", "TextGrounder", "ground_prompts"]

DEFAULT = "google/owlv2-base-patch16-ensemble"
PACKAGES = ("torch", "transformers")
SCORE = 0.2  # from which a box counts: of what OWLv2's makers show
LEAST = 2.0  # pixels: what is smaller than that cannot be followed


class TextGrounder:
    """Grounds phrases in pictures.

    ``model``: a local folder; its weights are loaded from safetensors. ``score``: 0 to 1, from which a box counts.
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

    def ground(self, picture: np.ndarray, phrase: str) -> Box:
        """The likeliest box. ``picture``: H x W x 3 of any depth. Raises ``ControlError`` if nothing is likely enough."""
        height, width = picture.shape[:2]
        shown = Image.fromarray(to_uint8(picture))
        best = 0.0
        for detection in self._pipeline(shown, candidate_labels=[phrase], threshold=0.0):
            box = detection["box"]
            left, right = (float(np.clip(box[name], 0, width - 1)) for name in ("xmin", "xmax"))
            top, bottom = (float(np.clip(box[name], 0, height - 1)) for name in ("ymin", "ymax"))
            if right - left < LEAST or bottom - top < LEAST:
                continue
            best = max(best, float(detection["score"]))
            if detection["score"] >= self._score:
                return Box(left, top, right, bottom)
        raise ControlError(
            f"nothing that looks like {phrase!r} was found (the likeliest scores {best:.2f}, {self._score:g} is needed): "
            "say it in other words, box it, or lower text_score"
        )


def ground_prompts(
    prompts: Sequence[Prompted], pictures: Pictures, make_grounder: Callable[[], TextGrounder]
) -> list[Prompted]:
    """The prompts of one shot with a box in place of each ``Text``. ``make_grounder`` is called if there is one.

    Raises ``ControlError``, naming the object, and what making a grounder does.
    """
    grounder: TextGrounder | None = None
    grounded: list[Prompted] = []
    for prompted in prompts:
        if isinstance(prompted.prompt, Text):
            grounder = grounder or make_grounder()
            picture = next(iter(pictures.read(prompted.frame, prompted.frame + 1)))
            try:
                prompted = replace(prompted, prompt=grounder.ground(picture, prompted.prompt.phrase))
            except InterpError as error:
                raise ControlError(f"object {prompted.name!r}: {error}") from error
        grounded.append(prompted)
    return grounded


def _pipeline(folder: Path, model: str) -> Any:
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
