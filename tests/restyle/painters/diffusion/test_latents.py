"""Corrections of what a step predicts, for every kind of scheduler and of prediction."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from restyle.painters.diffusion.latents import (  # noqa: E402
    fuse_shapes,
    match_colours,
    match_colours_along,
    predict_clean,
    replace_prediction,
    sample_bicubic,
)

SCHEDULERS = (
    "DDIMScheduler",
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "LCMScheduler",
    "TCDScheduler",
)
MULTISTEP = ("DPMSolverMultistepScheduler", "UniPCMultistepScheduler")


def scheduler(name: str, kind: str) -> Any:
    more = {"clip_sample": False} if name.startswith(("DDIM", "LCM", "TCD")) else {}
    made = getattr(diffusers, name)(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=kind, **more
    )
    made.set_timesteps(6)
    return made


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("name", SCHEDULERS + MULTISTEP)
def test_the_predicted_picture_is_the_schedulers_own_and_leads_back(name: str, kind: str) -> None:
    if name.startswith("Euler") and kind == "sample":
        pytest.skip("these schedulers do not have it")
    torch.manual_seed(0)
    one = scheduler(name, kind)
    sample = torch.randn(1, 4, 6, 8) * one.init_noise_sigma
    for step in one.timesteps[:3]:
        one.scale_model_input(sample, step)
        output = torch.randn(1, 4, 6, 8)
        clean = predict_clean(one, step, sample, output)
        same, told = replace_prediction(one, step, sample, output, clean)
        assert torch.allclose(same, sample, atol=1e-3)
        assert torch.allclose(told, output, atol=2e-3, rtol=1e-3)
        wanted = torch.randn(1, 4, 6, 8)
        moved, told = replace_prediction(one, step, sample, output, wanted)
        assert torch.allclose(predict_clean(one, step, moved, told), wanted, atol=2e-3, rtol=1e-3)
        if name in MULTISTEP:
            if one.step_index is None:
                one._init_step_index(step)
            assert torch.allclose(one.convert_model_output(output, sample=sample), clean, atol=2e-3, rtol=1e-3)
            sample = one.step(output, step, sample).prev_sample
            continue
        made = one.step(output, step, sample, generator=torch.Generator().manual_seed(0), return_dict=True)
        if hasattr(made, "pred_original_sample"):
            assert torch.allclose(made.pred_original_sample, clean, atol=2e-3, rtol=1e-3)
        sample = made.prev_sample


def test_shapes_come_from_where_the_footage_says() -> None:
    there = torch.arange(48.0).reshape(1, 6, 8)
    here = torch.full((1, 6, 8), -1.0)
    flow = torch.zeros(6, 8, 2)
    flow[..., 0], flow[..., 1] = 2, 1
    sure = torch.ones(6, 8)
    sure[:, :3] = 0
    made = fuse_shapes(here, there, flow, sure)
    assert torch.equal(made[0, :5, 3:6], there[0, 1:, 5:])
    assert (made[0, :, :3] == -1).all()


def test_colours_become_the_others_in_mean_and_spread() -> None:
    torch.manual_seed(1)
    one, two = torch.randn(4, 6, 8) * 3 + 2, torch.randn(4, 9, 9) * 0.5 - 1
    made = match_colours(one, two)
    assert torch.allclose(made.mean((1, 2)), two.mean((1, 2)), atol=1e-5)
    assert torch.allclose(made.std((1, 2)), two.std((1, 2)), atol=1e-5)
    assert torch.allclose(match_colours(one, two, 0.0), one)


def moved_by(columns: int, height: int = 12, width: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    """Each cell's place so many columns to the right, and whether it is in the picture."""
    there = torch.arange(width).repeat(height) + columns
    target = torch.arange(height).repeat_interleave(width) * width + there.clamp(0, width - 1)
    return target, (there >= 0) & (there < width)


def test_colours_are_taken_from_what_both_show_alone() -> None:
    """A pan: what comes in is bright. A shift of the paint is undone everywhere, and no other is made."""
    torch.manual_seed(2)
    scene = torch.randn(4, 12, 20)
    scene[:, :, 16:] += 5
    there, here = scene[:, :, :16], scene[:, :, 4:]
    kept = match_colours_along(here, there, *moved_by(4))
    assert torch.allclose(kept, here, atol=1e-5), "colours that are right stay"
    assert (match_colours(here, there) - here).abs().max() > 1, "which statistics of whole pictures do not do"
    shifted = 0.7 * here + 0.4
    assert torch.allclose(match_colours_along(shifted, there, *moved_by(4)), here, atol=1e-4)


def test_the_less_is_shared_the_less_colours_are_held() -> None:
    torch.manual_seed(3)
    here, there = torch.randn(4, 12, 16), torch.randn(4, 12, 16) + 3
    changes = [float((match_colours_along(here, there, *moved_by(by)) - here).mean()) for by in (0, 8, 11, 13, 15, 16)]
    assert changes[0] > 2.5
    assert changes == sorted(changes, reverse=True)
    assert changes[2] < 0.7 * changes[0]
    assert changes[-2:] == [0, 0]


@pytest.mark.parametrize("size", [(12, 16), (1, 5), (7, 1)])
def test_places_between_cells_are_those_of_grid_sample(size: tuple[int, int]) -> None:
    """Which is not there on every device; also outside of the picture."""
    height, width = size
    torch.manual_seed(3)
    values = torch.randn(4, height, width)
    rows = torch.rand(9, 11) * (height + 8) - 4
    columns = torch.rand(9, 11) * (width + 8) - 4
    grid = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], -1)
    wanted = torch.nn.functional.grid_sample(
        values[None], grid[None], mode="bicubic", padding_mode="border", align_corners=False
    )[0]
    assert torch.allclose(sample_bicubic(values, rows, columns), wanted, atol=2e-5)
    whole = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    assert torch.equal(sample_bicubic(values, *whole), values), "cells themselves stay as they are"
