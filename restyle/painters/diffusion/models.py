"""The loaded models: a diffusers pipeline, its prompt embeddings, and its VAE."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import torch

from interp.quiet import without_warnings
from restyle.painters.diffusion.coder import PictureCoder
from restyle.painters.diffusion.options import ControlSpec
from restyle.types import TextPrompt
from restyle.weights.catalogue import Family

__all__ = ["Models", "PromptEmbeddings"]

WEIGHTED = re.compile(r"\)\s*[0-9.]+|[\w)](\+\+|--|\+(?=\s|$)|-(?=\s|$))|\.(and|blend)\(")
"""Weights within prompts, as compel reads them."""


@dataclass(frozen=True)
class PromptEmbeddings:
    """A prompt, encoded."""

    embeds: torch.Tensor
    """2 (with guidance: the negative prompt's first) x tokens x width, else 1 x tokens x width."""
    pooled: torch.Tensor | None
    """SDXL's, 2 or 1 x width."""


@dataclass(frozen=True)
class Models:
    """A diffusers image-to-image pipeline, with ControlNets where there are any, and how it is used."""

    family: Family
    pipe: Any
    coder: PictureCoder
    controls: tuple[ControlSpec, ...]
    """In the order of the pipeline's ControlNets; weights with the preset's factor in."""
    device: torch.device
    dtype: torch.dtype
    inpainting: bool
    """The UNet takes 9 channels: latents, mask, masked picture."""
    steps: int
    guidance_scale: float
    style: Any
    """A PIL picture, or ``None``."""
    latent_scale: int
    """Pixels of a latent's side."""
    resolution: int
    """Long side at which is painted; 0: the footage's."""
    loading_notes: tuple[str, ...] = ()
    """Lines for a person about the parts that were loaded."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for a person about the parts that were loaded, and what came of them."""
        return (*self.loading_notes, *self.coder.notes)

    @property
    def guided(self) -> bool:
        """Whether there is classifier-free guidance."""
        return self.guidance_scale > 1.0

    def encode_prompt(self, prompt: TextPrompt, *, guided: bool) -> PromptEmbeddings:
        """Encode a prompt and its negative prompt.

        Weights within prompts (``a (red)1.4 car``, ``fog--``) are compel's: https://github.com/damian0815/compel
        """
        if WEIGHTED.search(prompt.prompt) or WEIGHTED.search(prompt.negative_prompt):
            return self._encode_weighted(prompt, guided)
        encoded = self.pipe.encode_prompt(
            prompt.prompt,
            device=self.device,
            num_images_per_prompt=1,
            do_classifier_free_guidance=guided,
            negative_prompt=prompt.negative_prompt or None,  # SDXL was trained with nothing as zeros, which "" is not
        )
        if self.family == "sdxl":
            embeds, negative, pooled, negative_pooled = encoded
            if not guided:
                return PromptEmbeddings(embeds, pooled)
            return PromptEmbeddings(torch.cat([negative, embeds]), torch.cat([negative_pooled, pooled]))
        embeds, negative = encoded
        return PromptEmbeddings(torch.cat([negative, embeds]) if guided else embeds, None)

    def _encode_weighted(self, prompt: TextPrompt, guided: bool) -> PromptEmbeddings:
        from compel import CompelForSD, CompelForSDXL

        xl = self.family == "sdxl"
        with without_warnings():
            encoded = (CompelForSDXL if xl else CompelForSD)(self.pipe)(
                prompt.prompt, negative_prompt=prompt.negative_prompt
            )
        # compel encodes "" where there is no negative prompt; SDXL was trained with zeros
        factor = float(bool(prompt.negative_prompt) or not (xl and self.pipe.config.force_zeros_for_empty_prompt))
        embeds, negative = encoded.embeds.to(self.dtype), factor * encoded.negative_embeds.to(self.dtype)
        pooled = None
        if xl:
            pooled = encoded.pooled_embeds.to(self.dtype)
            if guided:
                pooled = torch.cat([factor * encoded.negative_pooled_embeds.to(self.dtype), pooled])
        return PromptEmbeddings(torch.cat([negative, embeds]) if guided else embeds, pooled)
