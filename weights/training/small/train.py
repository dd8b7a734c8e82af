"""Train the small diffusion model on painted pairs, in the order autoencoder, UNet with text encoder, ControlNet.

    torchrun --nproc-per-node 2 weights/training/small/train.py SET FOLDER [--steps-autoencoder N] [--steps-unet N] ...

Each process computes its share of a step's pairs. Everything depends on the
seed and on the numbers of steps and processes. A checkpoint is kept every few minutes; begun again, the training goes on from
there. ``FOLDER/log.csv`` holds the figures, ``FOLDER/model`` the model in the hub's layout.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parent)]

from attention import Joining
from models import (
    CHANNELS,
    make_autoencoder,
    make_controlnet,
    make_scheduler,
    make_text_encoder,
    make_tokenizer,
    make_unet,
)
from pictures import SIDE, PaintedPairs

from controls.maps import DETECTORS

SHRUNK = 4  # pixels a latent
CROPS = {0.8: 24, 1.0: 32}  # latents: what a look is shows in small pictures, and those cost least
CODER_CROP = 64  # pixels
PAIRS = 4  # in a step, of all processes
KEEP_EVERY = 240.0  # seconds
GENERAL = ("painting", "a painting", "painting in the style")
NAMED, UNTOLD = 0.25, 0.15  # shares of what is told by name, and of what is not told at all


def crop_at(step: int, steps: int) -> int:
    """Side of the pictures in latents: larger towards the end, for larger pictures have more to attend to."""
    return next(crop for until, crop in CROPS.items() if step < until * steps)


def seeded(stage: str, step: int) -> np.random.Generator:
    """The chances of one step in this process; torch's too."""
    torch.manual_seed(hash_of(stage) + step + 1_000_003 * rank())
    return np.random.default_rng([hash_of(stage), step, rank()])


def rank() -> int:
    """Number of this process."""
    return dist.get_rank() if dist.is_initialized() else 0


def processes() -> int:
    """Number of processes that train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def wait() -> None:
    """Until all processes are here."""
    if dist.is_initialized():
        dist.barrier()


def averaged_over_processes(weights: list[nn.Parameter]) -> None:
    """Bring the gradients to their mean over all processes."""
    if processes() == 1:
        return
    for weight in weights:
        if weight.grad is None:
            weight.grad = torch.zeros_like(weight)
    flat = torch.cat([weight.grad.flatten() for weight in weights]).bfloat16()  # half as much to send
    dist.all_reduce(flat)
    flat /= processes()
    at = 0
    for weight in weights:
        weight.grad.copy_(flat[at : at + weight.numel()].view_as(weight))
        at += weight.numel()


def hash_of(text: str) -> int:
    return sum(ord(letter) * 31**place for place, letter in enumerate(text)) % 2**31


class Training:
    """The loop of one stage: steps, checkpoints, the moving average of the weights, the log."""

    def __init__(self, folder: Path, stage: str, parts: dict[str, nn.Module], *, rate: float, steps: int) -> None:
        self._folder, self._stage, self._parts, self._steps, self._rate = folder, stage, parts, steps, rate
        self._weights = [weight for part in parts.values() for weight in part.parameters() if weight.requires_grad]
        self._optimizer = torch.optim.AdamW(self._weights, lr=rate, weight_decay=0.01, betas=(0.9, 0.99), fused=True)
        self._averaged = [weight.detach().clone() for weight in self._weights]
        self._checkpoint = folder / f"{stage}.pt"
        self._extra: dict[str, Any] = {}
        self.step = 0
        if self._checkpoint.exists():
            kept = torch.load(self._checkpoint, weights_only=True)
            self.step = kept["step"]
            self._optimizer.load_state_dict(kept["optimizer"])
            with torch.no_grad():
                for weight, averaged, now, before in zip(
                    self._weights, self._averaged, kept["weights"], kept["averaged"], strict=True
                ):
                    weight.copy_(now)
                    averaged.copy_(before)

    def run(
        self, loss_of: Callable[[int], tuple[torch.Tensor, dict[str, float]]], judge: Callable[[], dict[str, float]]
    ) -> None:
        """Train to the end; the parts then hold the average. ``judge``: figures on what was held out, now and then."""
        kept_at = time.monotonic()
        means: dict[str, float] = {}
        while self.step < self._steps:
            part = self.step / self._steps
            rate = self._rate * min(1.0, (self.step + 1) / 200) * float(0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * part)))
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            loss, figures = loss_of(self.step)
            self._optimizer.zero_grad()
            loss.backward()
            averaged_over_processes(self._weights)
            nn.utils.clip_grad_norm_(self._weights, 1.0)
            self._optimizer.step()
            share = 1 - min(0.999, self.step / (self.step + 20))
            with torch.no_grad():
                torch._foreach_lerp_(self._averaged, [weight.detach() for weight in self._weights], share)
            for name, value in (figures | {"loss": loss.item()}).items():
                means[name] = means.get(name, value) + 0.02 * (value - means.get(name, value))
            self.step += 1
            if rank() != 0:
                continue
            if self.step % 100 == 0:
                self._log(means)
            if self.step % 500 == 0:
                with self.averaged():
                    self._log(judge())
            if time.monotonic() - kept_at > KEEP_EVERY or self.step == self._steps:
                self._keep()
                kept_at = time.monotonic()
        self._swap()

    def averaged(self) -> Any:
        """A context in which the parts hold the average of their weights."""
        training = self

        class Swapped:
            def __enter__(self) -> None:
                training._swap()

            def __exit__(self, *_: object) -> None:
                training._swap()

        return Swapped()

    def _swap(self) -> None:
        with torch.no_grad():
            for weight, averaged in zip(self._weights, self._averaged, strict=True):
                held = weight.clone()
                weight.copy_(averaged)
                averaged.copy_(held)

    def _keep(self) -> None:
        partial = self._checkpoint.with_suffix(".partial")
        torch.save(
            {
                "step": self.step,
                "optimizer": self._optimizer.state_dict(),
                "weights": [weight.detach() for weight in self._weights],
                "averaged": self._averaged,
            },
            partial,
        )
        partial.replace(self._checkpoint)

    def _log(self, figures: dict[str, float]) -> None:
        line = f"{self._stage},{self.step}," + ",".join(
            f"{name}={value:.5f}" for name, value in sorted(figures.items())
        )
        with (self._folder / "log.csv").open("a") as file:
            file.write(line + "\n")
        print(line, flush=True)


# The autoencoder


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
        picture = shown(rng, known, 8 // processes(), CODER_CROP)
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


# The UNet


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
        modes = np.random.default_rng([3, step])  # all processes the same, for they take unlike times
        mode = str(modes.choice(["single", "joint", "first", "other"], p=[0.5, 0.3, 0.1, 0.1]))
        times = torch.randint(0, 1000, (count,)).repeat(2)
        if mode != "single" and rng.random() < 0.5:  # the first view is further on: there is more to be seen in it
            times[:count] = (times[:count] * torch.rand(count)).long()
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


# The ControlNet


def map_maker(kind: str) -> Callable[[np.ndarray], np.ndarray]:
    """The product's own detector: picture -> map, both uint8 H x W x 3."""
    detector = DETECTORS.make(kind, {})
    return lambda picture: detector.detect(picture).picture


MAPS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    kind: map_maker(kind) for kind in ("canny", "lineart", "tile")
} | {"luma": lambda picture: cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)}


def train_controlnet(
    latents: np.ndarray, pairs: PaintedPairs, unet: Any, text: Any, tokenizer: Any, folder: Path, steps: int
) -> None:
    """A map of the footage's picture leads the frozen UNet: the same network learns ``MAPS``, which look unlike each other.

    Noise is mostly strong, for that is when a map tells what nothing else does.
    """
    torch.manual_seed(2)
    net = make_controlnet(unet).requires_grad_(True)
    # All ways in begin with zeros behind zeros, so that for long nothing is learnt of the map; one of them is enough.
    nn.init.normal_(net.controlnet_cond_embedding.conv_out.weight, std=0.02)
    unet.requires_grad_(False)
    training = Training(folder, "controlnet", {"controlnet": net}, rate=8e-4, steps=steps)
    known = Pairs(latents, pairs, np.flatnonzero(~pairs.held_out))
    unseen = Pairs(latents, pairs, np.flatnonzero(pairs.held_out))
    told, noising = Told(tokenizer), Noising(make_scheduler())

    def maps_of(kind: str, numbers: np.ndarray, corners: np.ndarray, crop: int) -> torch.Tensor:
        seen = [
            MAPS[kind](pairs.sources[number, view])[
                SHRUNK * top : SHRUNK * (top + crop), SHRUNK * left : SHRUNK * (left + crop)
            ]
            for view in range(2)
            for number, (top, left) in zip(numbers, corners[view], strict=True)
        ]
        return torch.from_numpy(np.stack(seen)).permute(0, 3, 1, 2).float() / 255

    def errors(
        shown: torch.Tensor, prompts: list[str], times: torch.Tensor, maps: torch.Tensor | None, noise: torch.Tensor
    ) -> torch.Tensor:
        noisy, velocity = noising(shown, noise, times)
        with torch.autocast("cpu", torch.bfloat16):
            words = text(told.ids(prompts * 2))[0]
            more: dict[str, Any] = {}
            if maps is not None:
                down, middle = net(noisy, times, words, controlnet_cond=maps, return_dict=False)
                more = {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}
            found = unet(noisy, times, words, **more).sample.float()
        return (found - velocity).square().mean((1, 2, 3))

    def loss_of(step: int) -> tuple[torch.Tensor, dict[str, float]]:
        rng = seeded("controlnet", step)
        crop = crop_at(step, steps)
        count = PAIRS // processes()
        shown, names, numbers, corners = known.draw(rng, count, crop)
        kind = str(rng.choice(list(MAPS)))
        times = (999.99 * torch.rand(count).sqrt()).long().repeat(2)
        prompts = [told.prompt(name, rng) for name in names]
        each = errors(shown, prompts, times, maps_of(kind, numbers, corners, crop), torch.randn_like(shown))
        loss = (each * noising.weight(times)).mean()
        return loss, {kind: loss.item()}

    rng = np.random.default_rng(12)
    fixed = [unseen.draw(rng, PAIRS, 32) for _ in range(4)]

    def judge() -> dict[str, float]:
        figures = {}
        for kind in ("none", *MAPS):
            for time_step in (500, 800):
                found = []
                for place, (shown, _, numbers, corners) in enumerate(fixed):
                    noise = torch.randn(shown.shape, generator=torch.Generator().manual_seed(place))
                    maps = None if kind == "none" else maps_of(kind, numbers, corners, 32)
                    times = torch.full((len(shown),), time_step)
                    with torch.no_grad():
                        found.append(errors(shown, ["painting"] * PAIRS, times, maps, noise).mean().item())
                figures[f"held out {kind} {time_step}"] = float(np.mean(found))
        return figures

    training.run(loss_of, judge)
    if rank() == 0:
        net.eval().save_pretrained(folder / "model" / "controlnet")
    wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps-autoencoder", type=int, default=5000)
    parser.add_argument("--steps-unet", type=int, default=5000)
    parser.add_argument("--steps-controlnet", type=int, default=4000)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    pairs = PaintedPairs(args.set)
    if "WORLD_SIZE" in os.environ:
        dist.init_process_group("gloo", timeout=timedelta(hours=6))
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes()))
    vae = train_autoencoder(pairs, args.folder, args.steps_autoencoder)
    latents = encode(pairs, vae, args.folder)
    unet, text, tokenizer = train_unet(latents, pairs, args.folder, args.steps_unet)
    train_controlnet(latents, pairs, unet, text, tokenizer, args.folder, args.steps_controlnet)


if __name__ == "__main__":
    main()
