"""The loaded models: a diffusers pipeline, and how it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from restyle.painters.diffusion.coder import PictureCoder
from restyle.painters.diffusion.options import ControlSpec
from restyle.painters.diffusion.prompts import PromptEncoder
from restyle.weights.catalogue import Family

__all__ = ["Models"]


@dataclass(frozen=True)
class Models:
    """A diffusers image-to-image pipeline, with ControlNets where there are any, and how it is used."""

    family: Family
    pipe: Any
    coder: PictureCoder
    prompts: PromptEncoder
    controls: tuple[ControlSpec, ...]
    """In the order of the pipeline's ControlNets; weights with the preset's factor in."""
    device: torch.device
    dtype: torch.dtype
    inpainting: bool
    """The UNet takes 9 channels: latents, mask, masked picture."""
    steps: int
    """Those that are made ..."""
    schedule_steps: int
    """... of the whole schedule's."""
    eta: float
    """How much noise each step adds, where the scheduler lets one say."""
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
        return (*self.loading_notes, *self.prompts.notes, *self.coder.notes)

    @property
    def guided(self) -> bool:
        """Whether there is classifier-free guidance."""
        return self.guidance_scale > 1.0
