"""Corrections of a window's steps: what the ends show is where the footage moved it, and nothing else is touched."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from restyle.painters.diffusion.corrections import Corrections, encode_faithfully  # noqa: E402
from restyle.painters.diffusion.correspondences import Correspondences  # noqa: E402
from restyle.painters.diffusion.denoiser import Step  # noqa: E402
from restyle.painters.diffusion.latents import predict_clean  # noqa: E402
from restyle.painters.diffusion.options import Options  # noqa: E402
from restyle.painters.diffusion.window import Rows  # noqa: E402

from .conftest import Shift  # noqa: E402

GRID = (8, 6)


class Coder:
    """Latents are the means of 8 x 8 pixels, times ``kept``: to a picture and back loses the rest of them."""

    def __init__(self, kept: float = 1.0) -> None:
        self._kept = kept
        self.decoded = 0

    def to_latents(self, picture: Any) -> Any:
        return torch.nn.functional.avg_pool2d((picture + 1) / 2, 8) * self._kept

    def to_picture(self, latents: Any) -> Any:
        self.decoded += 1
        return latents.repeat_interleave(8, 1).repeat_interleave(8, 2).float()


def test_what_a_vae_loses_is_made_good() -> None:
    picture = torch.rand(3, 6, 8, generator=torch.Generator().manual_seed(1)).repeat_interleave(8, 1)
    picture = picture.repeat_interleave(8, 2)
    coder: Any = Coder(kept=0.9)

    def off(latents: Any) -> float:
        return float((coder.to_picture(latents) - picture).abs().mean())

    assert off(encode_faithfully(coder, picture)) < 0.2 * off(coder.to_latents(picture * 2 - 1))
    hopeless: Any = Coder(kept=0.4)
    bright = torch.full((3, 48, 64), 0.9)
    assert torch.equal(encode_faithfully(hopeless, bright), hopeless.to_latents(bright * 2 - 1)), (
        "too far off to be told"
    )


def test_pixels_of_the_ends_are_drawn_in_where_they_show_and_in_the_steps_for_it() -> None:
    """Four columns to the right: the last's picture is the first's there, and its own where that shows nothing."""
    scheduler = diffusers.DDIMScheduler(clip_sample=False)
    scheduler.set_timesteps(10)
    torch.manual_seed(2)
    clean = torch.rand(2, 3, GRID[1], GRID[0])
    rows = Rows(2, frozenset({0}), False)
    places = Correspondences(Shift((64, 48), (32.0, 0.0)), {0: 0, 1: 1}, GRID, torch.device("cpu"))
    coder: Any = Coder()
    corrections = Corrections(coder, Options(pixel_fusion=1.0, shape_until=0.0, colour_from=1.0), rows, places, clean)
    sample, output = torch.randn(1, 3, GRID[1], GRID[0]) * 0.1, torch.randn(1, 3, GRID[1], GRID[0]) * 0.1
    for number, timestep in enumerate(scheduler.timesteps):
        step = Step(scheduler, timestep, number, 10)
        before = predict_clean(scheduler, timestep, sample, output)[0]
        after = predict_clean(scheduler, timestep, *corrections(sample, output, step))[0]
        if number not in (5, 6, 7):
            assert torch.allclose(after, before, atol=1e-4), number
            continue
        assert torch.allclose(after[:, :, 4:], clean[0][:, :, :4], atol=0.02), number
        assert torch.allclose(after[:, :, :4], before[:, :, :4], atol=1e-3), number
    assert coder.decoded == 3, "once a window: the first, the last, and the fused one for what it loses"
