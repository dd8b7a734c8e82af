"""What the UNet and the ControlNet learn from: noise, words and crops of pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from autoencoder import SHRUNK
from pictures import SIDE, PaintedPairs

__all__ = ["PAIRS", "Noising", "Pairs", "Told", "crop_at", "drawn_mode", "further_on"]

CROPS = {0.8: 24, 1.0: 32}  # latents: what a look is shows in small pictures, and those cost least
PAIRS = 4  # in a step, of all processes
GENERAL = ("painting", "a painting", "painting in the style")
NAMED, UNTOLD = 0.25, 0.15  # shares of what is told by name, and of what is not told at all


def crop_at(step: int, steps: int) -> int:
    """Side of the pictures in latents: larger towards the end, for larger pictures have more to attend to."""
    return next(crop for until, crop in CROPS.items() if step < until * steps)


def drawn_mode(chances: np.random.Generator) -> str:
    """A mode of attention, of single pictures in half of the steps. All processes draw the same: modes take unlike times."""
    return str(chances.choice(["single", "joint", "first", "other"], p=[0.5, 0.3, 0.1, 0.1]))


def further_on(times: torch.Tensor, mode: str, rng: np.random.Generator) -> torch.Tensor:
    """Times of a step; where pairs see each other, the first views may be further on: there is more to be seen in them."""
    if mode != "single" and rng.random() < 0.5:
        count = len(times) // 2
        times[:count] = (times[:count] * torch.rand(count)).long()
    return times


class Told:
    """What is said of pairs: mostly only that they are paintings."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def ids(self, prompts: list[str]) -> torch.Tensor:
        return self._tokenizer(prompts, padding="max_length", max_length=77, return_tensors="pt").input_ids

    def prompt(self, name: str, rng: np.random.Generator) -> str:
        chance = rng.random()
        if chance < UNTOLD:
            return ""
        if name:
            return str(rng.choice([name, f"{name} painting", f"a painting in the style of {name}"]))
        return str(rng.choice(GENERAL))


class Noising:
    """The schedule's noise, and the velocity that is to be told from it."""

    def __init__(self, scheduler: Any) -> None:
        self.alphas = scheduler.alphas_cumprod

    def __call__(
        self, latents: torch.Tensor, noise: torch.Tensor, steps: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        signal = self.alphas[steps].sqrt().view(-1, 1, 1, 1)
        spread = (1 - self.alphas[steps]).sqrt().view(-1, 1, 1, 1)
        return signal * latents + spread * noise, signal * noise - spread * latents

    def weight(self, steps: torch.Tensor) -> torch.Tensor:
        """Of each row's error: Hang et al., "Efficient Diffusion Training via Min-SNR Weighting Strategy" (2023), for
        velocities and a schedule that ends in noise alone."""
        ratio = self.alphas[steps] / (1 - self.alphas[steps]).clamp(min=1e-8) + 1
        return ratio.clamp(max=5) / ratio


class Pairs:
    """Random crops of pairs' latents, the same place of both views."""

    def __init__(self, latents: np.ndarray, pairs: PaintedPairs, among: np.ndarray) -> None:
        self._latents, self._pairs = latents, pairs
        named = np.array([bool(name) for name in pairs.names])
        self._named, self._others = among[named[among]], among[~named[among]]

    def draw(
        self, rng: np.random.Generator, count: int, crop: int
    ) -> tuple[torch.Tensor, list[str], np.ndarray, np.ndarray]:
        """Latents 2 ``count`` x ``CHANNELS`` x ``crop`` x ``crop``, first views first; names; numbers; left upper corners."""
        numbers = np.array(
            [rng.choice(self._named if rng.random() < NAMED / (1 - UNTOLD) else self._others) for _ in range(count)]
        )
        corners = rng.integers(SIDE // SHRUNK - crop + 1, size=(2, count, 2))
        cut = [
            self._latents[number, view, :, top : top + crop, left : left + crop]
            for view in range(2)
            for number, (top, left) in zip(numbers, corners[view], strict=True)
        ]
        return (
            torch.from_numpy(np.stack(cut)).float(),
            [self._pairs.names[number] for number in numbers],
            numbers,
            corners,
        )
