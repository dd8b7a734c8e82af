"""One call of the networks that take maps and of the UNet on a batch of rows, with guidance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from restyle.painters.diffusion.control_networks import ControlCall, residuals
from restyle.painters.diffusion.models import Models
from restyle.painters.diffusion.prompts import PromptEmbeddings, alike
from restyle.types import TextPrompt

__all__ = ["Denoiser", "Inpaint", "RowInput", "Step"]


@dataclass(frozen=True)
class Inpaint:
    """The part of a row that is painted, and its surroundings."""

    mask: torch.Tensor
    """1 x h x w on the latents' grid: 1 is painted."""
    masked: torch.Tensor
    """C x h x w: latents of the picture with the painted part taken out; an input of inpainting models."""


@dataclass(frozen=True)
class RowInput:
    """One row. Latents are C x h x w, scaled as the UNet sees them, on the device."""

    clean: torch.Tensor
    """Latents of the footage's picture; of a fixed row, of its painting."""
    noise: torch.Tensor
    prompt: TextPrompt
    maps: tuple[torch.Tensor, ...] = ()
    """3 x H x W in [0, 1], one for each control; none of another shot's anchor."""
    generator: torch.Generator | None = None
    """For schedulers that draw noise in each step, where noise is not warped."""
    fine: np.ndarray | None = None
    """The noise on the fine grid, where it is warped: what schedulers draw is made of it."""
    inpaint: Inpaint | None = None
    """``None``: all of it is painted, by a model that takes no mask."""


@dataclass(frozen=True)
class Step:
    """One step of a scheduler."""

    scheduler: Any
    timestep: torch.Tensor
    number: int = 0
    count: int = 1
    """Steps in all."""

    @property
    def progress(self) -> float:
        """Part of the steps that are done, 0 to 1."""
        return self.number / self.count

    @property
    def last(self) -> bool:
        """Whether no other one follows."""
        return self.number == self.count - 1


class Denoiser:
    """Runs one set of models on batches of rows."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._pipe = models.pipe
        self._embeddings: dict[TextPrompt, PromptEmbeddings] = {}
        self._style: list[torch.Tensor] | None = None

    def __call__(
        self, inputs: Sequence[RowInput], scaled: torch.Tensor, step: Step, *, guided: bool, maps: bool
    ) -> torch.Tensor:
        """The model's output, N x C x h x w, guidance done.

        ``scaled``: the rows' latents, as the scheduler scales them for the model. ``maps``: whether control maps take part.
        """
        embeddings = [self._embedded(row.prompt) for row in inputs]
        halves = (0, 1) if guided else (-1,)
        embeds = torch.cat(alike([prompt.embeds[half : half + 1 or None] for half in halves for prompt in embeddings]))
        sample = torch.cat([scaled] * len(halves))
        added: dict[str, Any] = {}
        pooled = [prompt.pooled for prompt in embeddings if prompt.pooled is not None]
        if pooled:
            added["text_embeds"] = torch.cat([embed[half : half + 1 or None] for half in halves for embed in pooled])
            added["time_ids"] = self._time_ids(scaled, len(inputs), len(halves))
        residual = self._control(inputs, sample, embeds, added, step) if maps and self._models.controls else {}
        if self._models.styles:
            added = {**added, "image_embeds": self._style_embeds(len(inputs), guided)}
        if self._models.inpainting:
            more = torch.cat([torch.stack([_inpainting_channels(row, sample) for row in inputs])] * len(halves))
            sample = torch.cat([sample, more], dim=1)
        output = self._pipe.unet(
            sample,
            step.timestep,
            encoder_hidden_states=embeds,
            added_cond_kwargs=added or None,
            return_dict=False,
            **residual,
        )[0]
        if not guided:
            return output
        unconditional, conditional = output.chunk(2)
        led = unconditional + self._models.guidance_scale * (conditional - unconditional)
        if not self._models.guidance_rescale:
            return led
        spread = conditional.std((1, 2, 3), keepdim=True) / led.std((1, 2, 3), keepdim=True)
        return led * (1 + self._models.guidance_rescale * (spread - 1))

    def _control(
        self, inputs: Sequence[RowInput], sample: torch.Tensor, embeds: torch.Tensor, added: dict[str, Any], step: Step
    ) -> dict[str, Any]:
        """The UNet's arguments that come from control maps."""
        specs = self._models.controls
        maps = [torch.stack([row.maps[control] for row in inputs]) for control in range(len(specs))]
        now, then = step.number / step.count, (step.number + 1) / step.count
        weights = [spec.strength * (1.0 - float(now < spec.start or then > spec.end)) for spec in specs]
        call = ControlCall(sample, step.timestep, embeds, added, maps, weights)
        return residuals(self._models.control_networks, call)

    def _embedded(self, prompt: TextPrompt) -> PromptEmbeddings:
        if prompt not in self._embeddings:
            self._embeddings[prompt] = self._models.prompts(prompt, guided=self._models.guided)
        return self._embeddings[prompt]

    def _style_embeds(self, rows: int, guided: bool) -> list[torch.Tensor]:
        if self._style is None:
            self._style = self._pipe.prepare_ip_adapter_image_embeds(
                list(self._models.styles), None, self._models.device, 1, self._models.guided
            )
        halves = 2 if guided else 1
        return [
            torch.cat([part.repeat(rows, 1, 1) for part in each.chunk(each.shape[0])[-halves:]]) for each in self._style
        ]

    def _time_ids(self, sample: torch.Tensor, rows: int, halves: int) -> torch.Tensor:
        """SDXL's micro-conditioning: the painted size, not cropped, of good looks."""
        scale = self._models.latent_scale
        height, width = sample.shape[2] * scale, sample.shape[3] * scale
        if self._pipe.config.get("requires_aesthetics_score", False):
            ids = [[height, width, 0, 0, 2.5], [height, width, 0, 0, 6.0]]
        else:
            ids = [[height, width, 0, 0, height, width]] * 2
        table = torch.tensor(ids[-halves:], dtype=self._models.dtype, device=self._models.device)
        return table.repeat_interleave(rows, dim=0)


def _inpainting_channels(row: RowInput, like: torch.Tensor) -> torch.Tensor:
    """Mask and masked picture, 5 x h x w."""
    assert row.inpaint is not None  # with an inpainting model each row has it
    return torch.cat([row.inpaint.mask, row.inpaint.masked]).to(like.dtype)
