"""The small model that comes with restyle: paintings that mean something, from footage to footage."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
package = pytest.importorskip("restyle_small")

from controls.torchvision_guard import make_torchvision_importable  # noqa: E402
from interp.structure import agreement, gradients_of_picture  # noqa: E402
from restyle import Job, Recipe  # noqa: E402
from restyle.footage import open_footage  # noqa: E402
from samples import clip  # noqa: E402

MODEL = Path(package.__path__[0]) / "model"
ROOT = Path(__file__).parents[4]
PROMPT = "autumn oil"


def recipe(**fields: Any) -> Recipe:
    options = {"model": "small", "resolution": 160, "steps": 8} | fields.pop("painter_options", {})
    fields = {"prompt": PROMPT, "keyframes": "every:8", "filler": "hold"} | fields
    return Recipe.build(painter="diffusion", painter_options=options, **fields)


def paint(**fields: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Footage and painting of keyframes of the sample."""
    job = Job(clip("harbour"), recipe=recipe(**{"range": "0:1"} | fields), offline=True)
    return [(made.source.picture, made.result.picture) for made in job.frames() if made.key is not None]


def warmth(picture: np.ndarray) -> float:
    red, _, blue = picture.reshape(-1, 3).mean(0)
    return float(red - blue)


def test_it_is_light_and_loads_by_the_librarys_own_classes() -> None:
    make_torchvision_importable()
    from diffusers import StableDiffusionPipeline

    assert sum(file.stat().st_size for file in MODEL.rglob("*") if file.is_file()) < 40e6
    pipe = StableDiffusionPipeline.from_pretrained(MODEL, safety_checker=None).to(torch.float32)
    pipe.set_progress_bar_config(disable=True)
    made = pipe(PROMPT, height=64, width=64, num_inference_steps=2, output_type="np").images[0]
    assert made.shape == (64, 64, 3)
    assert np.isfinite(made).all()


def test_its_words_are_looks() -> None:
    ((_, autumn),) = paint(painter_options={"strength": 1.0})
    ((_, winter),) = paint(prompt="winter ink", painter_options={"strength": 1.0})
    assert warmth(autumn) > warmth(winter) + 25


def test_a_painting_has_the_footages_shapes() -> None:
    ((footage, painting),) = paint(painter_options={"strength": 0.4})
    own = agreement(gradients_of_picture(footage), gradients_of_picture(painting)).mean()
    turned = agreement(gradients_of_picture(footage[:, ::-1]), gradients_of_picture(painting)).mean()
    assert own > turned + 0.15


def test_a_map_leads_what_begins_from_noise_alone() -> None:
    noise = {"strength": 1.0}
    ((footage, led),) = paint(painter_options=noise, controls=[{"kind": "tile"}])
    ((_, free),) = paint(painter_options=noise)
    edges = gradients_of_picture(footage)
    by_map = agreement(edges, gradients_of_picture(led)).mean()
    assert by_map > agreement(edges, gradients_of_picture(free)).mean() + 0.1


def test_keyframes_that_attend_to_each_other_agree_on_a_look_that_was_left_open() -> None:
    alone = {"strength": 1.0, "attention": "none", "warp_noise": False, "shape_until": 0.0, "colour_from": 1.0}

    def spread(**options: Any) -> float:
        """How far apart the mean colours of keyframes are."""
        painted = paint(prompt="painting", range="0:25", painter_options=alone | options)
        return float(np.std([painting.mean((0, 1)) for _, painting in painted], axis=0).mean())

    assert spread(attention="joint", layers="all") < 0.75 * spread()


def test_the_demo_paints_all_but_the_balloon() -> None:
    demo = Recipe.load(ROOT / "samples" / "demo-diffusion.json")
    quick: dict[str, Any] = {
        "range": "0:3",
        "objects": ("balloon=box:439,14,496,84@0",),  # the demo's own are on frames that are not painted here
        "painter_options": {**demo.painter_options, "resolution": 96, "steps": 2},
    }
    assert len(demo.objects) > 1
    job = Job(clip("harbour"), recipe=demo.model_copy(update=quick), offline=True)
    balloon = np.s_[35:60, 456:480]
    for frame in job.frames():
        before, after = frame.source.picture, frame.result.picture
        assert np.array_equal(after[balloon], before[balloon])
        assert np.abs(after.astype(int) - before).mean() > 10


def test_from_footage_to_footage(tmp_path: Path) -> None:
    """An object by its matte, prompts, attention, filling: the whole way, with nothing to download."""
    began = time.monotonic()
    result = Job(
        clip("harbour"),
        tmp_path / "painted.mkv",
        recipe(
            range="10:26",
            filler="along-motion",
            objects=["balloon=box:444,16,497,95@10"],
            layers=[{"object": "background"}, {"object": "balloon", "prompt": "lava"}],
        ),
        offline=True,
    ).run()
    assert time.monotonic() - began < 180
    assert result.frames == 16
    assert result.painted < 16
    with open_footage(clip("harbour")) as footage, open_footage(tmp_path / "painted.mkv") as painted:
        pairs = [
            (before.picture, after.picture)
            for before, after in zip(list(footage.frames())[10:26], painted.frames(), strict=True)
        ]
    for before, after in pairs:
        assert np.abs(before.astype(int) - after).mean() > 10
    balloon = np.s_[25:80, 455:490]
    rest = np.s_[200:340, 40:400]
    assert all(warmth(after[balloon]) > warmth(before[balloon]) - 40 for before, after in pairs)
    assert pairs[0][1][rest].std() > 10
