"""The loaded models: a diffusers pipeline, and how it is used."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from typing import Any

import torch

from restyle.painters.diffusion.coder import PictureCoder
from restyle.painters.diffusion.control_networks import ControlNetwork
from restyle.painters.diffusion.placing import Placing
from restyle.painters.diffusion.prompts import PromptEncoder
from restyle.painters.networks.specs import ControlSpec
from restyle.weights.catalogue import Family

__all__ = ["Models"]


@dataclass(frozen=True)
class Models:
    """A diffusers image-to-image pipeline, the networks that take control maps beside it, and how they are used."""

    family: Family
    pipe: Any
    placing: Placing
    coder: PictureCoder
    prompts: PromptEncoder
    controls: tuple[ControlSpec, ...]
    """Weights with the preset's factor in."""
    control_networks: tuple[ControlNetwork, ...]
    """Those that take the controls' maps."""
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
    guidance_rescale: float
    """How far guidance keeps the spread that the output has without it, 0 to 1."""
    styles: tuple[Any, ...]
    """PIL pictures, one for each IP-Adapter."""
    style_weights: tuple[float, ...]
    latent_scale: int
    """Pixels of a latent's side."""
    resolution: int
    """Side of the square that has as many pixels as are painted; 0: the footage's own size."""
    loading_notes: tuple[str, ...] = ()
    """Lines for a person about the parts that were loaded."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for a person about the parts that were loaded, and what came of them."""
        return (*self.loading_notes, *self.prompts.notes, *self.coder.notes, *self.placing.notes)

    @property
    def least_multiple(self) -> int:
        """Pixels of which the sides of what is painted are multiples ..."""
        return lcm(self.latent_scale, *(network.multiple for network in self.control_networks))

    @property
    def multiple(self) -> int:
        """... and of which the model wants them to be: its deepest level has whole cells then."""
        return lcm(self.least_multiple, self.latent_scale * 2 ** (len(self.pipe.unet.config.block_out_channels) - 1))

    @property
    def guided(self) -> bool:
        """Whether there is classifier-free guidance."""
        return self.guidance_scale > 1.0
