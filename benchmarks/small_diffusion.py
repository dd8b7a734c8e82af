"""Train a small Stable Diffusion model on painted footage, in the hub's layout: so that what diffusion paints can be looked at.

    python benchmarks/small_diffusion.py FOLDER [CLIP ...]      about 55 minutes on 2 cores; without clips, on our own samples

Frames are shrunk to 180 lines and painted with the built-in styles of ``--styles``; the model learns to paint such pictures,
a style to its name as the prompt (``"autumn oil"``). It has the layers of SD 1.5 (an autoencoder, four pixels a latent; a UNet
of 5.6 million weights with self- and cross-attention at two sizes; a text encoder, which stays random) and paints well at
about 320 x 180. Latent diffusion: Rombach et al. 2022.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import tiny_diffusion  # noqa: E402
from diffusers import AutoencoderKL, DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel  # noqa: E402

from restyle.footage import open_footage  # noqa: E402
from restyle.painters.neural_style.choice import parse_style  # noqa: E402
from restyle.painters.neural_style.networks import StyleNetworks  # noqa: E402
from samples import CLIPS, clip  # noqa: E402

LINES = 180
UNTOLD = 0.15  # share of the pictures that are learnt without their prompt, so that guidance works


class Pictures:
    """Frames of footage, and how each style paints them."""

    def __init__(self, clips: list[Path], styles: list[str], most: int) -> None:
        networks = StyleNetworks()
        self.styles = styles
        self._plain: list[np.ndarray] = []
        self._painted: list[list[np.ndarray]] = [[] for _ in styles]
        self._rng = np.random.default_rng(0)
        for path in clips:
            with open_footage(path) as footage:
                every = max(1, -(-(footage.spec.frames or 300) // most))
                for frame in footage.frames():
                    if frame.index % every == 0:
                        self._add(frame.picture, networks)
            print(f"{path.name}: {len(self._plain)} frames", flush=True)

    def _add(self, picture: np.ndarray, networks: StyleNetworks) -> None:
        width = round(picture.shape[1] * LINES / picture.shape[0] / 4) * 4
        large = cv2.resize(picture, (2 * width, 2 * LINES), interpolation=cv2.INTER_AREA)
        self._plain.append(cv2.resize(large, (width, LINES), interpolation=cv2.INTER_AREA))
        for style, kept in zip(self.styles, self._painted, strict=True):
            made = networks.paint_builtin(large.astype(np.float32) / 255, parse_style(style).weights)
            small = cv2.resize(made, (width, LINES), interpolation=cv2.INTER_AREA)
            kept.append((small * 255).clip(0, 255).astype(np.uint8))

    def batch(self, count: int, size: int, *, plain: int = 0) -> tuple[torch.Tensor, list[int]]:
        """Random crops, count x 3 x size x size in [-1, 1], the first ``plain`` of them not painted; and each one's style."""
        made, which = [], []
        for number in range(count):
            style = int(self._rng.integers(len(self.styles)))
            pictures = self._plain if number < plain else self._painted[style]
            picture = pictures[self._rng.integers(len(pictures))]
            edge = min(int(size / self._rng.uniform(0.6, 1)), *picture.shape[:2])
            top, left = (int(self._rng.integers(length - edge + 1)) for length in picture.shape[:2])
            part = cv2.resize(picture[top : top + edge, left : left + edge], (size, size))
            made.append(part[:, ::-1] if self._rng.random() < 0.5 else part)
            which.append(style)
        return torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2).float() / 127.5 - 1, which


class Until:
    """Numbers from 0 on, until the time is over; the learning rate rises, and falls to nothing."""

    def __init__(self, minutes: float, optimizer: torch.optim.Optimizer, warm: int) -> None:
        self._seconds = 60 * minutes
        self._optimizer = optimizer
        self._rate = optimizer.param_groups[0]["lr"]
        self._warm = warm

    def __iter__(self) -> Any:
        began, number = time.monotonic(), 0
        while (part := (time.monotonic() - began) / self._seconds) < 1:
            for group in self._optimizer.param_groups:
                group["lr"] = self._rate * min(1, (number + 1) / self._warm) * (1 - part) + 1e-6
            yield number
            number += 1


def autoencoder(pictures: Pictures, minutes: float) -> AutoencoderKL:
    """Four pixels a latent."""
    torch.manual_seed(0)
    made = AutoencoderKL(
        block_out_channels=(24, 48, 64),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        norm_num_groups=8,
        latent_channels=4,
        layers_per_block=1,
    )
    optimizer = torch.optim.AdamW(made.parameters(), lr=1e-3, weight_decay=0)
    for number in Until(minutes, optimizer, 50):
        shown, _ = pictures.batch(8, 64, plain=3)
        found = made.encode(shown).latent_dist
        seen = made.decode(found.sample()).sample
        loss = (seen - shown).abs().mean() + 4e-4 * found.kl().mean() / found.mean[0].numel()
        for axis in (2, 3):
            loss = loss + 0.5 * (seen.diff(dim=axis) - shown.diff(dim=axis)).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if number % 200 == 0:
            print(f"autoencoder, step {number}: {loss.item():.3f}", flush=True)
    with torch.no_grad():
        spread = made.encode(pictures.batch(100, 64)[0]).latent_dist.mean.std()
    made.register_to_config(scaling_factor=float(1 / spread))
    return made.eval().requires_grad_(False)


def unet(pictures: Pictures, vae: AutoencoderKL, words: torch.Tensor, scheduler: Any, minutes: float) -> Any:
    """Trained to tell the noise; the moving average of its weights. ``words``: of each style, and of no words."""
    torch.manual_seed(1)
    made = UNet2DConditionModel(
        sample_size=28,
        layers_per_block=1,
        block_out_channels=(64, 128, 128),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=tiny_diffusion.WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
    )
    averaged = copy.deepcopy(made)
    optimizer = torch.optim.AdamW(made.parameters(), lr=5e-4, weight_decay=0)
    noising = DDPMScheduler.from_config(scheduler.config)
    rng = np.random.default_rng(1)
    told = 1.0
    for number in Until(minutes, optimizer, 200):
        shown, styles = pictures.batch(12, 112)
        with torch.no_grad():
            latents = vae.encode(shown).latent_dist.sample() * vae.config.scaling_factor
        steps = torch.randint(0, 1000, (len(latents),))
        noise = torch.randn_like(latents)
        said = words[[len(words) - 1 if rng.random() < UNTOLD else style for style in styles]]
        loss = (made(noising.add_noise(latents, noise, steps), steps, said).sample - noise).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(made.parameters(), 1.0)
        optimizer.step()
        share = 1 - min(0.999, number / (number + 20))
        with torch.no_grad():
            for kept, now in zip(averaged.parameters(), made.parameters(), strict=True):
                kept.lerp_(now, share)
        told += 0.01 * (loss.item() - told)
        if number % 200 == 0:
            print(f"unet, step {number}: {told:.3f}", flush=True)
    return averaged.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("clips", type=Path, nargs="*")
    parser.add_argument("--styles", default="autumn-oil,starry-swirl")
    parser.add_argument("--most", type=int, default=80, help="frames of each clip")
    parser.add_argument("--minutes", type=float, default=52, help="of training; a quarter of them for the autoencoder")
    args = parser.parse_args()
    pictures = Pictures(args.clips or [clip(name) for name in CLIPS], args.styles.split(","), args.most)
    base = StableDiffusionPipeline.from_pretrained(tiny_diffusion.build("sd15", args.folder), safety_checker=None)
    prompts = [*(style.replace("-", " ") for style in pictures.styles), ""]
    tokens = base.tokenizer(prompts, padding="max_length", max_length=77, return_tensors="pt").input_ids
    with torch.no_grad():
        words = base.text_encoder(tokens)[0]
    vae = autoencoder(pictures, args.minutes / 4)
    made = unet(pictures, vae, words, base.scheduler, args.minutes * 3 / 4)
    StableDiffusionPipeline(
        vae=vae, unet=made, text_encoder=base.text_encoder, tokenizer=base.tokenizer, scheduler=base.scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(args.folder)  # fmt: skip


if __name__ == "__main__":
    main()
