"""With consistency off, the plain pipelines of diffusers; with it, what they give for the pictures that it shows them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own, on its own calls

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from restyle.painters.edit.options import REFERENCES  # noqa: E402
from restyle.painters.edit.painter import EditPainter  # noqa: E402

from ..diffusion.conftest import Shift, job, picture  # noqa: E402

SIZE = (96, 64)
STEPS = 3
TOLERANCE = 1  # of 255
AREA = {"width": SIZE[0], "height": SIZE[1]}
CALLS: dict[str, dict[str, Any]] = {
    "kontext": {"guidance_scale": 2.5, "max_area": SIZE[0] * SIZE[1], "_auto_resize": False, **AREA},
    "qwen-edit": {"true_cfg_scale": 4.0, "negative_prompt": "fog", **AREA},
    "qwen-edit-plus": {"true_cfg_scale": 4.0, "negative_prompt": "fog", **AREA},
    "klein": {"guidance_scale": 1.0, **AREA},
    "flux2": {"guidance_scale": 4.0, **AREA},
    "longcat-edit": {"guidance_scale": 4.5, "negative_prompt": "fog"},
}
SEVERAL = ("qwen-edit-plus", "klein", "flux2")


def plain(folder: str, kind: str = "DiffusionPipeline") -> Any:
    pipe = getattr(diffusers, kind).from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def paint_plainly(pipe: Any, image: Any, seed: int, prompt: str = "a red car", **more: Any) -> np.ndarray:
    """The library's own pipeline, at a size that takes no minutes: its million pixels stand in its code."""
    with ExitStack() as patches:
        module = import_module(type(pipe).__module__)
        if hasattr(module, "calculate_dimensions"):
            patch = patches.enter_context(pytest.MonkeyPatch.context())
            tail = module.calculate_dimensions(1.0, 1.0)[2:]
            patch.setattr(module, "calculate_dimensions", lambda area, ratio: (*SIZE, *tail))
        made = pipe(
            image=image,
            prompt=prompt,
            num_inference_steps=STEPS,
            generator=torch.Generator().manual_seed(seed),
            output_type="np",
            **more,
        ).images[0]
    return np.rint(made * 255).astype(np.uint8)


def same(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert theirs.std() > 5, "a picture, not a plane"
    assert np.abs(ours.astype(int) - theirs).max() <= TOLERANCE


@pytest.mark.parametrize("kind", list(CALLS))
def test_painted_alone_keyframes_are_the_plain_pipelines(tiny: Callable[[str], str], kind: str) -> None:
    pictures = [picture(number, SIZE) for number in range(2)]
    painter = EditPainter(model=tiny(kind), steps=STEPS, resolution=0, consistency="none")
    request = job(pictures)
    ours, _ = painter.paint(request, None)
    pipe = plain(tiny(kind))
    for one, seed, painting in zip(pictures, request.seeds, ours, strict=True):
        same(painting, paint_plainly(pipe, Image.fromarray(one), seed, **CALLS[kind]))
    assert np.abs(ours[0].astype(int) - ours[1]).mean() > 1, "it looks at what it is given"


@pytest.mark.parametrize("kind", SEVERAL)
def test_keyframes_are_shown_with_the_anchor_and_its_painting(tiny: Callable[[str], str], kind: str) -> None:
    pictures = [picture(number, SIZE) for number in range(3)]
    request = job(pictures)
    ours, _ = EditPainter(model=tiny(kind), steps=STEPS, resolution=0).paint(request, None)
    pipe = plain(tiny(kind))
    anchor = paint_plainly(pipe, Image.fromarray(pictures[0]), request.seeds[0], **CALLS[kind])
    same(ours[0], anchor)
    for one, painting in zip(pictures[1:], ours[1:], strict=True):
        shown = [Image.fromarray(each) for each in (one, pictures[0], ours[0])]
        same(painting, paint_plainly(pipe, shown, request.seeds[0], f"a red car {REFERENCES}", **CALLS[kind]))


def test_a_beginning_from_the_painting_before_is_the_librarys_inpainting_of_all(tiny: Callable[[str], str]) -> None:
    """Kontext is shown the keyframe, and begins from its neighbour's painting."""
    pictures = [picture(number, SIZE) for number in range(2)]
    request = job(pictures, tracker=Shift(SIZE))  # nothing moves
    ours, _ = EditPainter(model=tiny("kontext"), steps=STEPS, resolution=0, follow=2 / 3).paint(request, None)
    theirs = paint_plainly(
        plain(tiny("kontext"), "FluxKontextInpaintPipeline"),
        Image.fromarray(ours[0]),
        request.seeds[0],
        image_reference=Image.fromarray(pictures[1]),
        mask_image=Image.new("L", SIZE, 255),
        strength=2 / 3,
        **CALLS["kontext"],
    )
    same(ours[1], theirs)


@pytest.mark.parametrize(
    ("kind", "pipeline"),
    [
        ("kontext", "FluxKontextInpaintPipeline"),
        ("qwen-edit", "QwenImageEditInpaintPipeline"),
        ("klein", "Flux2KleinInpaintPipeline"),
    ],
)
def test_objects_are_painted_as_the_librarys_inpainting_does(
    tiny: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, kind: str, pipeline: str
) -> None:
    if kind == "qwen-edit":
        take_the_middle(monkeypatch, pipeline)
    matte = np.zeros(SIZE[::-1], np.float32)
    matte[16:48, 32:64] = 1
    request = job([picture(3, SIZE)], mattes=(matte,))
    (ours,), _ = EditPainter(model=tiny(kind), steps=STEPS, resolution=0, strength=2 / 3).paint(request, None)
    theirs = paint_plainly(
        plain(tiny(kind), pipeline),
        Image.fromarray(picture(3, SIZE)),
        request.seeds[0],
        mask_image=Image.fromarray((matte * 255).astype(np.uint8)),
        strength=2 / 3,
        **CALLS[kind],
    )
    same(ours, theirs)
    (whole,), _ = EditPainter(model=tiny(kind), steps=STEPS, resolution=0, strength=2 / 3).paint(
        job([picture(3, SIZE)]), None
    )
    assert np.abs(whole.astype(int) - ours)[:, :24].mean() > 1, "round the matte it is not what it would be without one"


def take_the_middle(patch: pytest.MonkeyPatch, *pipelines: str) -> None:
    """Pipelines that draw pictures' latents take the middle of what they draw from, as the editing ones do."""
    for pipeline in pipelines:
        module = import_module(getattr(diffusers, pipeline).__module__)
        patch.setattr(module, "retrieve_latents", lambda coded, **_: coded.latent_dist.mode())


IMAGE_TO_IMAGE: dict[str, dict[str, Any]] = {
    "flux": {"guidance_scale": 3.5, **AREA},
    "qwen-image": {"true_cfg_scale": 4.0, "negative_prompt": "fog", **AREA},
    "z-image": {"guidance_scale": 0.0, "negative_prompt": "fog", **AREA},
}


@pytest.mark.parametrize(
    ("kind", "pipeline"),
    [("flux", "FluxImg2ImgPipeline"), ("qwen-image", "QwenImageImg2ImgPipeline"), ("z-image", "ZImageImg2ImgPipeline")],
)
def test_image_to_image_is_the_librarys(
    tiny: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, kind: str, pipeline: str
) -> None:
    take_the_middle(monkeypatch, pipeline)
    pictures = [picture(number, SIZE) for number in range(2)]
    painter = EditPainter(model=tiny(kind), steps=STEPS, resolution=0, strength=2 / 3, consistency="none")
    request = job(pictures)
    ours, _ = painter.paint(request, None)
    pipe = plain(tiny(kind), pipeline)
    for one, seed, painting in zip(pictures, request.seeds, ours, strict=True):
        same(painting, paint_plainly(pipe, Image.fromarray(one), seed, strength=2 / 3, **IMAGE_TO_IMAGE[kind]))


def with_nets(tiny: Callable[[str], str], kind: str, pipeline: str, nets: int) -> Any:
    family = {"flux": "Flux", "qwen-image": "QwenImage", "z-image": "ZImage"}[kind]
    net = getattr(diffusers, f"{family}ControlNetModel")
    loaded = [net.from_pretrained(tiny(f"{kind}-controlnet")) for _ in range(nets)]
    parts = {name: part for name, part in plain(tiny(kind)).components.items() if part is not None}
    pipe = getattr(diffusers, pipeline)(**parts, controlnet=loaded if nets > 1 else loaded[0])
    pipe.set_progress_bar_config(disable=True)
    return pipe


def controls(tiny: Callable[[str], str], kind: str, nets: int, **more: Any) -> dict[str, Any]:
    net = tiny(f"{kind}-controlnet")
    kinds = ["canny", "depth"][:nets]
    return {"controls": [{"kind": name, "model": net, "strength": 0.8, **more} for name in kinds]}


def test_image_to_image_with_a_controlnet_is_the_librarys(
    tiny: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    take_the_middle(monkeypatch, "FluxControlNetImg2ImgPipeline", "FluxControlNetPipeline")
    control = picture(50, SIZE)
    painter = EditPainter(
        model=tiny("flux"), steps=STEPS, resolution=0, strength=2 / 3, **controls(tiny, "flux", 1, end=0.7)
    )
    request = job([picture(1, SIZE)], controls={"canny": (control,)})
    (ours,), _ = painter.paint(request, None)
    theirs = paint_plainly(
        with_nets(tiny, "flux", "FluxControlNetImg2ImgPipeline", 1),
        Image.fromarray(picture(1, SIZE)),
        request.seeds[0],
        strength=2 / 3,
        control_image=Image.fromarray(control),
        controlnet_conditioning_scale=0.8,
        control_guidance_end=0.7,
        **IMAGE_TO_IMAGE["flux"],
    )
    same(ours, theirs)


@pytest.mark.parametrize(("kind", "nets"), [("flux", 2), ("qwen-image", 1), ("z-image", 1)])
def test_from_noise_controlnets_are_the_librarys(tiny: Callable[[str], str], kind: str, nets: int) -> None:
    maps = [picture(50 + number, SIZE) for number in range(nets)]
    request = job(
        [picture(1, SIZE)], controls={name: (one,) for name, one in zip(["canny", "depth"], maps, strict=False)}
    )
    painter = EditPainter(model=tiny(kind), steps=STEPS, resolution=0, strength=1.0, **controls(tiny, kind, nets))
    (ours,), _ = painter.paint(request, None)
    family = {"flux": "Flux", "qwen-image": "QwenImage", "z-image": "ZImage"}[kind]
    images = [Image.fromarray(one) for one in maps]
    theirs = with_nets(tiny, kind, f"{family}ControlNetPipeline", nets)(
        prompt="a red car",
        control_image=images if nets > 1 else images[0],
        controlnet_conditioning_scale=[0.8] * nets if nets > 1 else 0.8,
        num_inference_steps=STEPS,
        generator=torch.Generator().manual_seed(request.seeds[0]),
        output_type="np",
        **IMAGE_TO_IMAGE[kind],
    ).images[0]
    same(ours, np.rint(theirs * 255).astype(np.uint8))
    begun, _ = EditPainter(
        model=tiny(kind), steps=STEPS, resolution=0, strength=1 / 3, **controls(tiny, kind, nets)
    ).paint(request, None)
    assert np.abs(begun[0].astype(int) - ours).mean() > 1


@pytest.mark.parametrize(("kind", "pipeline"), [("flux", "FluxInpaintPipeline"), ("z-image", "ZImageInpaintPipeline")])
def test_image_to_image_within_a_matte_is_the_librarys(
    tiny: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, kind: str, pipeline: str
) -> None:
    take_the_middle(monkeypatch, pipeline)
    matte = np.zeros(SIZE[::-1], np.float32)
    matte[16:48, 32:64] = 1
    request = job([picture(3, SIZE)], mattes=(matte,))
    (ours,), _ = EditPainter(model=tiny(kind), steps=STEPS, resolution=0, strength=2 / 3).paint(request, None)
    theirs = paint_plainly(
        plain(tiny(kind), pipeline),
        Image.fromarray(picture(3, SIZE)),
        request.seeds[0],
        mask_image=Image.fromarray((matte * 255).astype(np.uint8)),
        strength=2 / 3,
        **IMAGE_TO_IMAGE[kind],
    )
    same(ours, theirs)
