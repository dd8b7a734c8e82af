"""Wan 2.1 and 2.2 VACE: Jiang et al., "VACE: All-in-One Video Creation and Editing" (2025).

The model is shown a video and masks: white where it paints, and the video there leads it (a control map); black where the video
is kept. So known frames, and what lies round mattes, are held by the model itself.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from PIL import Image

from restyle.painters.video.families.base import Family, Film, Tick, Traits

__all__ = ["Vace"]


class Vace(Family):
    """Adapter of ``WanVACEPipeline``."""

    traits = Traits(
        title="Wan VACE",
        pipeline="WanVACEPipeline",
        steps=30,
        guidance_scale=5.0,
        longest=81,
        frame_multiple=4,
        overlap=5,  # two latent frames: the first stands alone, each other for four
        pixel_multiple=16,
        resolution=632,  # 832 x 480
        references=3,
        words=512,
        rows=1,
    )

    def make(self, pipe: Any, film: Film, tick: Tick) -> np.ndarray:
        """See ``Family.make``."""
        import torch

        shown, masks = zip(*(self._condition(film, place) for place in range(len(film.pictures))), strict=True)
        height, width = film.pictures[0].shape[:2]

        def after(pipe: Any, number: int, time: Any, values: dict[str, Any]) -> dict[str, Any]:
            tick(number + 1)
            return values

        result = pipe(
            prompt=film.prompt,
            negative_prompt=film.negative_prompt or None,
            video=[Image.fromarray(picture) for picture in shown],
            mask=[Image.fromarray(mask) for mask in masks],
            reference_images=list(film.references) or None,
            conditioning_scale=film.guides[0].strength if film.guides else 1.0,
            height=height,
            width=width,
            num_frames=len(film.pictures),
            num_inference_steps=film.steps,
            guidance_scale=film.guidance_scale,
            generator=torch.Generator("cpu").manual_seed(film.seed),
            output_type="np",
            callback_on_step_end=after,
        )
        return np.ascontiguousarray(result.frames[0], np.float32)

    def _condition(self, film: Film, place: int) -> tuple[np.ndarray, np.ndarray]:
        """The picture that is shown of one frame, and its mask."""
        shape = film.pictures[place].shape
        if place in film.known:
            return film.known[place], np.zeros(shape, np.uint8)
        painted = np.ones(shape[:2], bool) if not film.mattes else film.mattes[place]
        guide = film.guides[0].maps[place] if film.guides else _grey(film.pictures[place])
        shown = np.where(painted[..., None], guide, film.pictures[place])
        return np.ascontiguousarray(shown), np.repeat(painted[..., None], 3, axis=2).astype(np.uint8) * 255


def _grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
