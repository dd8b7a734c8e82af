"""LongCat-Image-Edit (Meituan 2025): a picture and an instruction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from restyle.painters.edit.families.base import Editor, Keyframe, Traits

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["LongCat"]


class LongCat(Editor):
    """Through ``LongCatImageEditPipeline``. That lets nobody look in between its steps, so that nothing can be held round a
    matte; and it stops only after a picture."""

    traits = Traits(
        "LongCat-Image-Edit",
        "LongCatImageEditPipeline",
        pictures=1,
        steps=50,
        guidance_scale=4.5,
        follow=0.8,
        negative=True,
        inpaints=False,
        words=512,
    )

    def arguments(self, keyframe: Keyframe) -> dict[str, Any]:
        """See ``Editor.arguments``."""
        return {
            "image": keyframe.picture,
            "negative_prompt": keyframe.negative_prompt,
            "guidance_scale": keyframe.guidance_scale,
        }

    def latents(self, pipe: Any, picture: Image, generator: Any) -> tuple[Any, Any]:
        """See ``Editor.latents``."""
        width, height = picture.size
        pixels = pipe.image_processor.preprocess(picture, height, width)
        dtype, device = pipe.transformer.dtype, pipe._execution_device
        noise, clean, *_ = pipe.prepare_latents(pixels, 1, 16, height, width, dtype, 0, device, generator)
        return noise, clean
