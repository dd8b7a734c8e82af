"""What is done to the picture that a step predicts: shapes early, colours late.

A scheduler's step works on the model's output; corrections are to the clean picture that this output predicts. ``predicted``
and ``replaced`` go from the one to the other and back, for each kind of prediction and of scheduler.
"""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["levels", "lock_colours", "predicted", "replaced", "shape_from"]


def levels(scheduler: Any, step: torch.Tensor, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """``signal, noise`` such that a sample at this step is ``signal * clean + noise * gaussian``."""
    if getattr(scheduler, "sigmas", None) is not None and hasattr(scheduler, "index_for_timestep"):
        index = scheduler.step_index if scheduler.step_index is not None else scheduler.index_for_timestep(step)
        sigma = scheduler.sigmas[index].to(like.device, torch.float32)
        if float(scheduler.init_noise_sigma) != 1.0:  # variance exploding: Euler and its kin
            return torch.ones_like(sigma), sigma
        signal = 1 / (sigma**2 + 1).sqrt()  # multi-step solvers, whose steps may lie between the trained ones
        return signal, sigma * signal
    kept = scheduler.alphas_cumprod[int(step)].to(like.device, torch.float32)
    return kept.sqrt(), (1 - kept).sqrt()


def predicted(scheduler: Any, step: torch.Tensor, sample: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
    """The clean latents, float32, that ``output`` of the model predicts for ``sample`` at ``step``."""
    signal, noise = levels(scheduler, step, sample)
    sample, output = sample.float(), output.float()
    kind = scheduler.config.prediction_type
    if kind == "epsilon":
        return (sample - noise * output) / signal
    if kind == "sample":
        return output
    scale = (signal**2 + noise**2).sqrt()  # 1, or sqrt(1 + sigma^2) where variance explodes
    return (signal * sample / scale - noise * output) / scale


def replaced(
    scheduler: Any, step: torch.Tensor, sample: torch.Tensor, output: torch.Tensor, clean: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """``sample`` and ``output``, as they would be had the model predicted ``clean``, with the noise that it predicted.

    The noise stays, and the sample goes with the picture. Were the sample to stay, the noise would take up the difference, and
    bring most of it back in the last steps, which do not go down to nothing.
    """
    signal, noise = levels(scheduler, step, sample)
    before = predicted(scheduler, step, sample, output)
    moved = sample.float() + signal * (clean - before)
    kind = scheduler.config.prediction_type
    if kind == "epsilon":
        told = output.float()
    elif kind == "sample":
        told = clean
    else:
        scale = (signal**2 + noise**2).sqrt()
        told = (signal * moved / scale - clean * scale) / noise
    return moved.to(sample.dtype), told.to(output.dtype)


def shape_from(
    clean: torch.Tensor, other: torch.Tensor, flow: torch.Tensor, sure: torch.Tensor, weight: float = 1.0
) -> torch.Tensor:
    """Shapes of another keyframe, moved to where they lie in this one, where they are seen (Rerender-A-Video's shape-aware
    cross-frame latent fusion).

    ``clean``, ``other``: C x h x w. ``flow``: h x w x 2 in latents, from here to there. ``sure``: h x w in [0, 1].
    """
    height, width = flow.shape[:2]
    rows = torch.arange(height, device=flow.device)[:, None] + flow[..., 1]
    columns = torch.arange(width, device=flow.device)[None, :] + flow[..., 0]
    grid = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], -1)
    moved = torch.nn.functional.grid_sample(
        other[None].float(), grid[None].float(), mode="bicubic", padding_mode="border", align_corners=False
    )[0]
    mask = sure.to(clean.dtype) * weight
    return mask * moved.to(clean.dtype) + (1 - mask) * clean


def lock_colours(clean: torch.Tensor, like: torch.Tensor, weight: float = 1.0) -> torch.Tensor:
    """Mean and spread of each channel brought to those of ``like`` (adaptive instance normalisation, Huang & Belongie 2017;
    in late steps as in Rerender-A-Video). ``clean``: C x h x w; ``like``: C x h' x w'."""
    mean, spread = clean.mean((1, 2), keepdim=True), clean.std((1, 2), keepdim=True)
    aim, width = like.mean((1, 2), keepdim=True), like.std((1, 2), keepdim=True)
    locked = (clean - mean) / spread.clamp_min(1e-5) * width + aim
    return clean + weight * (locked.to(clean.dtype) - clean)
