"""Unions, T2I-Adapters, several IP-Adapters, trained words, skipped layers: the plain pipelines', number for number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own, on its own calls

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from restyle.errors import MissingModelError, RecipeError  # noqa: E402
from restyle.painters.diffusion.painter import DiffusionPainter  # noqa: E402
from restyle.types import TextPrompt  # noqa: E402

from .conftest import OFF, job, picture  # noqa: E402
from .test_parity import STEPS, WHOLE, paint_plainly, plain, same  # noqa: E402


def painter(tiny: Any, model: str, **options: Any) -> DiffusionPainter:
    return DiffusionPainter(
        **{"model": tiny(model), "steps": STEPS, "strength": STEPS / WHOLE, "guidance_scale": 5.0, **OFF, **options}
    )


def differ(ours: list[np.ndarray], bare: list[np.ndarray]) -> None:
    assert np.abs(ours[0].astype(int) - bare[0]).max() > 5, "it does something"


@pytest.mark.parametrize("kinds", [["depth"], ["canny", "pose-dwpose"], ["canny", "depth", "tile"]], ids=str)
def test_a_union_of_controlnets(tiny: Any, kinds: list[str]) -> None:
    """Loaded once, called once, with the kinds that it is asked for."""
    net = tiny("controlnet-union-sdxl")
    pictures = [picture(n) for n in range(2)]
    maps = [[picture(10 * k + n + 50) for n in range(2)] for k in range(len(kinds))]
    one = painter(tiny, "sdxl", controls=[{"kind": kind, "model": net, "strength": 0.8} for kind in kinds])
    request = job(pictures, controls=dict(zip(kinds, (tuple(each) for each in maps), strict=True)))
    assert len(one.ready(request).models.control_networks) == 1
    ours, _ = one.paint(request, None)
    union = diffusers.ControlNetUnionModel.from_pretrained(net)
    pipe = diffusers.StableDiffusionXLControlNetUnionImg2ImgPipeline.from_pretrained(tiny("sdxl"), controlnet=union)
    pipe.set_progress_bar_config(disable=True)
    places = {"pose-dwpose": 0, "depth": 1, "canny": 3, "tile": 6}
    theirs = []
    for number, shown in enumerate(pictures):
        made = pipe(
            "a red car", negative_prompt="fog", image=Image.fromarray(shown), guidance_scale=5.0,
            control_image=[Image.fromarray(each[number]) for each in maps], control_mode=[places[kind] for kind in kinds],
            controlnet_conditioning_scale=0.8, num_inference_steps=WHOLE, strength=STEPS / WHOLE + 1e-6,
            generator=torch.Generator().manual_seed(request.seeds[number]), output_type="np",
        ).images[0]  # fmt: skip
        theirs.append(np.rint(made * 255).astype(np.uint8))
    same(ours, theirs)
    differ(ours, painter(tiny, "sdxl").paint(job(pictures), None)[0])


def test_a_union_beside_a_controlnet_is_their_sum(tiny: Any) -> None:
    """As the plain pipeline paints with a network that gives both residuals, added up."""
    net, union = tiny("controlnet-sdxl"), tiny("controlnet-union-sdxl")
    controls = [
        {"kind": "canny", "model": net, "strength": 0.5},
        {"kind": "depth", "model": union, "strength": 0.8},
        {"kind": "pose", "model": union, "strength": 0.6, "end": 0.5},
    ]
    maps = {kind: (picture(50 + n),) for n, kind in enumerate(("canny", "depth", "pose"))}
    one = painter(tiny, "sdxl", controls=controls)
    request = job([picture(1)], controls=maps)
    assert [network.controls for network in one.ready(request).models.control_networks] == [(0,), (1, 2)]
    ours, _ = one.paint(request, None)

    class Both(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.plain = diffusers.ControlNetModel.from_pretrained(net)
            self.union = diffusers.ControlNetUnionModel.from_pretrained(union)
            self.calls = 0

        def forward(self, sample: Any, timestep: Any, *, controlnet_cond: Any, **more: Any) -> Any:
            shown = [
                torch.from_numpy(maps[kind][0]).permute(2, 0, 1)[None] / 255 for kind in ("canny", "depth", "pose")
            ]
            canny, depth, pose = (each.expand(len(sample), -1, -1, -1) for each in shown)
            more.pop("conditioning_scale"), more.pop("guess_mode")
            down, mid = self.plain(sample, timestep, controlnet_cond=canny, conditioning_scale=0.5, **more)
            flags = torch.zeros(len(sample), 8)
            kinds = [(1, depth, 0.8), (0, pose, 0.6)][: 2 if self.calls == 0 else 1]
            flags[:, [place for place, *_ in kinds]] = 1
            self.calls += 1
            down2, mid2 = self.union(
                sample, timestep, controlnet_cond=[shown for _, shown, _ in kinds], control_type=flags,
                control_type_idx=[place for place, *_ in kinds], conditioning_scale=[weight for *_, weight in kinds], **more,
            )  # fmt: skip
            return [a + b for a, b in zip(down, down2, strict=True)], mid + mid2

    pipe = plain("sdxl", tiny("sdxl"), [net])
    both = Both()
    pipe.controlnet.forward = both.forward
    theirs = paint_plainly(pipe, [picture(1)], [[maps["canny"][0]]], request.seeds)
    assert both.calls == STEPS
    same(ours, theirs)


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
@pytest.mark.parametrize("count", [1, 2])
def test_t2i_adapters(tiny: Any, family: str, count: int) -> None:
    """Whose own pipelines begin from noise alone: theirs is given the latents that ours begins from."""
    folder = tiny(f"t2i-adapter-{family}")
    kinds, weights = ["canny", "depth"][:count], [0.8, 0.5][:count]
    size = (64, 48)
    shown, maps = picture(1, size), [picture(50 + k, size) for k in range(count)]
    controls = [
        {"kind": kind, "model": folder, "strength": weight} for kind, weight in zip(kinds, weights, strict=True)
    ]
    one = painter(tiny, family, strength=1.0, controls=controls)
    request = job([shown], controls={kind: (each,) for kind, each in zip(kinds, maps, strict=True)})
    runtime = one.ready(request)
    seen: list[Any] = []
    paint = runtime.sampler.paint
    runtime.sampler.paint = lambda window: (seen.append(window), paint(window))[1]  # type: ignore[method-assign]
    ours, _ = one.paint(request, None)
    adapters = [diffusers.T2IAdapter.from_pretrained(folder) for _ in kinds]
    name = f"StableDiffusion{'XL' * (family == 'sdxl')}AdapterPipeline"
    more = {"adapter": adapters if count > 1 else adapters[0]}
    if family == "sdxl" and count > 1:
        more["adapter"] = diffusers.MultiAdapter(adapters)
    pipe = getattr(diffusers, name).from_pretrained(tiny(family), **more)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler.set_timesteps(STEPS)
    row = seen[0].inputs[0]
    latents = pipe.scheduler.add_noise(row.clean[None], row.noise[None], pipe.scheduler.timesteps[:1])
    grey = family == "sd15"
    images = [Image.fromarray(each).convert("L" if grey else "RGB") for each in maps]
    theirs = pipe(
        "a red car", negative_prompt="fog", image=images if count > 1 else images[0], width=size[0], height=size[1],
        adapter_conditioning_scale=weights if count > 1 else weights[0], num_inference_steps=STEPS, guidance_scale=5.0,
        latents=latents / pipe.scheduler.init_noise_sigma, output_type="np",
    ).images[0]  # fmt: skip
    same(ours, [np.rint(theirs * 255).astype(np.uint8)])
    differ(ours, painter(tiny, family, strength=1.0).paint(job([shown]), None)[0])


def test_a_t2i_adapter_beside_a_controlnet_counts_from_its_start_to_its_end(tiny: Any) -> None:
    maps = {"canny": (picture(50),), "depth": (picture(51),)}
    controls = [
        {"kind": "canny", "model": tiny("controlnet-sd15")},
        {"kind": "depth", "model": tiny("t2i-adapter-sd15"), "end": 0.5},
    ]
    one = painter(tiny, "sd15", controls=controls)
    request = job([picture(1)], controls=maps)
    calls: list[Any] = []
    one.ready(request).models.control_networks[1].net.register_forward_hook(lambda *_: calls.append(None))
    both, _ = one.paint(request, None)
    assert len(calls) == 1, "in the first of three steps"
    differ(both, painter(tiny, "sd15", controls=controls[:1]).paint(request, None)[0])


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_several_ip_adapters(tiny: Any, family: str, tmp_path: Path) -> None:
    adapter = tiny(f"ip-adapter-{family}")
    files = ["ip-adapter.safetensors", "ip-adapter_two.safetensors"]
    for number in range(2):
        Image.fromarray(picture(98 + number, (80, 80))).save(tmp_path / f"{number}.png")
    second = {"picture": str(tmp_path / "1.png"), "source": adapter, "file": f"models/{files[1]}", "weight": 0.5}
    options = {"style": str(tmp_path / "0.png"), "ip_adapter": adapter, "style_weight": 0.9}
    one = painter(tiny, family, **options, styles=[second])
    ours, _ = one.paint(job([picture(1)]), None)
    pipe = plain(family, tiny(family), [])
    pipe.load_ip_adapter(adapter, subfolder="models", weight_name=files)
    pipe.set_ip_adapter_scale([0.9, 0.5])
    shown = [Image.open(tmp_path / f"{number}.png") for number in range(2)]
    same(ours, paint_plainly(pipe, [picture(1)], [], job([picture(1)]).seeds, ip_adapter_image=shown))
    differ(ours, painter(tiny, family, **options).paint(job([picture(1)]), None)[0])
    before = one.identity
    Image.fromarray(picture(97, (80, 80))).save(tmp_path / "1.png")
    assert painter(tiny, family, **options, styles=[second]).identity != before, "the second picture counts, too"


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
@pytest.mark.parametrize("token", [None, "MyStyle"])
def test_trained_words(tiny: Any, family: str, token: str | None) -> None:
    from safetensors.torch import load_file

    folder = tiny(f"embedding-{family}")
    word = token or ("<gouache>" if family == "sd15" else "gouache")
    prompt = TextPrompt(f"a red car in {word} style", "fog")
    source = {"source": folder, "token": token} if token else folder
    one = painter(tiny, family, embeddings=[source])
    ours, _ = one.paint(job([picture(1)], prompts=(prompt,)), None)
    pipe = plain(family, tiny(family), [])
    vectors = load_file(Path(folder) / "gouache.safetensors")
    if family == "sd15":
        pipe.load_textual_inversion({word: vectors["<gouache>"]}, token=word)
    else:
        pairs = ((pipe.tokenizer, pipe.text_encoder, "clip_l"), (pipe.tokenizer_2, pipe.text_encoder_2, "clip_g"))
        for tokenizer, encoder, name in pairs:
            pipe.load_textual_inversion({word: vectors[name]}, token=word, tokenizer=tokenizer, text_encoder=encoder)
    # diffusers finds the second vector of words in small letters alone
    said = prompt.prompt.replace(word, f"{word} {word}_1") if word == "MyStyle" else prompt.prompt
    theirs = pipe(
        said, negative_prompt="fog", image=Image.fromarray(picture(1)), num_inference_steps=WHOLE,
        strength=STEPS / WHOLE + 1e-6, guidance_scale=5.0, generator=torch.Generator().manual_seed(1000), output_type="np",
    ).images[0]  # fmt: skip
    same(ours, [np.rint(theirs * 255).astype(np.uint8)])
    differ(ours, painter(tiny, family).paint(job([picture(1)], prompts=(prompt,)), None)[0])


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_skipped_layers(tiny: Any, family: str) -> None:
    ours, _ = painter(tiny, family, clip_skip=1).paint(job([picture(1)]), None)
    pipe = plain(family, tiny(family), [])
    if family == "sd15":  # diffusers' own looks for the norm where transformers 5 has it no more
        del pipe.text_encoder.encoder.layers[-1]
        same(ours, paint_plainly(pipe, [picture(1)], [], (1000,)))
    else:  # diffusers leaves layers out for the prompt alone, the models were trained without them for both
        (embeds, _, pooled, _), (negative, _, negative_pooled, _) = (
            pipe.encode_prompt(text, clip_skip=1, do_classifier_free_guidance=False) for text in ("a red car", "fog")
        )
        theirs = pipe(
            prompt_embeds=embeds, negative_prompt_embeds=negative, pooled_prompt_embeds=pooled, strength=STEPS / WHOLE + 1e-6,
            negative_pooled_prompt_embeds=negative_pooled, image=Image.fromarray(picture(1)), num_inference_steps=WHOLE,
            guidance_scale=5.0, generator=torch.Generator().manual_seed(1000), output_type="np",
        ).images[0]  # fmt: skip
        same(ours, [np.rint(theirs * 255).astype(np.uint8)])
    differ(ours, painter(tiny, family).paint(job([picture(1)]), None)[0])
    with pytest.raises(RecipeError, match="clip_skip is 0 to 2 with this model, got 3"):
        painter(tiny, family, clip_skip=3).paint(job([picture(1)]), None)


@pytest.mark.parametrize("kind", ["sd15-inpaint", "sdxl-inpaint"])
@pytest.mark.parametrize("strength", [STEPS / WHOLE, 1.0])
def test_an_inpainting_model_that_paints_everything_is_shown_grey(tiny: Any, kind: str, strength: float) -> None:
    one = picture(1)
    ours, _ = painter(tiny, kind, strength=strength).paint(job([one]), None)
    name = f"StableDiffusion{'XL' * (kind == 'sdxl-inpaint')}InpaintPipeline"
    pipe = getattr(diffusers, name).from_pretrained(tiny(kind))
    pipe.set_progress_bar_config(disable=True)
    theirs = pipe(
        "a red car", negative_prompt="fog", image=Image.fromarray(one), height=48, width=64,
        mask_image=Image.fromarray(np.full((48, 64), 255, np.uint8)), num_inference_steps=round(STEPS / strength),
        strength=min(1.0, strength + 1e-6), guidance_scale=5.0, generator=torch.Generator().manual_seed(1000), output_type="np",
    ).images[0]  # fmt: skip
    same(ours, [np.rint(theirs * 255).astype(np.uint8)])


@pytest.mark.parametrize(
    ("base", "options", "error", "says"),
    [
        ("sdxl", {"controls": [("flow", "controlnet-union-sdxl")]}, RecipeError, "union of 8 kinds, and takes no flow maps"),
        ("sd15", {"controls": [("canny", "controlnet-union-sdxl")]}, RecipeError, "is not made for the model"),
        ("sd15", {"controls": [("canny", "t2i-adapter-sdxl")]}, RecipeError, "T2I-Adapter .* is not made for the model"),
        ("sdxl", {"controls": [("canny", "t2i-adapter-sd15")]}, RecipeError, "T2I-Adapter .* is not made for the model"),
        ("sd15", {"embeddings": "embedding-sdxl"}, RecipeError, r"does not fit .* of \[32, 32\] .* \[32\]\. Take one made"),
        ("sdxl", {"embeddings": "embedding-sd15"}, RecipeError, r"does not fit .* vectors of \[\]"),
        ("sd15", {"embeddings": "lora-sd15"}, RecipeError, "does not fit to the model"),
        ("sd15", {"embeddings": [("embedding-sd15", "a")]}, RecipeError, "there is a word 'a' already"),
        ("sd15", {"embeddings": "sd15"}, MissingModelError, r"there is no .safetensors file in"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(tiny: Any, base: str, options: dict[str, Any], error: type, says: str) -> None:
    named: dict[str, Any] = {}
    for option, given in options.items():
        named[option] = tiny(given) if isinstance(given, str) else [
            {"kind": a, "model": tiny(b)} if option == "controls" else {"source": tiny(a), "token": b} for a, b in given
        ]  # fmt: skip
    with pytest.raises(error, match=says) as failed:
        painter(tiny, base, **named).ready(job([picture(1)]))
    assert "\n" not in str(failed.value)


def test_ip_adapters_of_two_encoders_are_told_before_they_are_loaded(tiny: Any, tmp_path: Path) -> None:
    Image.fromarray(picture(98, (80, 80))).save(tmp_path / "a.png")
    styles = [
        {"picture": str(tmp_path / "a.png"), "source": tiny(f"ip-adapter-{family}")} for family in ("sd15", "sdxl")
    ]
    with pytest.raises(RecipeError, match="sees by another image encoder than that of"):
        _ = painter(tiny, "sd15", styles=styles).model_files
    for wrong, says in (
        ({"picture": "a.png", "weight": 3}, "is 0 to 2"),
        ({"picture": "a.png", "file": "../x.safetensors"}, "does not lie within"),
        ({"pictures": "a.png"}, "no field 'pictures'"),
    ):
        with pytest.raises(RecipeError, match=says):
            DiffusionPainter(styles=[wrong])
    with pytest.raises(RecipeError, match="is no single word"):
        DiffusionPainter(embeddings=[{"source": "x", "token": "two words"}])
