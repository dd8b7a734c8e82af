"""With every device of consistency off, the plain pipelines of diffusers, number for number."""

from __future__ import annotations

import json
import shutil
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own, on its own calls

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from restyle.painters.diffusion.painter import DiffusionPainter  # noqa: E402
from restyle.types import TextPrompt  # noqa: E402

from .conftest import OFF, job, picture  # noqa: E402

STEPS, WHOLE = 3, 5  # painted, and in all: a strength of 0.6
TOLERANCE = 1  # of 255: batches of other sizes sum in another order


def plain(family: str, folder: str, controls: list[str], **more: Any) -> Any:
    """The library's own pipeline."""
    xl = family == "sdxl"
    nets = [diffusers.ControlNetModel.from_pretrained(net) for net in controls]
    name = f"StableDiffusion{'XL' if xl else ''}{'ControlNet' if nets else ''}Img2ImgPipeline"
    parts: dict[str, Any] = {"controlnet": nets if len(nets) > 1 else nets[0]} if nets else {}
    pipe = getattr(diffusers, name).from_pretrained(folder, **parts)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def paint_plainly(
    pipe: Any, pictures: list[np.ndarray], maps: list[list[np.ndarray]], seeds: tuple[int, ...], **more: Any
):
    made = []
    for place, one in enumerate(pictures):
        images = [Image.fromarray(kind[place]) for kind in maps]
        control = {"control_image": images if len(images) > 1 else images[0]} if images else {}
        made.append(
            pipe(
                "a red car",
                negative_prompt="fog",
                image=Image.fromarray(one),
                num_inference_steps=WHOLE,
                strength=STEPS / WHOLE + 1e-6,
                generator=torch.Generator().manual_seed(seeds[place]),
                output_type="np",
                **control,
                **({"guidance_scale": 5.0} | more),
            ).images[0]
        )
    return [np.rint(one * 255).astype(np.uint8) for one in made]


def same(ours: list[np.ndarray], theirs: list[np.ndarray]) -> None:
    for mine, his in zip(ours, theirs, strict=True):
        assert his.std() > 10, "a picture, not a plane"
        assert np.abs(mine.astype(int) - his).max() <= TOLERANCE


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
@pytest.mark.parametrize("nets", [0, 1, 2])
@pytest.mark.parametrize("count", [1, 3])
def test_keyframes_are_the_plain_pipelines(tiny: Any, family: str, nets: int, count: int) -> None:
    pictures = [picture(n) for n in range(count)]
    kinds = ["canny", "depth"][:nets]
    maps = [[picture(10 * k + n + 50) for n in range(count)] for k in range(nets)]
    net = tiny(f"controlnet-{family}")
    weights = [0.8, 0.5][:nets]
    ends = [0.7, 1.0][:nets]
    each = zip(kinds, weights, ends, strict=True)
    painter = DiffusionPainter(
        model=tiny(family),
        controls=[{"kind": kind, "model": net, "strength": weight, "end": end} for kind, weight, end in each],
        steps=STEPS, strength=STEPS / WHOLE, guidance_scale=5.0, batch=2, **OFF,
    )  # fmt: skip
    request = job(pictures, controls=dict(zip(kinds, (tuple(one) for one in maps), strict=True)))
    ours, _ = painter.paint(request, None)
    more: dict[str, Any] = {}
    if nets:
        more = {
            "controlnet_conditioning_scale": weights if nets > 1 else weights[0],
            "control_guidance_end": ends if nets > 1 else ends[0],
        }
    pipe = plain(family, tiny(family), [net] * nets)
    same(ours, paint_plainly(pipe, pictures, maps, request.seeds, **more))


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_loras_and_a_style_picture_are_the_librarys(tiny: Any, family: str, tmp_path: Any) -> None:
    Image.fromarray(picture(99, (80, 80))).save(tmp_path / "style.png")
    pictures = [picture(n) for n in range(2)]
    adapter = tiny(f"ip-adapter-{family}")
    options = {"model": tiny(family), "steps": STEPS, "strength": STEPS / WHOLE, "guidance_scale": 5.0, **OFF}
    bare, _ = DiffusionPainter(**options).paint(job(pictures), None)
    painter = DiffusionPainter(
        **options,
        loras=[{"source": tiny(f"lora-{family}"), "weight": 0.7}],
        style=str(tmp_path / "style.png"),
        ip_adapter=adapter,
        style_weight=0.9,
    )
    ours, _ = painter.paint(job(pictures), None)
    assert np.abs(ours[0].astype(int) - bare[0]).max() > 5, "they do something"
    pipe = plain(family, tiny(family), [])
    pipe.load_lora_weights(tiny(f"lora-{family}"), adapter_name="one")
    pipe.set_adapters(["one"], [0.7])
    pipe.load_ip_adapter(adapter, subfolder="models", weight_name="ip-adapter.safetensors")
    pipe.set_ip_adapter_scale(0.9)
    style = Image.open(tmp_path / "style.png")
    same(ours, paint_plainly(pipe, pictures, [], job(pictures).seeds, ip_adapter_image=style))


@pytest.mark.parametrize("kind", ["sd15", "sd15-inpaint", "sdxl", "sdxl-inpaint"])
@pytest.mark.parametrize("nets", [0, 1, 2])
@pytest.mark.parametrize("strength", [STEPS / WHOLE, 1.0])
def test_objects_are_painted_as_the_inpaint_pipeline_paints_them(
    tiny: Any, kind: str, nets: int, strength: float
) -> None:
    pictures = [picture(1), picture(2)]
    matte = np.zeros((48, 64), np.float32)
    matte[16:40, 8:40] = 1
    mattes = (matte, np.roll(matte, 8, 1))
    family = kind.removesuffix("-inpaint")
    net = tiny(f"controlnet-{family}") if nets else ""
    kinds = ["canny", "depth"][:nets]
    maps = [[picture(10 * k + n + 50) for n in range(2)] for k in range(nets)]
    weights = [0.8, 0.5][:nets]
    painter = DiffusionPainter(
        model=tiny(kind),
        controls=[{"kind": one, "model": net, "strength": w} for one, w in zip(kinds, weights, strict=True)],
        steps=STEPS, strength=strength, guidance_scale=5.0, **OFF,
    )  # fmt: skip
    request = job(pictures, mattes=mattes, controls=dict(zip(kinds, (tuple(one) for one in maps), strict=True)))
    ours, _ = painter.paint(request, None)
    name = f"StableDiffusion{'XL' * (family == 'sdxl')}{'ControlNet' * bool(nets)}InpaintPipeline"
    networks = [diffusers.ControlNetModel.from_pretrained(net) for _ in kinds]
    parts: dict[str, Any] = {"controlnet": networks if nets > 1 else networks[0]} if nets else {}
    pipe = getattr(diffusers, name).from_pretrained(tiny(kind), **parts)
    pipe.set_progress_bar_config(disable=True)
    theirs = []
    for n, one in enumerate(pictures):
        more: dict[str, Any] = {}
        if nets:
            images = [Image.fromarray(each[n]) for each in maps]
            more = {
                "control_image": images if nets > 1 else images[0],
                "controlnet_conditioning_scale": weights if nets > 1 else weights[0],
            }
        made = pipe(
            "a red car", negative_prompt="fog", image=Image.fromarray(one),
            mask_image=Image.fromarray((mattes[n] * 255).astype(np.uint8)), height=48, width=64,
            num_inference_steps=round(STEPS / strength), strength=min(1.0, strength + 1e-6), guidance_scale=5.0,
            generator=torch.Generator().manual_seed(request.seeds[n]), output_type="np", **more,
        ).images[0]  # fmt: skip
        theirs.append(np.rint(made * 255).astype(np.uint8))
    same(ours, theirs)
    if nets:
        bare = DiffusionPainter(model=tiny(kind), steps=STEPS, strength=strength, guidance_scale=5.0, **OFF)
        without, _ = bare.paint(job(pictures, mattes=mattes), None)
        assert np.abs(ours[0].astype(int) - without[0]).max() > 5, "the networks do something"


@pytest.mark.parametrize("kind", ["sd15", "sd15-inpaint", "sdxl", "sdxl-inpaint"])
def test_everything_at_once_is_the_librarys(tiny: Any, kind: str, tmp_path: Any) -> None:
    """An object layer with two ControlNets that come and go, a LoRA and a style picture."""
    Image.fromarray(picture(99, (80, 80))).save(tmp_path / "style.png")
    family = kind.removesuffix("-inpaint")
    one, maps = picture(1), [picture(51), picture(61)]
    matte = np.zeros((48, 64), np.float32)
    matte[8:40, 16:56] = 1
    net, adapter, lora = tiny(f"controlnet-{family}"), tiny(f"ip-adapter-{family}"), tiny(f"lora-{family}")
    painter = DiffusionPainter(
        model=tiny(kind),
        controls=[
            {"kind": "canny", "model": net, "strength": 0.8, "end": 0.7},
            {"kind": "depth", "model": net, "strength": 0.5, "start": 0.3},
        ],
        loras=[{"source": lora, "weight": 0.7}], style=str(tmp_path / "style.png"), ip_adapter=adapter, style_weight=0.9,
        steps=STEPS, strength=STEPS / WHOLE, guidance_scale=5.0, **OFF,
    )  # fmt: skip
    request = job([one], mattes=(matte,), controls={"canny": (maps[0],), "depth": (maps[1],)})
    ours, _ = painter.paint(request, None)
    name = f"StableDiffusion{'XL' * (family == 'sdxl')}ControlNetInpaintPipeline"
    nets = [diffusers.ControlNetModel.from_pretrained(net) for _ in maps]
    pipe = getattr(diffusers, name).from_pretrained(tiny(kind), controlnet=nets)
    pipe.set_progress_bar_config(disable=True)
    pipe.load_lora_weights(lora, adapter_name="one")
    pipe.set_adapters(["one"], [0.7])
    pipe.load_ip_adapter(adapter, subfolder="models", weight_name="ip-adapter.safetensors")
    pipe.set_ip_adapter_scale(0.9)
    theirs = pipe(
        "a red car", negative_prompt="fog", image=Image.fromarray(one), height=48, width=64,
        mask_image=Image.fromarray((matte * 255).astype(np.uint8)), control_image=[Image.fromarray(m) for m in maps],
        controlnet_conditioning_scale=[0.8, 0.5], control_guidance_start=[0.0, 0.3], control_guidance_end=[0.7, 1.0],
        ip_adapter_image=Image.open(tmp_path / "style.png"), num_inference_steps=WHOLE, strength=STEPS / WHOLE + 1e-6,
        guidance_scale=5.0, generator=torch.Generator().manual_seed(request.seeds[0]), output_type="np",
    ).images[0]  # fmt: skip
    same(ours, [np.rint(theirs * 255).astype(np.uint8)])


@pytest.mark.parametrize("zeros", [True, False])
def test_no_negative_prompt_is_what_sdxl_takes_for_none(tiny: Any, zeros: bool, tmp_path: Any) -> None:
    """Zeros, or the empty prompt's embeddings, as the checkpoint's own configuration has it."""
    folder = tmp_path / "base"
    shutil.copytree(tiny("sdxl"), folder)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"force_zeros_for_empty_prompt": zeros}))
    one = picture(3)
    painter = DiffusionPainter(model=str(folder), steps=STEPS, strength=STEPS / WHOLE, guidance_scale=5.0, **OFF)
    ours, _ = painter.paint(job([one], prompts=(TextPrompt("a red car", ""),)), None)
    pipe = plain("sdxl", str(folder), [])
    assert pipe.config.force_zeros_for_empty_prompt is zeros
    theirs = pipe(
        "a red car", image=Image.fromarray(one), num_inference_steps=WHOLE, strength=STEPS / WHOLE + 1e-6, guidance_scale=5.0,
        generator=torch.Generator().manual_seed(1000), output_type="np",
    ).images[0]  # fmt: skip
    same(ours, [np.rint(theirs * 255).astype(np.uint8)])


def test_latents_whose_mean_and_width_the_vae_tells(tiny: Any, tmp_path: Any) -> None:
    """As some of SDXL's VAEs do."""
    folder = tmp_path / "base"
    shutil.copytree(tiny("sdxl"), folder)
    config = folder / "vae" / "config.json"
    told = {"latents_mean": [0.4, -0.3, 0.1, 0.2], "latents_std": [1.5, 0.7, 1.1, 0.9]}
    config.write_text(json.dumps(json.loads(config.read_text()) | told))
    pictures = [picture(3), picture(4)]
    options = {"steps": STEPS, "strength": STEPS / WHOLE, "guidance_scale": 5.0, **OFF}
    ours, _ = DiffusionPainter(model=str(folder), **options).paint(job(pictures), None)
    bare, _ = DiffusionPainter(model=tiny("sdxl"), **options).paint(job(pictures), None)
    assert np.abs(ours[0].astype(int) - bare[0]).max() > 5, "they do something"
    same(ours, paint_plainly(plain("sdxl", str(folder), []), pictures, [], job(pictures).seeds))


@pytest.mark.parametrize("weighting", ["numbers", "compel"])
@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_weighed_words_are_compels(tiny: Any, family: str, weighting: str) -> None:
    """Its own embeddings, given to the plain pipeline; the summary that SDXL takes is that of the plain words."""
    compel = pytest.importorskip("compel")
    in_compel, bare = TextPrompt("a (red)1.6 car by a lake++", "fog--"), TextPrompt("a red car by a lake", "fog")
    prompt = in_compel if weighting == "compel" else TextPrompt("a (red:1.6) car by a (lake:1.21)", "(fog:0.81)")
    pictures = [picture(3), picture(4)]
    painter = DiffusionPainter(
        model=tiny(family), steps=STEPS, strength=STEPS / WHOLE, guidance_scale=5.0, weighting=weighting, **OFF
    )
    ours, _ = painter.paint(job(pictures, prompts=(prompt,) * 2), None)
    pipe = plain(family, tiny(family), [])
    xl = family == "sdxl"
    made = (compel.CompelForSDXL if xl else compel.CompelForSD)(pipe)(
        in_compel.prompt, negative_prompt=in_compel.negative_prompt
    )
    said = {"prompt_embeds": made.embeds, "negative_prompt_embeds": made.negative_embeds}
    if xl:
        *_, pooled, negative = pipe.encode_prompt(bare.prompt, negative_prompt=bare.negative_prompt)
        said |= {"pooled_prompt_embeds": pooled, "negative_pooled_prompt_embeds": negative}
    theirs = [
        pipe(
            image=Image.fromarray(one), num_inference_steps=WHOLE, strength=STEPS / WHOLE + 1e-6, guidance_scale=5.0,
            generator=torch.Generator().manual_seed(seed), output_type="np", **said,
        ).images[0]
        for one, seed in zip(pictures, job(pictures).seeds, strict=True)
    ]  # fmt: skip
    same(ours, [np.rint(one * 255).astype(np.uint8) for one in theirs])
    without, _ = painter.paint(job(pictures, prompts=(bare,) * 2), None)
    assert np.abs(ours[0].astype(int) - without[0]).max() > 5, "the weights do something"


def test_without_guidance_there_is_one_half(tiny: Any) -> None:
    one = picture(3)
    painter = DiffusionPainter(model=tiny("sdxl"), steps=STEPS, strength=STEPS / WHOLE, guidance_scale=0.0, **OFF)
    ours, _ = painter.paint(job([one]), None)
    pipe = plain("sdxl", tiny("sdxl"), [])
    theirs = pipe(
        "a red car", image=Image.fromarray(one), num_inference_steps=WHOLE, strength=STEPS / WHOLE + 1e-6, guidance_scale=0.0,
        generator=torch.Generator().manual_seed(1000), output_type="np",
    ).images[0]  # fmt: skip
    same(ours, [np.rint(theirs * 255).astype(np.uint8)])


def test_guidance_is_rescaled_as_the_plain_pipeline_does(tiny: Any) -> None:
    pictures = [picture(3), picture(4)]
    strong = 40.0  # far beyond what one asks for: random weights hardly listen to a prompt
    settings = {"model": tiny("sdxl"), "steps": STEPS, "strength": STEPS / WHOLE, "guidance_scale": strong, **OFF}
    ours, _ = DiffusionPainter(guidance_rescale=0.7, **settings).paint(job(pictures), None)
    more = {"guidance_scale": strong, "guidance_rescale": 0.7}
    same(ours, paint_plainly(plain("sdxl", tiny("sdxl"), []), pictures, [], (1000, 1001), **more))
    without, _ = DiffusionPainter(**settings).paint(job(pictures), None)
    assert np.abs(ours[0].astype(int) - without[0]).max() > 3


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
@pytest.mark.parametrize("schedule", ["turbo", "lightning", "hyper", "tcd"])
def test_few_step_schedules_are_the_plain_pipelines(tiny: Any, family: str, schedule: str) -> None:
    """With the schedulers as the models' authors set them, and half of the schedule painted: steps of it, no others."""
    scheduler, more = {
        "turbo": ("EulerAncestralDiscreteScheduler", {}),
        "lightning": ("EulerDiscreteScheduler", {}),
        "hyper": ("DDIMScheduler", {"clip_sample": False}),
        "tcd": ("TCDScheduler", {}),
    }[schedule]
    if schedule != "tcd":
        more["timestep_spacing"] = "trailing"
    one = picture(3)
    painter = DiffusionPainter(model=tiny(family), schedule=schedule, schedule_steps=4, strength=0.5, **OFF)
    ours, _ = painter.paint(job([one]), None)
    pipe = plain(family, tiny(family), [])
    pipe.scheduler = getattr(diffusers, scheduler).from_config(pipe.scheduler.config, **more)
    theirs = pipe(
        "a red car", image=Image.fromarray(one), num_inference_steps=4, strength=0.5, guidance_scale=0.0,
        eta=0.3 if schedule == "tcd" else 0.0, generator=torch.Generator().manual_seed(1000), output_type="np",
    ).images[0]  # fmt: skip
    same(ours, [np.rint(theirs * 255).astype(np.uint8)])


@pytest.mark.parametrize("schedule", ["lcm", "turbo", "lightning", "hyper", "tcd"])
def test_few_step_schedules_run_and_repeat(tiny: Any, schedule: str) -> None:
    painter = DiffusionPainter(model=tiny("sd15"), schedule=schedule, resolution=0)
    ours, _ = painter.paint(job([picture(1), picture(2)]), None)
    again, _ = DiffusionPainter(model=tiny("sd15"), schedule=schedule, resolution=0).paint(
        job([picture(1), picture(2)]), None
    )
    assert all(np.array_equal(a, b) for a, b in zip(ours, again, strict=True))
    assert ours[0].std() > 5
