"""AnimateDiff: the plain pipeline's pixels, known frames and mattes held, one noise a frame."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hub_server import Hub, Repository
from PIL import Image

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own, on its own calls

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
pytest.importorskip("ftfy")

from restyle.errors import MissingModelError, RecipeError  # noqa: E402
from restyle.painters.base import EveryFrame, PaintRequest  # noqa: E402
from restyle.painters.video.families.animatediff import free_noise  # noqa: E402
from restyle.painters.video.painter import VideoPainter  # noqa: E402
from restyle.types import Carry  # noqa: E402

from ..diffusion.conftest import picture  # noqa: E402
from .conftest import film_request  # noqa: E402

SIZE = (64, 48)
Tiny = Callable[[str], str]


def pictures(count: int) -> tuple[np.ndarray, ...]:
    return tuple(picture(number, SIZE) for number in range(count))


def request(frames: tuple[np.ndarray, ...], first: int = 40, **more: Any) -> PaintRequest:
    return film_request(frames, first, seed=60, **more)


def animated(tiny: Tiny, **more: Any) -> VideoPainter:
    return VideoPainter(
        model=tiny("sd15"),
        motion=tiny("motion-sd15"),
        resolution=0,
        device="cpu",
        **{"steps": 4, "strength": 0.5, **more},
    )


def plain(
    tiny: Tiny, frames: tuple[np.ndarray, ...], strength: float, lora: tuple[Path, float] | None = None, **more: Any
) -> np.ndarray:
    """The library's pipelines, from the same noise."""
    adapter = diffusers.MotionAdapter.from_pretrained(tiny("motion-sd15"))
    kind, parts = diffusers.AnimateDiffVideoToVideoPipeline, {}
    if more:
        kind = diffusers.AnimateDiffVideoToVideoControlNetPipeline
        parts = {"controlnet": diffusers.ControlNetModel.from_pretrained(tiny("controlnet-sd15"))}
    pipe = kind.from_pretrained(tiny("sd15"), motion_adapter=adapter, **parts)
    pipe.scheduler = diffusers.DDIMScheduler.from_config(
        pipe.scheduler.config, beta_schedule="linear", clip_sample=False, timestep_spacing="linspace", steps_offset=1
    )
    pipe.set_progress_bar_config(disable=True)
    if lora is not None:
        pipe.load_lora_weights(str(lora[0].parent), weight_name=lora[0].name, adapter_name="motion")
        pipe.set_adapters(["motion"], [lora[1]])
    with torch.no_grad():
        values = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2) / 127.5 - 1
        clean = pipe.vae.encode(values).latent_dist.mode() * pipe.vae.config.scaling_factor
        noise = torch.from_numpy(free_noise(100, 0, (len(frames), *clean.shape[2:]), 4, 16))
        pipe.scheduler.set_timesteps(4)
        first = pipe.scheduler.timesteps[4 - int(4 * strength)]
        latents = pipe.scheduler.add_noise(clean, noise, first[None]).permute(1, 0, 2, 3)[None]
        made = pipe(
            prompt="a red car",
            negative_prompt="fog",
            height=SIZE[1],
            width=SIZE[0],
            num_inference_steps=4,
            strength=strength,
            latents=latents,
            output_type="np",
            **more,
        ).frames[0]
    return np.rint(made.clip(0, 1) * 255).astype(np.uint8)


def close(ours: list[np.ndarray], theirs: np.ndarray) -> None:
    assert len(ours) == len(theirs)
    assert int(np.abs(np.stack(ours).astype(int) - theirs).max()) <= 1


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_first_window_is_the_plain_pipelines(tiny: Tiny, strength: float) -> None:
    frames = pictures(6)
    made, carry = animated(tiny, strength=strength).paint(request(frames), None)
    close(made, plain(tiny, frames, strength))
    assert carry == Carry(facts={"seed": 100, "first": 40})
    assert np.abs(np.diff(np.stack(made).astype(int), axis=0)).max() > 0


def test_led_by_a_controlnet_it_is_the_plain_pipelines(tiny: Tiny) -> None:
    frames = pictures(5)
    controls = [{"kind": "canny", "model": tiny("controlnet-sd15"), "strength": 0.8, "start": 0.0, "end": 0.5}]
    painter = animated(tiny, controls=controls)
    assert painter.capabilities.controls == ("canny",)
    made, _ = painter.paint(request(frames, controls={"canny": frames[::-1]}), None)
    theirs = plain(
        tiny,
        frames,
        0.5,
        conditioning_frames=[Image.fromarray(frame) for frame in frames[::-1]],
        controlnet_conditioning_scale=0.8,
        control_guidance_end=0.5,
    )
    close(made, theirs)
    without, _ = animated(tiny).paint(request(frames), None)
    assert np.abs(np.stack(made).astype(int) - np.stack(without)).mean() > 0.1


def motion_lora(tiny: Tiny, file: Path) -> Path:
    """Changes to the layers that look along time."""
    from safetensors.torch import load_file, save_file

    layers = {}
    for name, values in load_file(f"{tiny('motion-sd15')}/diffusion_pytorch_model.safetensors").items():
        if name.endswith(("to_q.weight", "to_v.weight")):
            chance = torch.Generator().manual_seed(len(layers))
            layers[f"unet.{name[:-7]}.lora_A.weight"] = torch.randn(2, values.shape[1], generator=chance) * 0.5
            layers[f"unet.{name[:-7]}.lora_B.weight"] = torch.randn(values.shape[0], 2, generator=chance) * 0.5
    save_file(layers, file)
    return file


def test_with_a_motion_lora_it_is_the_plain_pipelines(tiny: Tiny, tmp_path: Path) -> None:
    frames = pictures(4)
    lora = motion_lora(tiny, tmp_path / "zoom.safetensors")
    painter = animated(tiny, loras=f"{lora}:0.7")
    made, _ = painter.paint(request(frames), None)
    close(made, plain(tiny, frames, 0.5, (lora, 0.7)))
    without, _ = animated(tiny).paint(request(frames), None)
    assert np.abs(np.stack(made).astype(int) - np.stack(without)).mean() > 0.1
    weaker = animated(tiny, loras=[{"source": str(lora), "weight": 0.3}])
    assert len({str(each.identity) for each in (painter, weaker, animated(tiny))}) == 3


def test_parts_that_are_not_loaded_need_not_be_there(tiny: Tiny, tmp_path: Path) -> None:
    """As in a model of the hub, of which they are not fetched."""
    folder = Path(shutil.copytree(tiny("sd15"), tmp_path / "model"))
    index = json.loads((folder / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index["feature_extractor"] = ["transformers", "CLIPImageProcessor"]
    (folder / "model_index.json").write_text(json.dumps(index))
    frames = pictures(2)
    whole, _ = animated(tiny).paint(request(frames), None)
    made, _ = animated(lambda kind: str(folder) if kind == "sd15" else tiny(kind)).paint(request(frames), None)
    assert np.array_equal(np.stack(whole), np.stack(made))


def test_a_lora_of_another_model_is_one_line(tiny: Tiny) -> None:
    painter = animated(tiny, loras=tiny("lora-sdxl"))
    with pytest.raises(RecipeError, match=r"does not fit to the model: .* Take one made for AnimateDiff"):
        painter.paint(request(pictures(2)), None)


def test_a_motion_adapter_in_the_models_place_is_put_into_stable_diffusion(tiny: Tiny, hub: Hub) -> None:
    hub.repositories["owner/motion"] = Repository.of(tiny("motion-sd15"))
    painter = VideoPainter(model="owner/motion")
    assert painter.capabilities.every_frame == EveryFrame(16, 1, 4)
    assert (painter.options.model, painter.options.motion) == ("animatediff", "owner/motion")
    assert {name for name, _ in hub.sent} == {"config.json"}
    assert VideoPainter(model=tiny("motion-sd15")).options.motion == tiny("motion-sd15")
    with pytest.raises(RecipeError, match="is a motion adapter, and so is motion 'a/b': leave one of them out"):
        VideoPainter(model="owner/motion", motion="a/b")


def test_a_model_of_the_hub_is_looked_at_first(tiny: Tiny, hub: Hub) -> None:
    hub.repositories["owner/pictures"] = Repository.of(tiny("sd15"))
    hub.repositories["owner/video"] = Repository.of(tiny("vace"))
    hub.repositories["owner/editor"] = Repository.of(tiny("klein"))
    hub.repositories["owner/words"] = Repository({"README.md": b"words"})
    assert VideoPainter(model="owner/pictures@main").capabilities.every_frame == EveryFrame(16, 1, 4)
    assert VideoPainter(model="owner/video").capabilities.every_frame == EveryFrame(81, 4, 5)
    with pytest.raises(
        MissingModelError, match=r"'owner/editor' is a Flux2KleinPipeline, which the painter 'video' does"
    ):
        VideoPainter(model="owner/editor")
    with pytest.raises(MissingModelError, match="'owner/words' on the model hub holds no diffusers model"):
        VideoPainter(model="owner/words")
    with pytest.raises(MissingModelError, match="there is no model 'owner/nobody' on the model hub"):
        VideoPainter(model="owner/nobody")
    assert {name for name, _ in hub.sent} == {"model_index.json"}
    hub.down = True
    assert VideoPainter(model="owner/pictures@main", offline=True).capabilities.every_frame == EveryFrame(16, 1, 4)


def test_frames_that_are_shared_are_held_and_seen(tiny: Tiny) -> None:
    frames = pictures(12)
    painter = animated(tiny, frames=8, overlap=3)
    first, carry = painter.paint(request(frames[:8]), None)
    fixed = {place: first[5 + place] for place in range(3)}
    second, after = painter.paint(request(frames[5:], 45, fixed=fixed), carry)
    assert after == carry
    assert all(np.array_equal(second[place], first[5 + place]) for place in range(3))
    other, _ = painter.paint(request(frames[5:], 45, fixed={place: 255 - each for place, each in fixed.items()}), carry)
    assert np.abs(np.stack(other[3:]).astype(int) - np.stack(second[3:])).mean() > 0.5, "those after them follow them"


def test_round_a_matte_the_footage_is_kept_in_every_step(tiny: Tiny) -> None:
    frames = pictures(5)
    matte = np.zeros(SIZE[::-1], np.float32)
    matte[16:32, 24:48] = 1
    made, _ = animated(tiny, strength=1.0).paint(request(frames, mattes=(matte,) * 5), None)
    free, _ = animated(tiny, strength=1.0).paint(request(frames), None)
    vae = diffusers.AutoencoderKL.from_pretrained(tiny("sd15"), subfolder="vae")
    with torch.no_grad():
        values = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2) / 127.5 - 1
        there_and_back = (
            vae.decode(vae.encode(values).latent_dist.mode()).sample.permute(0, 2, 3, 1).numpy() * 127.5 + 127.5
        )
    corner = (slice(None), slice(0, 6), slice(0, 6))
    kept, lost = (np.abs(np.stack(each) - there_and_back)[corner].mean() for each in (made, free))
    assert kept < 0.75 * lost  # the rest is told through the decoder, whose norms are of the whole picture


def test_a_frame_has_one_noise_in_whatever_window() -> None:
    whole = free_noise(7, 0, (40, 6, 8), 4, 16)
    assert np.array_equal(free_noise(7, 13, (16, 6, 8), 4, 16), whole[13:29])
    assert not np.array_equal(whole[:16], whole[16:32])
    assert sorted(each.tobytes() for each in whole[:16]) == sorted(each.tobytes() for each in whole[16:32])
    assert abs(float(whole.std()) - 1) < 0.05
    assert not np.array_equal(free_noise(8, 0, (40, 6, 8), 4, 16), whole)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"steps": 2, "strength": 0.3}, "2 steps at strength 0.3 are none"),
        ({"style": "look.png"}, "AnimateDiff is shown no pictures of a style"),
    ],
)
def test_options_that_cannot_be(tiny: Tiny, options: Mapping[str, Any], says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        animated(tiny, **options)


def test_what_another_model_takes_is_refused() -> None:
    with pytest.raises(RecipeError, match="Wan VACE has no strength: leave the painter option strength out"):
        VideoPainter(strength=0.5)
    with pytest.raises(RecipeError, match="Wan VACE has no motion"):
        VideoPainter(motion="a/b")
    assert VideoPainter(model="animatediff").capabilities.every_frame == EveryFrame(16, 1, 4)


def test_parts_of_another_kind_are_one_line(tiny: Tiny) -> None:
    frames = pictures(2)
    wrong = VideoPainter(model=tiny("sd15"), motion=tiny("controlnet-sd15"), resolution=0)
    with pytest.raises(MissingModelError, match="holds no motion adapter: it is a ControlNetModel"):
        wrong.paint(request(frames), None)
    controls = [{"kind": "canny", "model": tiny("motion-sd15")}]
    with pytest.raises(MissingModelError, match="holds no ControlNet: it is a MotionAdapter"):
        animated(tiny, controls=controls).paint(request(frames, controls={"canny": frames}), None)
    with pytest.raises(RecipeError, match="no ControlNet is known for nosuch maps"):
        animated(tiny, controls=[{"kind": "nosuch"}]).paint(request(frames, controls={"nosuch": frames}), None)
