"""Pictures to latents and back, by the model's VAE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from restyle.errors import PainterError
from restyle.painters.diffusion.placing import Placing
from restyle.painters.networks.memory import MEMORY_ERRORS, StartAgain, ran_out, release
from restyle.weights.catalogue import BASE_MODELS, Family

__all__ = ["PictureCoder"]


class PictureCoder:
    """A VAE at work. What it gives in half precision is looked at: numbers that are none are made anew in float32. Where memory
    runs out it works in tiles, then networks take turns, from the beginning of what is being made (``StartAgain``).

    ``name``: of the VAE, for messages. ``dtype``: of latents.
    """

    def __init__(
        self, vae: Any, placing: Placing, *, name: str, family: Family, device: torch.device, dtype: torch.dtype
    ) -> None:
        self._vae = vae
        self._placing = placing
        self._name = name
        self._better = BASE_MODELS[family].vae
        self._device = device
        self._dtype = dtype
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for a person about what has been done, each once."""
        return tuple(self._notes)

    def to_latents(self, picture: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """C x h x w of a 3 x H x W picture in [-1, 1]; drawn from the encoder's distribution, or its middle.

        Raises ``PainterError`` for numbers that are none.
        """

        def encode() -> Any:
            return self._vae.encode(picture[None].to(self._device, self._vae.dtype)).latent_dist

        spread = self._finite(encode, lambda spread: spread.parameters)
        drawn = (spread.mode() if generator is None else spread.sample(generator)).to(self._dtype)[0]
        mean, width = self._spread(drawn)
        return (drawn - mean) * self._vae.config.scaling_factor / width

    def to_picture(self, latents: torch.Tensor) -> torch.Tensor:
        """3 x H x W in [0, 1], float32 on the CPU, of C x h x w. Raises ``PainterError`` for numbers that are none."""
        mean, width = self._spread(latents)
        latents = latents * width / self._vae.config.scaling_factor + mean

        def decode() -> torch.Tensor:
            return self._vae.decode(latents[None].to(self._vae.dtype), return_dict=False)[0]

        picture = self._finite(decode, lambda picture: picture)[0]
        return (picture.float().cpu() * 0.5 + 0.5).clamp(0, 1)

    def _finite(self, work: Callable[[], Any], values: Callable[[Any], torch.Tensor]) -> Any:
        """Give what ``work`` gives, in float32 if there are numbers in its ``values`` that are none."""
        done = self._fitting(work)
        if torch.isfinite(values(done)).all():
            return done
        half = self._vae.dtype
        if half != torch.float32:
            self._vae.to(dtype=torch.float32)
            try:
                done = self._fitting(work)
            finally:
                self._vae.to(dtype=half)  # exactly what it was: every picture is made as if it were the only one
            if torch.isfinite(values(done)).all():
                kind = str(half).removeprefix("torch.")
                self._notes[
                    f"{self._name} overflows in {kind}; those pictures were made in float32, which is slower: "
                    f"--painter-option vae={self._better} does not"
                ] = None
                return done
        raise PainterError(
            f"{self._name} gives numbers that are none (NaN), in float32 too; take another: "
            f"--painter-option vae={self._better}"
        )

    def _fitting(self, work: Callable[[], Any]) -> Any:
        """Give what ``work`` gives.

        Raises ``StartAgain`` if memory runs out, and it works in tiles from now on, or networks take turns; ``PainterError``
        if they did so already.
        """
        try:
            return work()
        except MEMORY_ERRORS as error:
            if not ran_out(error):
                raise
        release(self._device)  # here the error is gone, and what its frames held
        if self.tiled:
            if self._placing.take_turns():
                raise StartAgain
            raise PainterError(
                f"out of memory on {self._device} in {self._name}, in tiles, too: "
                f"use a smaller resolution{self._placing.hint} (--painter-option)"
            )
        self.tile(True)
        self._notes[f"{self._name} works in tiles, for memory ran out on {self._device}"] = None
        raise StartAgain

    @property
    def tiled(self) -> bool:
        """Whether it works tile by tile."""
        return bool(self._vae.use_tiling)

    def tile(self, tiled: bool) -> None:
        """Work tile by tile from now on, or not."""
        (self._vae.enable_tiling if tiled else self._vae.disable_tiling)()

    def _spread(self, like: torch.Tensor) -> tuple[Any, Any]:
        """Mean and width of latents, where the VAE's configuration tells them."""
        config = self._vae.config
        mean, width = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
        if mean is None or width is None:
            return 0.0, 1.0
        return torch.tensor(mean).view(-1, 1, 1).to(like), torch.tensor(width).view(-1, 1, 1).to(like)
