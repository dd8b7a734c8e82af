"""LTX-2: HaCohen et al., "LTX-2: Efficient Joint Audio-Visual Foundation Model" (2026).

As with LTX-Video, frames begin from the footage's own, with noise, and known frames are conditions. It makes sound beside the
pictures, which is dropped: the footage keeps its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from restyle.painters.video.families.base import Family, Film, Tick
from restyle.painters.video.families.holding import Held, begun, coded_film
from restyle.painters.video.families.ltx import LtxVideo, film_and_pictures

__all__ = ["Ltx2Video"]

SHIFTS = {
    "base_image_seq_len": 1024,
    "max_image_seq_len": 4096,
    "base_shift": 0.95,
    "max_shift": 2.05,
}  # its pipeline's own


class Ltx2Video(Family):
    """Adapter of ``LTX2ConditionPipeline``."""

    traits = replace(
        LtxVideo.traits,
        title="LTX-2",
        pipeline="LTX2Pipeline",
        also=("LTX2ConditionPipeline", "LTX2ImageToVideoPipeline"),
        resolution=627,  # 768 x 512
        sound=True,
        words=1024,
    )

    def build(self, pipe: Any, parts: Mapping[str, Sequence[Path]], dtype: Any) -> Any:
        """See ``Family.build``."""
        import diffusers

        return diffusers.LTX2ConditionPipeline(**pipe.components)

    def make(self, pipe: Any, film: Film, tick: Tick) -> np.ndarray:
        """See ``Family.make``."""
        import torch

        height, width = film.pictures[0].shape[:2]
        config = pipe.transformer.config
        conditions = _conditions(film, self.traits.frame_multiple)
        again: dict[str, Any] = {}
        made = int(film.steps * film.strength)
        if made < film.steps:
            sigmas = np.linspace(1.0, 1 / film.steps, film.steps)[film.steps - made :]
            again = {
                "sigmas": sigmas,
                "noise_scale": _first_sigma(pipe, sigmas, _tokens(pipe, film, conditions)),
                "latents": coded_film(pipe, begun(film)).float(),
                "audio_latents": _silence(pipe, len(film.pictures) / (film.rate or 24)),
            }
        result = pipe(
            prompt=film.prompt,
            negative_prompt=film.negative_prompt or None,
            conditions=conditions or None,
            height=height,
            width=width,
            num_frames=len(film.pictures),
            frame_rate=film.rate or 24.0,
            num_inference_steps=film.steps,
            guidance_scale=film.guidance_scale,
            stg_scale=float(config.perturbed_attn),  # of others it would be computed, and come to nothing
            audio_stg_scale=float(config.perturbed_attn),
            spatio_temporal_guidance_blocks=[28 if config.cross_attn_mod else 29],
            use_cross_timestep=config.cross_attn_mod,  # from LTX-2.3 on
            generator=torch.Generator("cpu").manual_seed(film.seed),
            output_type="np",
            callback_on_step_end=Held(tick, None, lambda number: None),
            **again,
        )
        return np.ascontiguousarray(result.frames[0], np.float32)


def _conditions(film: Film, multiple: int) -> list[Any]:
    """Known frames: those at the beginning as a film, as many as it takes, and the others as pictures, each at its own frame.

    Places are those of latent frames, which the pipeline turns into the number of a frame: a fraction is a frame within one."""
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

    begins, later = film_and_pictures(film, multiple)
    pictures = {place: Image.fromarray(picture) for place, picture in film.known.items()}
    shown = [LTX2VideoCondition([pictures[place] for place in range(begins)])] if begins else []
    places: dict[int, Any] = {place: (place - 1) / multiple + 1 for place in later}
    return shown + [LTX2VideoCondition(pictures[place], index) for place, index in places.items()]


def _tokens(pipe: Any, film: Film, conditions: Sequence[Any]) -> int:
    """Tokens that its network sees: those of the film, and of pictures that it passes through."""
    height, width = (side // pipe.vae_spatial_compression_ratio for side in film.pictures[0].shape[:2])
    frames = (len(film.pictures) - 1) // pipe.vae_temporal_compression_ratio + 1
    return (frames + sum(condition.index > 0 for condition in conditions)) * height * width


def _first_sigma(pipe: Any, sigmas: np.ndarray, tokens: int) -> float:
    """Share of noise that the first of these steps begins with, shifted as its pipeline shifts it."""
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import calculate_shift

    scheduler = deepcopy(pipe.scheduler)
    shifts = (scheduler.config.get(name, usual) for name, usual in SHIFTS.items())
    scheduler.set_timesteps(sigmas=sigmas, mu=calculate_shift(tokens, *shifts))
    return float(scheduler.sigmas[0])


def _silence(pipe: Any, seconds: float) -> Any:
    """Latents 1 x channels x n x bins of no sound in particular, to begin from beside pictures that begin from others."""
    vae = pipe.audio_vae
    length = round(
        seconds * pipe.audio_sampling_rate / pipe.audio_hop_length / pipe.audio_vae_temporal_compression_ratio
    )
    bins = pipe.audio_mel_bins // pipe.audio_vae_mel_compression_ratio
    mean = vae.latents_mean.float().unflatten(0, (-1, bins))[None, :, None]
    return mean.expand(-1, -1, length, -1).to(pipe._execution_device)
