"""Corrections of the picture that a step predicts: shapes early, colours late.

A scheduler's step works on the model's output; corrections are to the clean picture that this output predicts.
``predict_clean`` and ``replace_prediction`` go from the one to the other and back, for every kind of prediction and scheduler.
"""

from __future__ import annotations

from typing import Any

import torch

__all__ = [
    "fuse_shapes",
    "match_colours",
    "match_colours_along",
    "noise_levels",
    "predict_clean",
    "replace_prediction",
    "sample_bicubic",
]

LEAST_SHARED, FULLY_SHARED = (
    0.1,
    0.5,
)  # of a picture: what two have to share for colours to be held a little, and in full


def noise_levels(scheduler: Any, timestep: torch.Tensor, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """``signal, noise`` such that a sample at this step is ``signal * clean + noise * gaussian``."""
    if getattr(scheduler, "sigmas", None) is not None and hasattr(scheduler, "index_for_timestep"):
        index = scheduler.step_index if scheduler.step_index is not None else scheduler.index_for_timestep(timestep)
        sigma = scheduler.sigmas[index].to(like.device, torch.float32)
        if float(scheduler.init_noise_sigma) != 1.0:  # variance exploding: Euler and its kin
            return torch.ones_like(sigma), sigma
        signal = 1 / (sigma**2 + 1).sqrt()  # multi-step solvers, whose steps may lie between the trained ones
        return signal, sigma * signal
    alpha = scheduler.alphas_cumprod[int(timestep)].to(like.device, torch.float32)
    return alpha.sqrt(), (1 - alpha).sqrt()


def predict_clean(scheduler: Any, timestep: torch.Tensor, sample: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
    """The clean latents, float32, that ``output`` of the model predicts for ``sample`` at ``timestep``."""
    signal, noise = noise_levels(scheduler, timestep, sample)
    sample, output = sample.float(), output.float()
    kind = scheduler.config.prediction_type
    if kind == "epsilon":
        return (sample - noise * output) / signal
    if kind == "sample":
        return output
    scale = (signal**2 + noise**2).sqrt()  # 1, or sqrt(1 + sigma^2) where variance explodes
    return (signal * sample / scale - noise * output) / scale


def replace_prediction(
    scheduler: Any, timestep: torch.Tensor, sample: torch.Tensor, output: torch.Tensor, clean: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """``sample`` and ``output``, as they would be had the model predicted ``clean``, with the noise that it predicted.

    The noise stays, and the sample goes with the picture. Were the sample to stay, the noise would take up the difference, and
    bring most of it back in the last steps, which do not go down to nothing.
    """
    signal, noise = noise_levels(scheduler, timestep, sample)
    before = predict_clean(scheduler, timestep, sample, output)
    moved = sample.float() + signal * (clean - before)
    kind = scheduler.config.prediction_type
    if kind == "epsilon":
        new_output = output.float()
    elif kind == "sample":
        new_output = clean
    else:
        scale = (signal**2 + noise**2).sqrt()
        new_output = (signal * moved / scale - clean * scale) / noise
    return moved.to(sample.dtype), new_output.to(output.dtype)


def fuse_shapes(
    clean: torch.Tensor, other: torch.Tensor, flow: torch.Tensor, confidence: torch.Tensor, weight: float = 1.0
) -> torch.Tensor:
    """Shapes of another keyframe, moved to where they lie in this one, where they are visible (Rerender-A-Video's shape-aware
    cross-frame latent fusion).

    ``clean``, ``other``: C x h x w. ``flow``: h x w x 2 in latents, from here to there. ``confidence``: h x w in [0, 1].
    """
    height, width = flow.shape[:2]
    rows = torch.arange(height, device=flow.device)[:, None] + flow[..., 1]
    columns = torch.arange(width, device=flow.device)[None, :] + flow[..., 0]
    moved = sample_bicubic(other.float(), rows.to(other.device), columns.to(other.device))
    mask = confidence.to(clean.dtype) * weight
    return mask * moved.to(clean.dtype) + (1 - mask) * clean


def sample_bicubic(values: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """C x h x w float32: ``values``, C x H x W float32, at these places, h x w, in cells; beyond the border its cells go on.

    Keys' cubic convolution with a = -0.75, as ``grid_sample`` has it: which MPS has not in every torch, and half precision not
    on every device.
    """
    channels, height, width = values.shape
    flat = values.reshape(channels, -1)
    top, left = rows.floor(), columns.floor()
    across, down = _cubic(columns - left), _cubic(rows - top)
    top, left = top.long(), left.long()
    sampled = torch.zeros(channels, *rows.shape, device=values.device)
    for row in range(4):
        y = (top + row - 1).clamp(0, height - 1) * width
        line = sum(across[column] * flat[:, y + (left + column - 1).clamp(0, width - 1)] for column in range(4))
        sampled += down[row] * line
    return sampled


def _cubic(part: torch.Tensor, a: float = -0.75) -> list[torch.Tensor]:
    """Weights of the four cells round a place that is that ``part`` of a cell, in [0, 1), beyond the second."""

    def near(x: torch.Tensor) -> torch.Tensor:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: torch.Tensor) -> torch.Tensor:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return [far(part + 1), near(part), near(1 - part), far(2 - part)]


def match_colours(clean: torch.Tensor, like: torch.Tensor, weight: float = 1.0) -> torch.Tensor:
    """Mean and spread of each channel brought to those of ``like`` (adaptive instance normalisation, Huang & Belongie 2017;
    in late steps as in Rerender-A-Video). ``clean``: C x h x w; ``like``: C x h' x w'."""
    return _matched(clean, clean.flatten(1), like.flatten(1), weight)


def match_colours_along(
    clean: torch.Tensor, other: torch.Tensor, target: torch.Tensor, visible: torch.Tensor
) -> torch.Tensor:
    """Mean and spread of each channel brought to those of ``other``, by what both show alone: whatever has come into the
    picture, or left it, changes no colour.

    ``clean``, ``other``: C x h x w. ``target``: int64 h*w, the cell of ``other`` that each of ``clean``'s lies on; ``visible``:
    bool h*w, whether it is to be seen there. The fewer are, the less is done, and nothing below ``LEAST_SHARED`` of them.
    """
    shared = float(visible.float().mean())
    weight = min(1.0, max(0.0, (shared - LEAST_SHARED) / (FULLY_SHARED - LEAST_SHARED)))
    if weight == 0.0:
        return clean
    return _matched(clean, clean.flatten(1)[:, visible], other.flatten(1)[:, target[visible]], weight)


def _matched(clean: torch.Tensor, here: torch.Tensor, there: torch.Tensor, weight: float) -> torch.Tensor:
    """``clean``, brought from the mean and spread of samples ``here`` to those of samples ``there``, C x n each."""
    mean, spread = here.mean(1)[:, None, None], here.std(1)[:, None, None]
    like_mean, like_spread = there.mean(1)[:, None, None], there.std(1)[:, None, None]
    matched = (clean - mean) / spread.clamp_min(1e-5) * like_spread + like_mean
    return clean + weight * (matched.to(clean.dtype) - clean)
