"""Qwen-Image-Edit (Qwen team 2025): a picture and an instruction; since its second version (Plus), up to three pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from restyle.painters.edit.families.base import Editor, Keyframe, Traits

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["QwenEdit", "QwenEditPlus"]


class QwenEdit(Editor):
    """Through ``QwenImageEditPipeline``."""

    traits = Traits(
        "Qwen-Image-Edit",
        "QwenImageEditPipeline",
        pictures=1,
        steps=50,
        guidance_scale=4.0,
        follow=0.8,
        negative=True,
        multiple=32,
    )

    def arguments(self, keyframe: Keyframe) -> dict[str, Any]:
        """See ``Editor.arguments``."""
        width, height = keyframe.picture.size
        return {
            "image": [keyframe.picture, *keyframe.references] if self.traits.pictures > 1 else keyframe.picture,
            "width": width,
            "height": height,
            "true_cfg_scale": keyframe.guidance_scale,
            "negative_prompt": keyframe.negative_prompt or " ",  # no guidance without one
        }

    def latents(self, pipe: Any, picture: Image, generator: Any) -> tuple[Any, Any]:
        """See ``Editor.latents``."""
        width, height = picture.size
        pixels = pipe.image_processor.preprocess(picture, height, width).unsqueeze(2)
        channels = pipe.transformer.config.in_channels // 4
        where = pipe.transformer.dtype, pipe._execution_device
        noise, clean = pipe.prepare_latents(pixels, 1, channels, height, width, *where, generator)
        return noise, clean


class QwenEditPlus(QwenEdit):
    """Through ``QwenImageEditPlusPipeline``."""

    traits = Traits(
        "Qwen-Image-Edit-Plus",
        "QwenImageEditPlusPipeline",
        pictures=3,
        steps=40,
        guidance_scale=4.0,
        follow=1.0,
        negative=True,
        multiple=32,
    )
