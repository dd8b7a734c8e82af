"""The noise that a picture comes from, against what is known of it, and painted back."""

from __future__ import annotations

import json
import shutil
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from restyle.errors import RecipeError  # noqa: E402
from restyle.painters.diffusion.inversion import draws_noise, invert  # noqa: E402
from restyle.painters.diffusion.latents import noise_levels  # noqa: E402
from restyle.painters.diffusion.painter import DiffusionPainter  # noqa: E402
from restyle.types import TextPrompt  # noqa: E402

from .conftest import OFF, job, picture  # noqa: E402

SCHEDULERS = ("DDIMScheduler", "DPMSolverMultistepScheduler", "EulerDiscreteScheduler", "UniPCMultistepScheduler")


def scheduler_of(name: str, **settings: Any) -> Any:
    return getattr(diffusers, name)(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", **{"prediction_type": "epsilon", **settings}
    )


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_of_gaussian_pictures_it_is_what_theory_says(name: str, kind: str) -> None:
    """Pictures of variance s^2: the best model is linear, and the flow of probability carries x to x * spread(t) / s."""
    width = 0.7
    scheduler = scheduler_of(name, prediction_type=kind)
    scheduler.set_timesteps(400)
    steps = scheduler.timesteps[160:]

    def normal(step: Any) -> tuple[float, float]:
        signal, noise = (float(part) for part in noise_levels(scheduler, step, torch.zeros(1)))
        whole = (signal**2 + noise**2) ** 0.5
        return signal / whole, noise / whole

    def model(sample: Any, step: Any) -> Any:
        signal, noise = normal(step)
        spread = signal**2 * width**2 + noise**2
        guess, left = signal * width**2 * sample / spread, noise * sample / spread
        return {"epsilon": left, "sample": guess, "v_prediction": signal * left - noise * guess}[kind]

    clean = width * torch.randn((2, 4, 6, 6), generator=torch.Generator().manual_seed(1))
    found = invert(model, scheduler, steps, clean)
    signal, noise = normal(steps[0])
    wanted = (clean * (signal**2 * width**2 + noise**2) ** 0.5 / width - signal * clean) / noise
    assert float((found - wanted).abs().max() / wanted.abs().max()) < 0.03


def changed(folder: str, place: Any, name: str, kind: str) -> str:
    """The model with another scheduler."""
    shutil.copytree(folder, place)
    index = json.loads((place / "model_index.json").read_text())
    index["scheduler"] = ["diffusers", name]
    (place / "model_index.json").write_text(json.dumps(index))
    file = place / "scheduler" / "scheduler_config.json"
    told = {"_class_name": name, "prediction_type": kind, "clip_sample": False}
    file.write_text(json.dumps(json.loads(file.read_text()) | told))
    return str(place)


@pytest.mark.parametrize(
    ("name", "kind"), [(SCHEDULERS[0], "epsilon"), (SCHEDULERS[1], "epsilon"), (SCHEDULERS[2], "v_prediction")]
)
@pytest.mark.parametrize("family", ["sd15", pytest.param("sdxl", marks=pytest.mark.slow)])
def test_painted_back_it_is_the_footage(tiny: Any, tmp_path: Any, family: str, name: str, kind: str) -> None:
    model = changed(tiny(family), tmp_path / "base", name, kind)
    pictures = [picture(3), picture(4)]

    def error(start: str) -> float:
        painter = DiffusionPainter(model=model, steps=30, strength=0.6, guidance_scale=1.0, start=start, **OFF)
        _, carry = painter.paint(job(pictures, prompts=(TextPrompt(),) * 2), None)
        models = painter.ready(job(pictures)).models
        found = []
        for kept, one in zip(("anchor", "last"), pictures, strict=True):
            with torch.no_grad():
                clean = models.coder.to_latents(torch.from_numpy(one).permute(2, 0, 1) / 127.5 - 1).numpy()
            found.append(np.abs(carry.arrays[kept] - clean).mean() / clean.std())
        return float(np.mean(found))

    assert error("inversion") < 0.1
    assert error("inversion") < 0.2 * error("noise")


@pytest.mark.parametrize("mode", ["none", "joint", "woven"])
def test_the_same_frames_are_painted_the_same_and_the_words_are_heard(tiny: Any, mode: str) -> None:
    painter = DiffusionPainter(
        model=tiny("sd15"), steps=4, start="inversion", attention=mode, resolution=0,
        controls=[{"kind": "canny", "model": tiny("controlnet-sd15")}],
    )  # fmt: skip
    maps = {"canny": (picture(2),) * 3}
    made, _ = painter.paint(job([picture(1)] * 3, controls=maps), None)
    for other in made[1:]:
        assert np.abs(made[0].astype(int) - other).max() <= 1
    said, _ = painter.paint(job([picture(1)] * 3, controls=maps, prompts=(TextPrompt("a blue boat"),) * 3), None)
    assert np.abs(said[0].astype(int) - made[0]).mean() > 1


def test_the_style_picture_has_no_part_in_it(tiny: Any, tmp_path: Any) -> None:
    """A picture is inverted as it is, whatever it is to become."""
    from PIL import Image

    Image.fromarray(picture(9)).save(tmp_path / "style.png")
    found = []
    for more in (
        {},
        {"style": str(tmp_path / "style.png"), "ip_adapter": tiny("ip-adapter-sd15"), "style_weight": 0.8},
    ):
        painter = DiffusionPainter(
            model=tiny("sd15"), steps=4, start="inversion", resolution=0, guidance_scale=3.0, **more
        )
        request = job([picture(1)])
        sampler = painter.ready(request).sampler
        seen: list[Any] = []
        inverted = sampler._invert
        sampler._invert = lambda *words, inverted=inverted, seen=seen: (seen.append(inverted(*words)), seen[-1])[1]
        painter.paint(request, None)
        found.append(seen[0][0].noise)
    assert torch.allclose(*found, atol=1e-4)


def test_what_draws_its_own_noise_is_refused(tiny: Any, tmp_path: Any) -> None:
    for schedule in ("lcm", "turbo", "tcd"):
        with pytest.raises(RecipeError, match=f"schedule '{schedule}' adds noise in each step"):
            DiffusionPainter(model=tiny("sd15"), schedule=schedule, start="inversion")
    DiffusionPainter(model=tiny("sd15"), schedule="lightning", start="inversion")
    model = changed(tiny("sd15"), tmp_path / "base", "EulerAncestralDiscreteScheduler", "epsilon")
    with pytest.raises(RecipeError, match=r"EulerAncestralDiscreteScheduler\) adds noise in each step"):
        DiffusionPainter(model=model, start="inversion").paint(job([picture(1)]), None)
    assert [draws_noise(scheduler_of(name)) for name in SCHEDULERS] == [False] * 4
    assert all(draws_noise(scheduler_of(name)) for name in ("LCMScheduler", "TCDScheduler", "DDPMScheduler"))
