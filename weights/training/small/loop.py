"""The loop in which each part of the small model is trained, by any number of processes together."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

__all__ = ["Training", "averaged_over_processes", "processes", "rank", "seeded", "wait"]

KEEP_EVERY = 240.0  # seconds


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
