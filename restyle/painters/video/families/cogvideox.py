"""CogVideoX Fun with control: Yang et al., "CogVideoX" (2024), as alibaba-pai taught it to follow control maps.

The map stands beside the noise, frame by frame; there are models for one kind of map, and for several. Frames that are known,
and what lies round mattes, are held in latents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from restyle.errors import MissingModelError
from restyle.painters.video.families.base import Family, Film, Tick, Traits
from restyle.painters.video.families.holding import Held, begun, coded_film, noise_of, painted_latents

__all__ = ["CogVideoXControl"]

TEMPORAL = 4  # frames of a latent frame, after the first


class CogVideoXControl(Family):
    """Adapter of ``CogVideoXFunControlPipeline``."""

    traits = Traits(
        title="CogVideoX Fun Control",
        pipeline="CogVideoXFunControlPipeline",
        steps=50,
        guidance_scale=6.0,
        longest=49,
        frame_multiple=8,  # of an even number of latent frames its VAE makes other numbers of frames
        overlap=5,
        pixel_multiple=16,
        resolution=588,  # 720 x 480
        frames_a_latent=TEMPORAL,
        maps="must",
        weighed=False,
        words=226,
    )

    def build(self, pipe: Any, parts: Mapping[str, Sequence[Path]], dtype: Any) -> Any:
        """See ``Family.build``."""
        if pipe.transformer.config.patch_size_t is not None:
            raise MissingModelError(
                "CogVideoX 1.5 makes other numbers of frames: take a control model of CogVideoX 1.0"
            )
        return pipe

    def make(self, pipe: Any, film: Film, tick: Tick) -> np.ndarray:
        """See ``Family.make``."""
        import torch

        height, width = film.pictures[0].shape[:2]
        count = len(film.pictures)
        scale = pipe.vae_scale_factor_spatial
        size = (height // scale, width // scale)
        shape = (1, (count - 1) // TEMPORAL + 1, pipe.transformer.config.in_channels // 2, *size)
        noise = noise_of(film, shape).to(pipe.transformer.dtype)
        painted = painted_latents(film, size, TEMPORAL)
        clean = noise if painted is None else _encoded(pipe, begun(film))

        def noised(number: int) -> Any:
            times = pipe.scheduler.timesteps
            if number + 1 == len(times):
                return clean
            return pipe.scheduler.add_noise(clean, noise.to(clean.device), times[number + 1][None])

        result = pipe(
            prompt=film.prompt,
            negative_prompt=film.negative_prompt or None,
            control_video=[Image.fromarray(each) for each in film.guides[0].maps],
            height=height,
            width=width,
            num_inference_steps=film.steps,
            guidance_scale=film.guidance_scale,
            generator=torch.Generator("cpu").manual_seed(film.seed),
            latents=noise,
            output_type="np",
            callback_on_step_end=Held(
                tick, None if painted is None else torch.from_numpy(painted)[None, :, None], noised
            ),
        )
        return np.ascontiguousarray(result.frames[0], np.float32)


def _encoded(pipe: Any, pictures: list[np.ndarray]) -> Any:
    """Latents 1 x n x channels x h x w of pictures, without chance."""
    return (coded_film(pipe, pictures) * pipe.vae.config.scaling_factor).permute(0, 2, 1, 3, 4)
