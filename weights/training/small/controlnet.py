"""The small model's ControlNet: first alone, behind the UNet as it is, then both together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from attention import Joining
from autoencoder import SHRUNK
from denoising import PAIRS, Noising, Pairs, Told, crop_at, drawn_mode, further_on
from loop import Training, processes, rank, seeded, wait
from models import make_controlnet, make_scheduler
from pictures import PaintedPairs
from torch import nn

from controls.maps import DETECTORS

__all__ = ["train_controlnet"]

MAPPED = 0.7  # share of the pairs that have a map while both are trained


def map_maker(kind: str) -> Callable[[np.ndarray], np.ndarray]:
    """The product's own detector: picture -> map, both uint8 H x W x 3."""
    detector = DETECTORS.make(kind, {})
    return lambda picture: detector.detect(picture).picture


MAPS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    kind: map_maker(kind) for kind in ("canny", "lineart", "tile")
} | {"luma": lambda picture: cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)}
"""The maps that one network learns: they look unlike each other."""


class Led:
    """The UNet led by maps of the footage's pictures: its errors, and figures on what was held out."""

    def __init__(
        self, net: Any, unet: Any, text: Any, tokenizer: Any, latents: np.ndarray, pairs: PaintedPairs
    ) -> None:
        self._net, self._unet, self._text, self._pairs = net, unet, text, pairs
        self.told, self.noising = Told(tokenizer), Noising(make_scheduler())
        self.known = Pairs(latents, pairs, np.flatnonzero(~pairs.held_out))
        rng = np.random.default_rng(12)
        unseen = Pairs(latents, pairs, np.flatnonzero(pairs.held_out))
        self._fixed = [unseen.draw(rng, PAIRS, 32) for _ in range(4)]

    def maps(self, kind: str, numbers: np.ndarray, corners: np.ndarray, crop: int) -> torch.Tensor:
        """Maps of the crops that ``Pairs.draw`` gave, in its order."""
        seen = [
            MAPS[kind](self._pairs.sources[number, view])[
                SHRUNK * top : SHRUNK * (top + crop), SHRUNK * left : SHRUNK * (left + crop)
            ]
            for view in range(2)
            for number, (top, left) in zip(numbers, corners[view], strict=True)
        ]
        return torch.from_numpy(np.stack(seen)).permute(0, 3, 1, 2).float() / 255

    def errors(
        self,
        shown: torch.Tensor,
        prompts: list[str],
        times: torch.Tensor,
        maps: torch.Tensor | None,
        noise: torch.Tensor,
    ) -> torch.Tensor:
        """One number for each picture."""
        noisy, velocity = self.noising(shown, noise, times)
        with torch.autocast("cpu", torch.bfloat16):
            words = self._text(self.told.ids(prompts * 2))[0]
            more: dict[str, Any] = {}
            if maps is not None:
                down, middle = self._net(noisy, times, words, controlnet_cond=maps, return_dict=False)
                more = {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}
            found = self._unet(noisy, times, words, **more).sample.float()
        return (found - velocity).square().mean((1, 2, 3))

    def judge(self) -> dict[str, float]:
        """Errors on pairs that were held out, by kind of map and time."""
        figures = {}
        for kind in ("none", *MAPS):
            for time_step in (500, 800):
                found = []
                for place, (shown, _, numbers, corners) in enumerate(self._fixed):
                    noise = torch.randn(shown.shape, generator=torch.Generator().manual_seed(place))
                    maps = None if kind == "none" else self.maps(kind, numbers, corners, 32)
                    times = torch.full((len(shown),), time_step)
                    with torch.no_grad():
                        found.append(self.errors(shown, ["painting"] * PAIRS, times, maps, noise).mean().item())
                figures[f"held out {kind} {time_step}"] = float(np.mean(found))
        return figures


def train_controlnet(
    latents: np.ndarray,
    pairs: PaintedPairs,
    unet: Any,
    text: Any,
    tokenizer: Any,
    folder: Path,
    steps: int,
    steps_together: int,
) -> None:
    """A map leads the frozen UNet, from mostly strong noise, for that is when a map tells what nothing else does; then the
    UNet, the text encoder and the ControlNet go on together, as the first two were trained, most pairs with a map."""
    torch.manual_seed(2)
    net = make_controlnet(unet).requires_grad_(True)
    # All ways in begin with zeros behind zeros, so that for long nothing is learnt of the map; one of them is enough.
    nn.init.normal_(net.controlnet_cond_embedding.conv_out.weight, std=0.02)
    led = Led(net, unet, text, tokenizer, latents, pairs)
    count = PAIRS // processes()

    def alone(step: int) -> tuple[torch.Tensor, dict[str, float]]:
        rng = seeded("controlnet", step)
        crop = crop_at(step, steps)
        shown, names, numbers, corners = led.known.draw(rng, count, crop)
        kind = str(rng.choice(list(MAPS)))
        times = (999.99 * torch.rand(count).sqrt()).long().repeat(2)
        prompts = [led.told.prompt(name, rng) for name in names]
        each = led.errors(shown, prompts, times, led.maps(kind, numbers, corners, crop), torch.randn_like(shown))
        loss = (each * led.noising.weight(times)).mean()
        return loss, {kind: loss.item()}

    for part in (unet, text):
        part.requires_grad_(False)
    Training(folder, "controlnet", {"controlnet": net}, rate=8e-4, steps=steps).run(alone, led.judge)

    joining = Joining(unet)

    def together(step: int) -> tuple[torch.Tensor, dict[str, float]]:
        rng = seeded("together", step)
        crop = crop_at(step, steps_together)
        shown, names, numbers, corners = led.known.draw(rng, count, crop)
        chances = np.random.default_rng([4, step])  # all processes the same, for modes and maps take unlike times
        mode = drawn_mode(chances)
        kind = str(chances.choice(list(MAPS))) if chances.random() < MAPPED else "none"
        times = (999.99 * torch.rand(count) ** (0.5 if kind != "none" else 1.0)).long().repeat(2)
        times = further_on(times, mode, rng)
        prompts = [led.told.prompt(name, rng) for name in names]
        maps = None if kind == "none" else led.maps(kind, numbers, corners, crop)
        with joining.mode(mode):
            each = led.errors(shown, prompts, times, maps, torch.randn_like(shown))
        loss = (each * led.noising.weight(times)).mean()
        return loss, {kind: loss.item()}

    if steps_together:
        parts = {"controlnet": net, "unet": unet, "text": text}
        for part in parts.values():
            part.requires_grad_(True)
        Training(folder, "together", parts, rate=3e-4, steps=steps_together).run(together, led.judge)
    joining.remove()
    if rank() == 0:
        net.eval().save_pretrained(folder / "model" / "controlnet")
        unet.eval().save_pretrained(folder / "model" / "unet")
        text.eval().save_pretrained(folder / "model" / "text_encoder")
    wait()
