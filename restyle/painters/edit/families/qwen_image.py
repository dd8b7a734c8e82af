"""Qwen-Image (Qwen team 2025), image to image, with ControlNets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from restyle.painters.edit.families.base import Editor, Keyframe, Traits, control_arguments

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["QwenImage"]


class QwenImage(Editor):
    """Through ``QwenImagePipeline`` and ``QwenImageControlNetPipeline``, begun from a picture."""

    traits = Traits(
        "Qwen-Image",
        "QwenImagePipeline",
        pictures=0,
        steps=50,
        guidance_scale=4.0,
        strength=0.6,
        follow=0.4,
        negative=True,
        controlnet="QwenImageControlNetModel",
        controlled="QwenImageControlNetPipeline",
    )

    def arguments(self, keyframe: Keyframe) -> dict[str, Any]:
        """See ``Editor.arguments``."""
        width, height = keyframe.picture.size
        return {
            "width": width,
            "height": height,
            "true_cfg_scale": keyframe.guidance_scale,
            "negative_prompt": keyframe.negative_prompt or " ",  # no guidance without one
            **control_arguments(keyframe.maps),
        }

    def latents(self, pipe: Any, picture: Image, generator: Any) -> tuple[Any, Any]:
        """See ``Editor.latents``."""
        width, height = picture.size
        dtype, device = pipe.transformer.dtype, pipe._execution_device
        pixels = pipe.image_processor.preprocess(picture, height, width).unsqueeze(2).to(device, pipe.vae.dtype)
        coded = pipe.vae.encode(pixels).latent_dist.mode()
        config = pipe.vae.config
        mean, spread = (
            coded.new_tensor(part).view(1, -1, 1, 1, 1) for part in (config.latents_mean, config.latents_std)
        )
        coded = ((coded - mean) / spread).transpose(1, 2).to(dtype)
        channels = pipe.transformer.config.in_channels // 4
        noise = pipe.prepare_latents(1, channels, height, width, dtype, device, generator)
        return noise, pipe._pack_latents(coded, 1, channels, *coded.shape[3:])
