"""FLUX.1 Kontext (Black Forest Labs 2025): a picture and an instruction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from restyle.painters.edit.families.base import Editor, Keyframe, Traits

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Kontext"]


class Kontext(Editor):
    """Through ``FluxKontextPipeline``. The picture that is shown is of the size that is painted, not of one of those that the
    pipeline prefers: with those, what is painted is shifted against it."""

    traits = Traits(
        "FLUX.1 Kontext",
        "FluxKontextPipeline",
        pictures=1,
        steps=28,
        guidance_scale=2.5,
        follow=0.8,
        tokenizer="tokenizer_2",
        words=512,
    )

    def arguments(self, keyframe: Keyframe) -> dict[str, Any]:
        """See ``Editor.arguments``."""
        width, height = keyframe.picture.size
        return {
            "image": keyframe.picture,
            "width": width,
            "height": height,
            "max_area": width * height,
            "_auto_resize": False,
            "guidance_scale": keyframe.guidance_scale,
        }

    def latents(self, pipe: Any, picture: Image, generator: Any) -> tuple[Any, Any]:
        """See ``Editor.latents``."""
        width, height = picture.size
        pixels = pipe.image_processor.preprocess(picture, height, width)
        channels = pipe.transformer.config.in_channels // 4
        where = pipe.transformer.dtype, pipe._execution_device
        noise, clean, *_ = pipe.prepare_latents(pixels, 1, channels, height, width, *where, generator)
        return noise, clean
