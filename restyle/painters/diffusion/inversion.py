"""Source latents by inversion: the noise from which a model, left alone, paints the footage's own picture.

DDIM's steps taken backwards (Song et al. 2021, Denoising Diffusion Implicit Models, section 4.3), as FateZero, Pix2Video and
TokenFlow begin. What a picture is made of lies in that noise already, so paintings keep to it where the prompt leaves it open.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from restyle.painters.diffusion.latents import levels
from restyle.painters.diffusion.noise import FINE
from restyle.painters.diffusion.stepping import StepNoise

__all__ = ["draws_noise", "invert"]


def invert(
    model: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    scheduler: Any,
    steps: torch.Tensor,
    clean: torch.Tensor,
) -> torch.Tensor:
    """The noise, N x C x h x w, such that ``add_noise(clean, noise, steps[0])`` is denoised into ``clean``.

    ``model``: latents scaled for it, and a time step -> its output. ``steps``: those that will be painted, the noisiest first;
    they are gone through from the last to the first. What the model says of a step's latents is taken for what it would say
    of the noisier ones that are looked for, so the more steps, the closer.
    """
    kind = scheduler.config.prediction_type
    sample = clean.float()
    signal, noise = torch.ones((), device=clean.device), torch.zeros((), device=clean.device)
    for step in steps.flip(0):
        to_signal, to_noise = _normal(*levels(scheduler, step, clean))
        output = model(sample.to(clean.dtype), step).float()
        if kind == "epsilon":
            found = output
        elif kind == "sample":
            found = (sample - to_signal * output) / to_noise
        else:
            found = to_noise * sample + to_signal * output
        sample = to_signal * (sample - noise * found) / signal + to_noise * found
        signal, noise = to_signal, to_noise
    return ((sample - signal * clean.float()) / noise).to(clean.dtype)


def draws_noise(scheduler: Any) -> bool:
    """Whether it adds noise of its own in each step, which would cover the inverted one."""
    trial = type(scheduler).from_config(scheduler.config)
    trial.set_timesteps(4)
    latents = torch.zeros(1, 4, 2, 2)
    with StepNoise([np.zeros((4, 2 * FINE, 2 * FINE), np.float32)]) as drawn:
        trial.step(trial.scale_model_input(latents, trial.timesteps[0]), trial.timesteps[0], latents)
    return drawn.drawn > 0


def _normal(signal: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of variance 1, as the model sees them, where the scheduler's own grow."""
    whole = (signal**2 + noise**2).sqrt()
    return signal / whole, noise / whole
