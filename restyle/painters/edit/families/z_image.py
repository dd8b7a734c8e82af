"""Z-Image (Tongyi Lab 2025), image to image, with a ControlNet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from restyle.painters.edit.families.base import Editor, Keyframe, Traits

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ZImage"]


class ZImage(Editor):
    """Through ``ZImagePipeline`` and ``ZImageControlNetPipeline``, begun from a picture; steps and guidance are those of
    Z-Image-Turbo."""

    traits = Traits(
        "Z-Image",
        "ZImagePipeline",
        pictures=0,
        steps=9,
        guidance_scale=0.0,
        strength=0.6,
        follow=0.4,
        negative=True,
        controlnet="ZImageControlNetModel",
        controlled="ZImageControlNetPipeline",
        controlnets=1,
        words=512,
    )

    def arguments(self, keyframe: Keyframe) -> dict[str, Any]:
        """See ``Editor.arguments``."""
        width, height = keyframe.picture.size
        maps = {}
        for one in keyframe.maps:  # its pipeline takes one, for all steps
            maps = {"control_image": one.picture, "controlnet_conditioning_scale": one.strength}
        return {
            "width": width,
            "height": height,
            "guidance_scale": keyframe.guidance_scale,
            "negative_prompt": keyframe.negative_prompt,
            **maps,
        }

    def latents(self, pipe: Any, picture: Image, generator: Any) -> tuple[Any, Any]:
        """See ``Editor.latents``: 1 x channels x h x w, as its pipelines hold them."""
        width, height = picture.size
        device = pipe._execution_device
        pixels = pipe.image_processor.preprocess(picture, height, width).to(device, pipe.vae.dtype)
        coded = pipe.vae.encode(pixels).latent_dist.mode()
        coded = ((coded - pipe.vae.config.shift_factor) * pipe.vae.config.scaling_factor).float()
        channels = pipe.transformer.in_channels
        return pipe.prepare_latents(1, channels, height, width, coded.dtype, device, generator), coded

    def painted(self, matte: np.ndarray) -> np.ndarray:
        """See ``Editor.painted``."""
        height, width = matte.shape
        cells = matte.reshape(height // 8, 8, width // 8, 8)
        return np.asarray(cells.any(axis=(1, 3)))[None, None]
