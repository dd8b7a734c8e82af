"""The small model's UNet and text encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from attention import Joining
from denoising import PAIRS, Noising, Pairs, Told, crop_at, drawn_mode, further_on
from loop import Training, processes, rank, seeded
from models import make_scheduler, make_text_encoder, make_tokenizer, make_unet
from pictures import PaintedPairs

__all__ = ["train_unet"]


def train_unet(latents: np.ndarray, pairs: PaintedPairs, folder: Path, steps: int) -> tuple[Any, Any, Any]:
    """The UNet and the text encoder, half of the steps with the pair's keys and values joined (``attention``)."""
    torch.manual_seed(1)
    tokenizer, unet, scheduler = make_tokenizer(), make_unet(), make_scheduler()
    text = make_text_encoder(tokenizer)
    joining = Joining(unet)
    training = Training(folder, "unet", {"unet": unet, "text": text}, rate=4e-4, steps=steps)
    known = Pairs(latents, pairs, np.flatnonzero(~pairs.held_out))
    unseen = Pairs(latents, pairs, np.flatnonzero(pairs.held_out))
    told, noising = Told(tokenizer), Noising(scheduler)

    def errors(
        shown: torch.Tensor, prompts: list[str], times: torch.Tensor, mode: str, noise: torch.Tensor
    ) -> torch.Tensor:
        noisy, velocity = noising(shown, noise, times)
        with torch.autocast("cpu", torch.bfloat16), joining.mode(mode):
            words = text(told.ids(prompts * 2))[0]
            found = unet(noisy, times, words).sample.float()
        return (found - velocity).square().mean((1, 2, 3))

    def loss_of(step: int) -> tuple[torch.Tensor, dict[str, float]]:
        rng = seeded("unet", step)
        count = PAIRS // processes()
        shown, names, _, _ = known.draw(rng, count, crop_at(step, steps))
        prompts = [told.prompt(name, rng) for name in names]
        mode = drawn_mode(np.random.default_rng([3, step]))
        times = further_on(torch.randint(0, 1000, (count,)).repeat(2), mode, rng)
        each = errors(shown, prompts, times, mode, torch.randn_like(shown))
        loss = (each * noising.weight(times)).mean()
        return loss, {mode: loss.item()}

    rng = np.random.default_rng(11)
    fixed = [unseen.draw(rng, PAIRS, 32)[:2] for _ in range(8)]
    fixed_noise = [
        torch.randn(shown.shape, generator=torch.Generator().manual_seed(place))
        for place, (shown, _) in enumerate(fixed)
    ]

    def judge() -> dict[str, float]:
        figures = {}
        for mode in ("single", "joint", "none"):
            for time_step in (200, 500, 800):
                found = []
                for (shown, _), noise in zip(fixed, fixed_noise, strict=True):
                    times = torch.full((len(shown),), time_step)
                    with torch.no_grad():
                        found.append(errors(shown, ["painting"] * PAIRS, times, mode, noise).mean().item())
                figures[f"held out {mode} {time_step}"] = float(np.mean(found))
        return figures

    training.run(loss_of, judge)
    for part in (unet, text):
        part.eval().requires_grad_(False)
    joining.remove()
    if rank() != 0:
        return unet, text, tokenizer
    unet.save_pretrained(folder / "model" / "unet")
    text.save_pretrained(folder / "model" / "text_encoder")
    tokenizer.save_pretrained(folder / "model" / "tokenizer")
    scheduler.save_pretrained(folder / "model" / "scheduler")
    return unet, text, tokenizer
