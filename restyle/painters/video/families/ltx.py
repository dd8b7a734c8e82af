"""LTX-Video: HaCohen et al., "LTX-Video: Realtime Video Latent Diffusion" (2024).

Frames begin from the footage's own, with noise. Frames that are known are conditions, as the model was taught: a film that goes
on from its first frames, and pictures that it passes through. It has no place for what lies round mattes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from restyle.painters.video.families.base import Family, Film, Tick, Traits
from restyle.painters.video.families.holding import Held, begun, coded_film

__all__ = ["LtxVideo", "film_and_pictures"]


class LtxVideo(Family):
    """Adapter of ``LTXConditionPipeline``."""

    traits = Traits(
        title="LTX-Video",
        pipeline="LTXConditionPipeline",
        also=("LTXPipeline", "LTXImageToVideoPipeline"),
        steps=40,
        guidance_scale=3.0,
        longest=121,
        frame_multiple=8,
        overlap=9,  # two latent frames: the first stands alone, each other for eight
        pixel_multiple=32,
        resolution=600,  # 704 x 512
        strength=0.3,  # its first half of steps hardly takes noise away
        maps="none",
        holds=False,
        words=256,
    )

    def build(self, pipe: Any, parts: Mapping[str, Sequence[Path]], dtype: Any) -> Any:
        """See ``Family.build``."""
        import diffusers

        return diffusers.LTXConditionPipeline(**pipe.components)

    def make(self, pipe: Any, film: Film, tick: Tick) -> np.ndarray:
        """See ``Family.make``."""
        import torch

        height, width = film.pictures[0].shape[:2]
        again: dict[str, Any] = {}
        if int(film.steps * film.strength) < film.steps:
            again = {"denoise_strength": film.strength, "latents": _encoded(pipe, begun(film))}
        if pipe.vae.config.timestep_conditioning:  # as its authors decode
            again |= {"decode_timestep": 0.05, "decode_noise_scale": 0.025}
        result = pipe(
            prompt=film.prompt,
            negative_prompt=film.negative_prompt or None,
            conditions=self._conditions(film) or None,
            height=height,
            width=width,
            num_frames=len(film.pictures),
            frame_rate=film.rate or 25,
            num_inference_steps=film.steps,
            guidance_scale=film.guidance_scale,
            generator=torch.Generator("cpu").manual_seed(film.seed),
            output_type="np",
            callback_on_step_end=Held(tick, None, lambda number: None),
            **again,
        )
        return np.ascontiguousarray(result.frames[0], np.float32)

    def _conditions(self, film: Film) -> list[Any]:
        """Known frames: those at the beginning as a film, as many as it takes, and the others as pictures."""
        from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

        begins, later = film_and_pictures(film, self.traits.frame_multiple)
        shown = (
            [LTXVideoCondition(video=[Image.fromarray(film.known[place]) for place in range(begins)])] if begins else []
        )
        return shown + [
            LTXVideoCondition(image=Image.fromarray(film.known[place]), frame_index=place) for place in later
        ]


def film_and_pictures(film: Film, multiple: int) -> tuple[int, list[int]]:
    """Split known frames: the number of those at the beginning that the model takes as a film (one more than a multiple), and
    the places of those that stand by themselves."""
    first = next(place for place in range(len(film.pictures) + 1) if place not in film.known)
    begins = (first - 1) // multiple * multiple + 1 if first else 0
    return begins, [place for place in sorted(film.known) if place >= first]


def _encoded(pipe: Any, pictures: list[np.ndarray]) -> Any:
    """Latents 1 x channels x n x h x w of pictures, without chance."""
    vae = pipe.vae
    return pipe._normalize_latents(
        coded_film(pipe, pictures), vae.latents_mean, vae.latents_std, vae.config.scaling_factor
    )
