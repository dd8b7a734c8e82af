"""Stable Video Diffusion: Blattmann et al., "Stable Video Diffusion: Scaling Latent Video Diffusion Models to Large Datasets"
(2023).

It makes a film of one picture, here of a painted frame: it reads no words. By itself it invents how things move; so frames
begin from the footage's own with noise (SDEdit, Meng et al. 2022), and follow its motion, while the painted frame says how they
look, as when a video is edited by its first frame (Ku et al., "AnyV2V", 2024). Further known frames are held in each step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from restyle.painters.video.families.animatediff import free_noise
from restyle.painters.video.families.base import Family, Film, Tick, Traits
from restyle.painters.video.families.holding import Held, begun, encoded, painted_latents

__all__ = ["StableVideo"]

AT_ONCE = 8  # frames that the VAE decodes together
RATES = (5, 30)  # frames a second that it was taught


class StableVideo(Family):
    """Adapter of ``StableVideoDiffusionPipeline``."""

    traits = Traits(
        title="Stable Video Diffusion",
        pipeline="StableVideoDiffusionPipeline",
        steps=25,
        guidance_scale=3.0,
        longest=25,
        frame_multiple=1,
        overlap=6,
        pixel_multiple=64,
        resolution=768,  # 1024 x 576
        strength=0.4,
        maps="none",
        begins=True,
        prompts=False,
        negative=False,
        sees=True,
        loras=False,
    )

    def make(self, pipe: Any, film: Film, tick: Tick) -> np.ndarray:
        """See ``Family.make``."""
        import torch

        height, width = film.pictures[0].shape[:2]
        device = pipe._execution_device
        clean = encoded(pipe, begun(film), device)
        count, channels, *size = clean.shape
        noise = torch.from_numpy(free_noise(film.seed, film.first, (count, *size), channels, self.traits.longest))
        noise = noise.to(device, clean.dtype)
        pipe.scheduler.set_timesteps(film.steps)
        made = min(int(film.steps * film.strength), film.steps)
        sigmas = pipe.scheduler.sigmas[film.steps - made :].tolist()
        first = noise  # which the pipeline brings to the first step's spread
        if made < film.steps:
            first = (clean + sigmas[0] * noise) / (sigmas[0] ** 2 + 1) ** 0.5
        painted = painted_latents(film, (size[0], size[1]))
        low, high = RATES
        result = pipe(
            image=Image.fromarray(film.known[min(film.known)]),
            height=height,
            width=width,
            num_frames=count,
            num_inference_steps=None if made < film.steps else film.steps,
            sigmas=sigmas if made < film.steps else None,
            max_guidance_scale=film.guidance_scale,
            min_guidance_scale=min(1.0, film.guidance_scale),
            fps=7 if film.rate is None else round(min(max(film.rate, low), high)),
            decode_chunk_size=AT_ONCE,
            generator=torch.Generator("cpu").manual_seed(film.seed),
            latents=first[None],
            output_type="np",
            callback_on_step_end=Held(
                tick,
                None if painted is None else torch.from_numpy(painted)[None, :, None],
                lambda number: (clean + sigmas[number + 1] * noise)[None],
            ),
        )
        return np.ascontiguousarray(result.frames[0], np.float32)
