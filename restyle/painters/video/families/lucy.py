"""Lucy Edit: DecartAI (2025), a Wan 2.2 5B that was taught to edit videos as it is told.

It is shown the footage beside the noise, and keeps what the words do not touch. It has no place for frames that are known:
these, and what lies round mattes, are held in latents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from restyle.painters.video.families.base import Family, Film, Tick, Traits
from restyle.painters.video.families.holding import Held, begun, coded_film, noise_of, painted_latents

__all__ = ["LucyEdit"]


class LucyEdit(Family):
    """Adapter of ``LucyEditPipeline``."""

    traits = Traits(
        title="Lucy Edit",
        pipeline="LucyEditPipeline",
        steps=50,
        guidance_scale=5.0,
        longest=81,
        frame_multiple=4,
        overlap=5,  # two latent frames: the first stands alone, each other for four
        pixel_multiple=32,
        resolution=632,  # 832 x 480
        maps="none",
        words=512,
        rows=1,
    )

    def build(self, pipe: Any, parts: Mapping[str, Sequence[Path]], dtype: Any) -> Any:
        """See ``Family.build``."""
        import torch

        pipe.vae.to(dtype=torch.float32)  # which the pipeline gives it its pictures in
        return pipe

    def make(self, pipe: Any, film: Film, tick: Tick) -> np.ndarray:
        """See ``Family.make``."""
        import torch

        height, width = film.pictures[0].shape[:2]
        count = len(film.pictures)
        scale = pipe.vae_scale_factor_spatial
        size = (height // scale, width // scale)
        noise = noise_of(film, (1, pipe.vae.config.z_dim, (count - 1) // self.traits.frame_multiple + 1, *size))
        painted = painted_latents(film, size, self.traits.frame_multiple)
        clean = noise if painted is None else _encoded(pipe, begun(film))

        def noised(number: int) -> Any:
            share = float(pipe.scheduler.sigmas[number + 1])
            return (1 - share) * clean + share * noise.to(clean.device)

        result = pipe(
            video=[Image.fromarray(picture) for picture in film.pictures],
            prompt=film.prompt,
            negative_prompt=film.negative_prompt or None,
            height=height,
            width=width,
            num_frames=count,
            num_inference_steps=film.steps,
            guidance_scale=film.guidance_scale,
            latents=noise,
            output_type="np",
            callback_on_step_end=Held(tick, None if painted is None else torch.from_numpy(painted)[None, None], noised),
        )
        return np.ascontiguousarray(result.frames[0], np.float32)


def _encoded(pipe: Any, pictures: list[np.ndarray]) -> Any:
    """Latents 1 x channels x n x h x w of pictures, float32, without chance."""
    import torch

    config = pipe.vae.config
    coded = coded_film(pipe, pictures).float()
    mean, spread = (
        torch.tensor(each, device=coded.device).view(1, -1, 1, 1, 1)
        for each in (config.latents_mean, config.latents_std)
    )
    return (coded - mean) / spread
