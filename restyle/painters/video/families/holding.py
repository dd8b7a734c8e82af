"""Frames that are known, and what lies round mattes, held in latents: after each step they are what they are with that much
noise (Lugmayr et al., "RePaint", 2022, without its resampling)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from restyle.painters.video.families.base import Film, Tick

__all__ = ["Held", "begun", "coded_film", "encoded", "noise_of", "painted_latents"]

AT_ONCE = 4  # pictures that a VAE of pictures takes


def begun(film: Film) -> list[np.ndarray]:
    """The frames that it begins from: those that are known, and the footage's own."""
    return [film.known.get(place, picture) for place, picture in enumerate(film.pictures)]


def painted_latents(film: Film, size: tuple[int, int], multiple: int = 1) -> np.ndarray | None:
    """Bool n x h x w of latents that are painted; ``None``: all. ``size``: h, w; ``multiple``: frames that are one latent
    frame after the first, which stands alone. A latent is kept where all of its frames and pixels are."""
    if not film.known and not film.mattes:
        return None
    painted = np.ones((len(film.pictures), *size), bool)
    for place, matte in enumerate(film.mattes):
        height, width = (side // count for side, count in zip(matte.shape, size, strict=True))
        painted[place] = matte.reshape(size[0], height, size[1], width).any(axis=(1, 3))
    painted[sorted(film.known)] = False
    later = painted[1:].reshape(-1, multiple, *size).any(axis=1)
    return np.concatenate([painted[:1], later])


def encoded(pipe: Any, pictures: Sequence[np.ndarray], device: Any) -> Any:
    """Latents n x channels x h x w of pictures by a VAE of pictures, without chance."""
    import torch

    vae = pipe.vae
    dtype = vae.dtype
    upcast = dtype == torch.float16 and vae.config.force_upcast  # it overflows in half precision
    if upcast:
        vae.to(dtype=torch.float32)
    coded = []
    for first in range(0, len(pictures), AT_ONCE):
        some = torch.from_numpy(np.stack(pictures[first : first + AT_ONCE])).permute(0, 3, 1, 2)
        values = some.to(device, vae.dtype) / 127.5 - 1
        coded.append(vae.encode(values).latent_dist.mode() * vae.config.scaling_factor)
    if upcast:
        vae.to(dtype=dtype)
    return torch.cat(coded).to(dtype)


def coded_film(pipe: Any, pictures: Sequence[np.ndarray]) -> Any:
    """Latents that a VAE of videos makes of pictures, 1 x channels x n x h x w, not yet scaled, without chance."""
    values = pipe.video_processor.preprocess_video([Image.fromarray(picture) for picture in pictures])
    return pipe.vae.encode(values.to(pipe._execution_device, pipe.vae.dtype)).latent_dist.mode()


def noise_of(film: Film, shape: tuple[int, ...]) -> Any:
    """Noise of a film, float32: a shot has one."""
    import torch

    return torch.randn(shape, generator=torch.Generator("cpu").manual_seed(film.seed))


class Held:
    """Callback of a pipeline that tells of each step, and holds what is not ``painted``.

    ``painted``: bool, of the latents' shape but for what it has one of; ``None``: all. ``noised``: gives the latents of what
    is held as they are after a step, by its number from 0 on.
    """

    def __init__(self, tick: Tick, painted: Any, noised: Callable[[int], Any]) -> None:
        self._tick, self._painted, self._noised = tick, painted, noised

    def __call__(self, pipe: Any, number: int, time: Any, values: dict[str, Any]) -> dict[str, Any]:
        """See ``callback_on_step_end`` of diffusers' pipelines."""
        import torch

        self._tick(number + 1)
        if self._painted is None:
            return values
        latents = values["latents"]
        held = self._noised(number).to(latents.device, latents.dtype)
        return {"latents": torch.where(self._painted.to(latents.device), latents, held)}
