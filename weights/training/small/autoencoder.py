"""The small model's autoencoder, and the latents that it makes of all paintings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from loop import Training, averaged_over_processes, processes, rank, seeded, wait
from models import CHANNELS, make_autoencoder
from pictures import SIDE, PaintedPairs
from torch import nn

__all__ = ["SHRUNK", "encode", "train_autoencoder"]

SHRUNK = 4  # pixels a latent
CROP = 64  # pixels


class Critic(nn.Sequential):
    """Tells patches of real pictures from decoded ones: Isola et al., "Image-to-Image Translation with Conditional Adversarial
    Networks" (2017)."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        before = 3
        for width in (24, 48, 64):
            layers += [nn.Conv2d(before, width, 4, 2, 1), nn.LeakyReLU(0.2)]
            before = width
        super().__init__(*layers, nn.Conv2d(before, 1, 3, 1, 1))


def train_autoencoder(pairs: PaintedPairs, folder: Path, steps: int) -> Any:
    """L1 of colours, of their gradients and of patches' colours, a little divergence, and in the second half a patch critic."""
    torch.manual_seed(0)
    vae, critic = make_autoencoder(), Critic()
    told_apart = torch.optim.AdamW(critic.parameters(), lr=2e-4, betas=(0.5, 0.9))
    training = Training(folder, "autoencoder", {"vae": vae}, rate=1e-3, steps=steps)
    critic_file = folder / "critic.pt"
    if training.step and critic_file.exists():
        critic.load_state_dict(torch.load(critic_file, weights_only=True))
    known = np.flatnonzero(~pairs.held_out)

    def shown(rng: np.random.Generator, among: np.ndarray, count: int, size: int) -> torch.Tensor:
        cut = []
        for number in rng.choice(among, count):
            top, left = rng.integers(SIDE - size + 1, size=2)
            from_set = pairs.paintings if rng.random() < 0.8 else pairs.sources
            part = from_set[number, rng.integers(2), top : top + size, left : left + size]
            cut.append(part[:, ::-1] if rng.random() < 0.5 else part)
        return torch.from_numpy(np.stack(cut)).permute(0, 3, 1, 2).float() / 127.5 - 1

    def rebuilt(picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            found = vae.encode(picture).latent_dist
            seen = vae.decode(found.sample()).sample.float()
        divergence = 0.5 * (found.mean.float().square() + found.var.float() - 1 - found.logvar.float()).mean()
        return seen, divergence

    def difference(seen: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
        loss = (seen - picture).abs().mean()
        for axis in (2, 3):
            loss = loss + 0.5 * (seen.diff(dim=axis) - picture.diff(dim=axis)).abs().mean()
        # Colours of patches count more: else the latents hold lines first, and green and pink become one grey for long.
        return loss + 3 * (F.avg_pool2d(seen, 8) - F.avg_pool2d(picture, 8)).abs().mean()

    def loss_of(step: int) -> tuple[torch.Tensor, dict[str, float]]:
        rng = seeded("autoencoder", step)
        picture = shown(rng, known, 8 // processes(), CROP)
        seen, divergence = rebuilt(picture)
        loss = difference(seen, picture)
        figures = {"l1": (seen - picture).abs().mean().item(), "divergence": divergence.item()}
        if step > steps // 2:
            told_apart.zero_grad()
            real, false = critic(picture), critic(seen.detach())
            (F.relu(1 - real).mean() + F.relu(1 + false).mean()).backward()
            averaged_over_processes(list(critic.parameters()))
            told_apart.step()
            loss = loss - 0.02 * critic(seen).mean()
            figures["critic"] = (real.mean() - false.mean()).item()
            if step % 500 == 0 and rank() == 0:
                torch.save(critic.state_dict(), critic_file)
        return loss + 2e-4 * divergence, figures

    held = shown(np.random.default_rng(7), np.flatnonzero(pairs.held_out), 16, 192)

    def judge() -> dict[str, float]:
        with torch.no_grad():
            seen, _ = rebuilt(held)
        return {"held out psnr": 10 * np.log10(4 / float((seen - held).square().mean()))}

    training.run(loss_of, judge)
    vae.eval().requires_grad_(False)
    return vae


def encode(pairs: PaintedPairs, vae: Any, folder: Path) -> np.memmap:
    """Latents of all paintings, float16 N x 2 x ``CHANNELS`` x 64 x 64, of spread 1; each process makes its share."""
    path, size = folder / "latents.f16", SIDE // SHRUNK
    shape = (len(pairs.names), 2, CHANNELS, size, size)
    partial = path.with_suffix(".partial")
    if not path.exists():
        sample = as_tensor(
            np.stack([pairs.paintings[number, 0] for number in range(0, shape[0], max(1, shape[0] // 100))])
        )
        with torch.no_grad():
            spread = torch.cat([vae.encode(each[None]).latent_dist.mean for each in sample]).std()
        vae.register_to_config(scaling_factor=float(1 / spread))
        if rank() == 0:
            vae.save_pretrained(folder / "model" / "vae")
            np.memmap(partial, np.float16, "w+", shape=shape).flush()
        wait()
        latents = np.memmap(partial, np.float16, "r+", shape=shape)
        vae.to(memory_format=torch.channels_last)  # a third faster
        for number in range(rank(), shape[0], processes()):
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                shown = as_tensor(pairs.paintings[number]).to(memory_format=torch.channels_last)
                found = vae.encode(shown).latent_dist.mean.float()
            latents[number] = (found * vae.config.scaling_factor).half().numpy()
        latents.flush()
        wait()
        if rank() == 0:
            partial.rename(path)
        wait()
    return np.memmap(path, np.float16, "r", shape=shape)


def as_tensor(pictures: np.ndarray) -> torch.Tensor:
    """N x 3 x H x W in [-1, 1]."""
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
