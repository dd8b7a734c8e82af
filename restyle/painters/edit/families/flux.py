"""FLUX.1 (Black Forest Labs 2024), image to image, with ControlNets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from restyle.painters.edit.families.base import Editor, Keyframe, Traits, control_arguments

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Flux"]


class Flux(Editor):
    """Through ``FluxPipeline`` and ``FluxControlNetPipeline``, begun from a picture."""

    traits = Traits(
        "FLUX.1",
        "FluxPipeline",
        pictures=0,
        steps=28,
        guidance_scale=3.5,
        strength=0.6,
        follow=0.4,
        controlnet="FluxControlNetModel",
        controlled="FluxControlNetPipeline",
        tokenizer="tokenizer_2",
        words=512,
    )

    def arguments(self, keyframe: Keyframe) -> dict[str, Any]:
        """See ``Editor.arguments``."""
        width, height = keyframe.picture.size
        maps = control_arguments(keyframe.maps)
        return {"width": width, "height": height, "guidance_scale": keyframe.guidance_scale, **maps}

    def latents(self, pipe: Any, picture: Image, generator: Any) -> tuple[Any, Any]:
        """See ``Editor.latents``."""
        width, height = picture.size
        dtype, device = pipe.transformer.dtype, pipe._execution_device
        pixels = pipe.image_processor.preprocess(picture, height, width).to(device, pipe.vae.dtype)
        coded = pipe.vae.encode(pixels).latent_dist.mode()
        coded = ((coded - pipe.vae.config.shift_factor) * pipe.vae.config.scaling_factor).to(dtype)
        channels = pipe.transformer.config.in_channels // 4
        noise, _ = pipe.prepare_latents(1, channels, height, width, dtype, device, generator)
        return noise, pipe._pack_latents(coded, 1, channels, *coded.shape[2:])
