"""AnimateDiff: Guo et al., "AnimateDiff: Animate Your Personalized Text-to-Image Diffusion Models without Specific Tuning"
(2024).

Layers that look along time (a motion adapter) are put between those of any Stable Diffusion 1.5 checkpoint. Frames begin from
the footage's own (SDEdit, Meng et al. 2022), led by ControlNets. Known frames, and what lies round mattes, are held after each
step to what they are with that much noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from restyle.painters.networks.errors import loading
from restyle.painters.video.families.base import Family, Film, Tick, Traits
from restyle.painters.video.families.holding import AT_ONCE, Held, begun, encoded, painted_latents

__all__ = ["AnimateDiff", "free_noise"]


class AnimateDiff(Family):
    """Adapter of ``AnimateDiffVideoToVideoPipeline``, and of the one with ControlNets."""

    traits = Traits(
        title="AnimateDiff",
        pipeline="StableDiffusionPipeline",
        steps=25,
        guidance_scale=7.5,
        longest=16,
        frame_multiple=1,
        overlap=4,
        pixel_multiple=8,
        resolution=512,
        strength=0.75,
        motion="guoyww/animatediff-motion-adapter-v1-5-3",
        controlnets=True,
        words=77,
    )

    def build(self, pipe: Any, parts: Mapping[str, Sequence[Path]], dtype: Any) -> Any:
        """See ``Family.build``."""
        import diffusers

        (motion,) = parts["motion adapter"]
        with loading("the motion adapter", motion):
            adapter = diffusers.MotionAdapter.from_pretrained(motion, torch_dtype=dtype, local_files_only=True)
        nets = []
        for folder in parts["ControlNet"]:
            with loading("the ControlNet", folder):
                nets.append(diffusers.ControlNetModel.from_pretrained(folder, torch_dtype=dtype, local_files_only=True))
        names = ("vae", "text_encoder", "tokenizer", "unet")
        shared = {name: pipe.components[name] for name in names} | {"motion_adapter": adapter}
        shared["scheduler"] = (
            diffusers.DDIMScheduler.from_config(  # as the adapters were trained, and their authors sample
                pipe.scheduler.config,
                beta_schedule="linear",
                clip_sample=False,
                timestep_spacing="linspace",
                steps_offset=1,
            )
        )
        with loading("the motion adapter", motion):  # of another kind of model it shows here
            if not nets:
                return diffusers.AnimateDiffVideoToVideoPipeline(**shared)
            return diffusers.AnimateDiffVideoToVideoControlNetPipeline(controlnet=nets, **shared)

    def make(self, pipe: Any, film: Film, tick: Tick) -> np.ndarray:
        """See ``Family.make``."""
        import torch

        height, width = film.pictures[0].shape[:2]
        device, dtype = pipe._execution_device, pipe.unet.dtype
        clean = encoded(pipe, begun(film), device)
        count, channels, *size = clean.shape
        noise = torch.from_numpy(free_noise(film.seed, film.first, (count, *size), channels, self.traits.longest)).to(
            device, clean.dtype
        )
        clean, noise = (each.permute(1, 0, 2, 3)[None] for each in (clean, noise))
        pipe.scheduler.set_timesteps(film.steps, device=device)
        made = min(int(film.steps * film.strength), film.steps)
        times = pipe.scheduler.timesteps[film.steps - made :]
        painted = painted_latents(film, (size[0], size[1]))

        def noised(number: int) -> Any:
            if number + 1 == len(times):
                return clean
            return pipe.scheduler.add_noise(clean, noise, times[number + 1][None])

        more: dict[str, Any] = {}
        if film.guides:
            more = {
                "conditioning_frames": [[Image.fromarray(each) for each in guide.maps] for guide in film.guides],
                "controlnet_conditioning_scale": [guide.strength for guide in film.guides],
                "control_guidance_start": [guide.start for guide in film.guides],
                "control_guidance_end": [guide.end for guide in film.guides],
            }
        result = pipe(
            prompt=film.prompt,
            negative_prompt=film.negative_prompt or None,
            height=height,
            width=width,
            num_inference_steps=film.steps,
            guidance_scale=film.guidance_scale,
            strength=film.strength,
            generator=torch.Generator("cpu").manual_seed(film.seed),
            latents=pipe.scheduler.add_noise(clean, noise, times[:1]).to(dtype),
            output_type="np",
            decode_chunk_size=AT_ONCE,
            callback_on_step_end=Held(tick, None if painted is None else torch.from_numpy(painted)[None, None], noised),
            **more,
        )
        return np.ascontiguousarray(result.frames[0], np.float32)


def free_noise(seed: int, first: int, shape: tuple[int, ...], channels: int, period: int) -> np.ndarray:
    """Noise of the frames from ``first`` on, float32 n x channels x h x w; ``shape``: n, h, w.

    FreeNoise (Qiu et al. 2024): the same ``period`` pictures of noise all along a shot, in an order of their own in each
    stretch of so many frames. So windows far apart are alike, and a frame has one noise in whatever window.
    """
    count, *size = shape
    order: dict[int, np.ndarray] = {}
    made: dict[int, np.ndarray] = {}
    noises = []
    for frame in range(first, first + count):
        stretch, place = divmod(frame, period)
        if stretch not in order:
            order[stretch] = (
                np.random.default_rng([seed, 1, stretch]).permutation(period) if stretch else np.arange(period)
            )
        source = int(order[stretch][place])
        if source not in made:
            made[source] = np.random.default_rng([seed, 0, source]).standard_normal((channels, *size), np.float32)
        noises.append(made[source])
    return np.stack(noises)
