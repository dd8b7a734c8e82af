"""Source latents by inversion: the noise from which a model, left alone, paints the footage's own picture.

DDIM's steps taken backwards (Song et al. 2021, Denoising Diffusion Implicit Models, section 4.3), as FateZero, Pix2Video and
TokenFlow begin. What a picture is made of lies in that noise already, so paintings keep to it where the prompt leaves it open.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from restyle.painters.diffusion.latents import noise_levels
from restyle.painters.diffusion.noise import FINE
from restyle.painters.diffusion.step_noise import StepNoise

__all__ = ["draws_noise", "invert"]


def invert(
    model: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    scheduler: Any,
    timesteps: torch.Tensor,
    clean: torch.Tensor,
) -> torch.Tensor:
    """The noise, N x C x h x w, such that ``add_noise(clean, noise, timesteps[0])`` is denoised into ``clean``.

    ``model``: latents scaled for it, and a time step -> its output. ``timesteps``: those that will be painted, the noisiest
    first; they are gone through from the last to the first. The model's output for a step's latents stands in for its output
    for the noisier ones that are looked for, so the more steps, the closer.
    """
    kind = scheduler.config.prediction_type
    sample = clean.float()
    signal, noise = torch.ones((), device=clean.device), torch.zeros((), device=clean.device)
    for timestep in timesteps.flip(0):
        next_signal, next_noise = _normalise(*noise_levels(scheduler, timestep, clean))
        output = model(sample.to(clean.dtype), timestep).float()
        if kind == "epsilon":
            epsilon = output
        elif kind == "sample":
            epsilon = (sample - next_signal * output) / next_noise
        else:
            epsilon = next_noise * sample + next_signal * output
        sample = next_signal * (sample - noise * epsilon) / signal + next_noise * epsilon
        signal, noise = next_signal, next_noise
    return ((sample - signal * clean.float()) / noise).to(clean.dtype)


def draws_noise(scheduler: Any) -> bool:
    """Whether it adds noise of its own in each step, which would cover the inverted one."""
    trial = type(scheduler).from_config(scheduler.config)
    trial.set_timesteps(4)
    latents = torch.zeros(1, 4, 2, 2)
    with StepNoise([np.zeros((4, 2 * FINE, 2 * FINE), np.float32)]) as step_noise:
        trial.step(trial.scale_model_input(latents, trial.timesteps[0]), trial.timesteps[0], latents)
    return step_noise.draws > 0


def _normalise(signal: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Bring to variance 1, as the model sees them, where the scheduler's own grow."""
    whole = (signal**2 + noise**2).sqrt()
    return signal / whole, noise / whole
