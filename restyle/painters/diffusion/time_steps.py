"""Time steps that are made, of a scheduler's whole schedule."""

from __future__ import annotations

from typing import Any

import torch

from restyle.errors import RecipeError
from restyle.painters.diffusion.models import Models
from restyle.painters.diffusion.options import Options

__all__ = ["check_steps", "fresh_scheduler", "time_steps"]


def fresh_scheduler(models: Models) -> Any:
    """A scheduler as the pipeline's, at its beginning."""
    return type(models.pipe.scheduler).from_config(models.pipe.scheduler.config)


def time_steps(models: Models, options: Options, scheduler: Any) -> torch.Tensor:
    """The time steps that are made, from the strength on, of a fresh ``scheduler``, which is set to them."""
    wanted, whole = models.steps, models.schedule_steps
    if options.denoising_strength <= 0:
        return torch.zeros(0)
    scheduler.set_timesteps(whole, device=models.device)
    before = models.pipe.scheduler
    models.pipe.scheduler = scheduler
    try:
        return models.pipe.get_timesteps(whole, min(1.0, wanted / whole + 1e-6), models.device)[0]
    finally:
        models.pipe.scheduler = before


def check_steps(models: Models, options: Options) -> None:
    """Raise ``RecipeError`` for a number of steps that the scheduler cannot make."""
    whole, scheduler = models.schedule_steps, fresh_scheduler(models)
    most = int(scheduler.config.num_train_timesteps)
    try:
        made = whole <= most and (not options.denoising_strength or len(time_steps(models, options, scheduler)) > 0)
    except (ValueError, IndexError, AssertionError):  # schedulers have limits of their own
        made = False
    if not made:
        raise RecipeError(
            f"{type(scheduler).__name__} cannot make a schedule of {whole} steps, which {models.steps} steps at "
            f"a strength of {options.denoising_strength:g} are part of: take fewer "
            "(--painter-option steps=, or schedule_steps=)"
        )
