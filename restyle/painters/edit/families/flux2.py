"""FLUX.2 and FLUX.2 klein (Black Forest Labs 2025, 2026): an instruction, and as many pictures as there is memory for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from restyle.painters.edit.families.base import Editor, Keyframe, Traits, _module

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Flux2", "Klein", "KleinBase"]


class Flux2(Editor):
    """Through ``Flux2Pipeline``."""

    traits = Traits("FLUX.2", "Flux2Pipeline", pictures=3, steps=50, guidance_scale=4.0, follow=1.0, words=512)

    def arguments(self, keyframe: Keyframe) -> dict[str, Any]:
        """See ``Editor.arguments``."""
        width, height = keyframe.picture.size
        return {
            "image": [keyframe.picture, *keyframe.references],
            "width": width,
            "height": height,
            "guidance_scale": keyframe.guidance_scale,
        }

    def latents(self, pipe: Any, picture: Image, generator: Any) -> tuple[Any, Any]:
        """See ``Editor.latents``."""
        width, height = picture.size
        device = pipe._execution_device
        pixels = pipe.image_processor.preprocess(picture, height, width)
        clean, _ = pipe.prepare_image_latents([pixels], 1, generator, device, pipe.vae.dtype)
        channels = pipe.transformer.config.in_channels // 4
        noise, _ = pipe.prepare_latents(1, channels, height, width, pipe.transformer.dtype, device, generator)
        return noise, clean.to(noise.dtype)

    def shift(self, pipe: Any, tokens: int, steps: int) -> float:
        """See ``Editor.shift``: of FLUX.2 by the number of steps, too."""
        return _module(pipe).compute_empirical_mu(image_seq_len=tokens, num_steps=steps)  # type: ignore[no-any-return]

    def unpacked(self, latents: Any, size: tuple[int, int]) -> Any:
        """See ``Editor.unpacked``: 1 x channels x h x w."""
        width, height = size
        return latents.transpose(1, 2).reshape(1, latents.shape[2], height // 16, width // 16)


class Klein(Flux2):
    """Through ``Flux2KleinPipeline``: of few steps, without guidance."""

    traits = Traits(
        "FLUX.2 klein", "Flux2KleinPipeline", pictures=3, steps=4, guidance_scale=1.0, follow=1.0, words=512
    )


class KleinBase(Flux2):
    """The same, not distilled."""

    traits = Traits(
        "FLUX.2 klein base", "Flux2KleinPipeline", pictures=3, steps=50, guidance_scale=4.0, follow=1.0, words=512
    )
