"""What is promised of ``video``, and the plain pipeline's pixels where nothing is handed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own, on its own calls

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
pytest.importorskip("ftfy")

from interp.pixels.depth import from_unit  # noqa: E402
from restyle.errors import RecipeError  # noqa: E402
from restyle.painters.base import Anchor, EveryFrame  # noqa: E402
from restyle.painters.video.colours import hold_colours  # noqa: E402
from restyle.painters.video.families import FAMILIES  # noqa: E402
from restyle.painters.video.painter import VideoPainter  # noqa: E402
from restyle.types import Carry, TextPrompt  # noqa: E402

from ..diffusion.conftest import picture  # noqa: E402
from .conftest import film_request  # noqa: E402

SIZE = (64, 48)
Tiny = Callable[[str], str]


def pictures(count: int, dtype: str = "uint8", size: tuple[int, int] = SIZE) -> tuple[np.ndarray, ...]:
    return tuple(from_unit(np.float32(picture(number, size)) / 255, np.dtype(dtype)) for number in range(count))


@pytest.fixture
def painter(tiny: Tiny) -> VideoPainter:
    return VideoPainter(model=tiny("vace"), steps=2, resolution=0, frames=9, overlap=3, device="cpu")


def grey(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def plainly(model: Any, video: list[np.ndarray], masks: list[np.ndarray], **more: Any) -> np.ndarray:
    """``model``: a folder, or its pipeline."""
    pipe = diffusers.WanVACEPipeline.from_pretrained(model) if isinstance(model, str) else model
    pipe.set_progress_bar_config(disable=True)
    made = pipe(
        prompt="a red car",
        negative_prompt="fog",
        video=[Image.fromarray(frame) for frame in video],
        mask=[Image.fromarray(mask) for mask in masks],
        height=SIZE[1],
        width=SIZE[0],
        num_frames=len(video),
        num_inference_steps=2,
        generator=torch.Generator().manual_seed(100),
        output_type="np",
        **more,
    ).frames[0]
    return np.rint(made.clip(0, 1) * 255).astype(np.uint8)


WHITE, BLACK = np.full((*SIZE[::-1], 3), 255, np.uint8), np.zeros((*SIZE[::-1], 3), np.uint8)


def close(ours: list[np.ndarray], theirs: np.ndarray) -> None:
    assert len(ours) == len(theirs)
    assert int(np.abs(np.stack(ours).astype(int) - theirs).max()) <= 1


def test_a_first_window_is_the_plain_pipelines(tiny: Tiny, painter: VideoPainter) -> None:
    frames = pictures(9)
    made, carry = painter.paint(film_request(frames), None)
    close(made, plainly(tiny("vace"), [grey(frame) for frame in frames], [WHITE] * 9))
    assert carry == Carry(facts={"seed": 100, "first": 0})


def test_maps_mattes_and_pictures_reach_the_model_as_it_was_taught(tiny: Tiny, tmp_path: Path) -> None:
    frames, maps = pictures(5), pictures(5, size=(80, 60))
    matte = np.zeros(SIZE[::-1], np.float32)
    matte[10:30, 20:50] = 1
    cv2.imwrite(str(tmp_path / "look.png"), pictures(1, size=(64, 64))[0][..., ::-1])
    anchor = Anchor(frames[0], 255 - frames[0])
    painter = VideoPainter(
        model=tiny("vace"),
        steps=2,
        resolution=0,
        frames=5,
        controls=[{"kind": "depth", "strength": 0.7, "model": None, "start": 0.0, "end": 1.0}],
        style=str(tmp_path / "look.png"),
    )
    assert painter.capabilities.controls == ("depth",)
    made, _ = painter.paint(film_request(frames, controls={"depth": maps}, mattes=(matte,) * 5, anchor=anchor), None)
    inside = matte[..., None] > 0
    shown = [
        np.where(inside, cv2.resize(each, SIZE, interpolation=cv2.INTER_AREA), frame)
        for each, frame in zip(maps, frames, strict=True)
    ]
    masks = [np.where(inside, 255, np.zeros_like(frame)) for frame in frames]
    look = Image.open(tmp_path / "look.png").convert("RGB")
    references = [look, Image.fromarray(anchor.painting)]
    theirs = plainly(tiny("vace"), shown, masks, reference_images=references, conditioning_scale=0.7)
    close(made, theirs)


def test_a_window_goes_on_from_the_frames_that_it_shares(tiny: Tiny, painter: VideoPainter) -> None:
    frames = pictures(15)
    first, carry = painter.paint(film_request(frames[:9]), None)
    fixed = {place: first[6 + place] for place in range(3)}
    second, _ = painter.paint(film_request(frames[6:], 6, fixed=fixed), carry)
    assert all(np.array_equal(second[place], first[6 + place]) for place in range(3))
    shown = [*fixed.values(), *(grey(frame) for frame in frames[9:])]
    theirs = plainly(tiny("vace"), shown, [BLACK] * 3 + [WHITE] * 6) / np.float32(255)
    held = np.rint(hold_colours(theirs.astype(np.float32), fixed) * 255)
    assert np.abs(np.stack(second[3:]).astype(int) - held[3:]).max() <= 2


def test_a_lora_is_the_plain_pipelines(tiny: Tiny, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    layers = {}
    for name, values in load_file(f"{tiny('vace')}/transformer/diffusion_pytorch_model.safetensors").items():
        if name.startswith("blocks.") and name.endswith("to_v.weight"):
            chance = torch.Generator().manual_seed(len(layers))
            layers[f"transformer.{name[:-7]}.lora_A.weight"] = torch.randn(2, values.shape[1], generator=chance)
            layers[f"transformer.{name[:-7]}.lora_B.weight"] = torch.randn(values.shape[0], 2, generator=chance)
    save_file(layers, tmp_path / "look.safetensors")
    frames = pictures(5)
    made = [
        VideoPainter(model=tiny("vace"), steps=2, resolution=0, frames=5, device="cpu", loras=loras).paint(
            film_request(frames), None
        )[0]
        for loras in ((), f"{tmp_path / 'look.safetensors'}:0.5")
    ]
    pipe = diffusers.WanVACEPipeline.from_pretrained(tiny("vace"))
    pipe.load_lora_weights(str(tmp_path), weight_name="look.safetensors", adapter_name="look")
    pipe.set_adapters(["look"], [0.5])
    close(made[1], plainly(pipe, [grey(frame) for frame in frames], [WHITE] * 5))
    assert np.abs(np.stack(made[0]).astype(int) - np.stack(made[1])).mean() > 0.5


@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_what_is_left_of_a_shot_is_made_longer_for_the_model(tiny: Tiny, painter: VideoPainter, count: int) -> None:
    frames = pictures(count)
    made, _ = painter.paint(film_request(frames), None)
    length = FAMILIES["vace"].length(count)
    assert (length - 1) % 4 == 0
    still = [*frames, *[frames[-1]] * (length - count)]
    close(made, plainly(tiny("vace"), [grey(frame) for frame in still], [WHITE] * length)[:count])


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_odd_sizes_and_every_depth(tiny: Tiny, dtype: str) -> None:
    frames = pictures(5, dtype, size=(75, 51))
    painter = VideoPainter(model=tiny("vace"), steps=1, resolution=64, frames=5)
    made, _ = painter.paint(film_request(frames), None)
    assert [(frame.shape, frame.dtype) for frame in made] == [(frames[0].shape, frames[0].dtype)] * 5


def test_prompts_that_change_within_a_window_are_told(painter: VideoPainter) -> None:
    frames = pictures(5)
    prompts = (TextPrompt("a red car", "fog"),) * 3 + (TextPrompt("a blue car"),) * 2
    first, _ = painter.paint(film_request(frames, prompts=prompts), None)
    plain, _ = painter.paint(film_request(frames), None)
    assert np.array_equal(first, plain)
    assert painter.notes == ("frames 0 to 4 are made together: of their prompts the first was heard",)


def test_colours_are_held_by_what_is_shared() -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0.2, 0.8, (9, 16, 16, 3)).astype(np.float32)
    drifted = true * np.array([0.9, 1.1, 1.0], np.float32) + np.array([0.05, -0.05, 0.02], np.float32)
    known = {place: np.rint(true[place] * 255).astype(np.uint8) for place in (0, 1, 2)}
    assert np.abs(hold_colours(drifted, known) - true).max() < 0.01
    assert np.array_equal(hold_colours(drifted, {}), drifted)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"frames": 10}, r"Wan VACE makes 4k \+ 1 frames, such as 9 or 13; got 10"),
        ({"frames": 5, "overlap": 5}, "overlap is less than the 5 frames of a window, got 5"),
        ({"controls": [{"kind": "depth"}, {"kind": "pose"}]}, "is led by one control map, got depth, pose: choose one"),
        ({"controls": [{"kind": "depth", "model": "a/b"}]}, "has no ControlNets"),
        ({"controls": [{"kind": "depth", "end": 0.5}]}, "in all of its steps"),
        ({"steps": 0}, "painter option steps is 1 to 1000, got 0"),
        ({"resolution": 20}, "resolution is 0 or at least 64 pixels"),
    ],
)
def test_options_that_cannot_be(tiny: Tiny, options: Mapping[str, Any], says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        VideoPainter(model=tiny("vace"), **options)


def test_windows_are_the_models_own() -> None:
    assert VideoPainter().capabilities.every_frame == EveryFrame(81, 4, 5)
    assert VideoPainter(frames=5).capabilities.every_frame == EveryFrame(5, 4, 4)
    assert VideoPainter(frames=33, overlap=9).capabilities.every_frame == EveryFrame(33, 4, 9)
