"""Stable Video Diffusion: the plain pipeline's pixels, on from painted frames, along the footage."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own, on its own calls

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
pytest.importorskip("ftfy")

from restyle.errors import PainterError, RecipeError  # noqa: E402
from restyle.painters.base import EveryFrame, PaintRequest  # noqa: E402
from restyle.painters.video.families.animatediff import free_noise  # noqa: E402
from restyle.painters.video.painter import VideoPainter  # noqa: E402
from restyle.types import Carry  # noqa: E402

from ..diffusion.conftest import picture  # noqa: E402
from .conftest import film_request  # noqa: E402

SIZE = (64, 64)
Tiny = Callable[[str], str]


def pictures(count: int) -> tuple[np.ndarray, ...]:
    return tuple(picture(number, SIZE) for number in range(count))


def request(frames: tuple[np.ndarray, ...], first: int = 40, **more: Any) -> PaintRequest:
    return film_request(frames, first, seed=60, **({"prompts": ()} | more))


def filmed(tiny: Tiny, **more: Any) -> VideoPainter:
    return VideoPainter(model=tiny("svd"), resolution=0, device="cpu", **{"steps": 3, "strength": 1.0, **more})


def test_a_first_window_is_the_plain_pipelines(tiny: Tiny) -> None:
    frames = pictures(5)
    painted = 255 - frames[0]
    made, carry = filmed(tiny).paint(request(frames, fixed={0: painted}, rate=Fraction(12)), None)
    pipe = diffusers.StableVideoDiffusionPipeline.from_pretrained(tiny("svd"))
    pipe.set_progress_bar_config(disable=True)
    noise = torch.from_numpy(free_noise(100, 0, (5, 8, 8), 4, 25))
    clean = torch.zeros_like(noise)
    with torch.no_grad():
        values = torch.from_numpy(painted).permute(2, 0, 1)[None] / 127.5 - 1
        clean[0] = (pipe.vae.encode(values).latent_dist.mode() * pipe.vae.config.scaling_factor)[0]
        pipe.scheduler.set_timesteps(3)
        sigmas = pipe.scheduler.sigmas

        def hold(pipe: Any, number: int, time: Any, values: dict[str, Any]) -> dict[str, Any]:
            values["latents"][:, 0] = clean[0] + sigmas[number + 1] * noise[0]
            return values

        theirs = pipe(
            image=Image.fromarray(painted),
            height=64,
            width=64,
            num_frames=5,
            num_inference_steps=3,
            fps=12,
            generator=torch.Generator().manual_seed(100),
            latents=noise[None].clone(),
            decode_chunk_size=8,
            output_type="np",
            callback_on_step_end=hold,
        ).frames[0]
    assert np.array_equal(made[0], painted)
    assert np.ptp(theirs) > 0.1
    from restyle.painters.video.colours import hold_colours

    wanted = np.rint(hold_colours(theirs.astype(np.float32), {0: painted}) * 255)
    assert np.abs(np.stack(made[1:]).astype(int) - wanted[1:]).max() <= 1
    assert carry == Carry(facts={"seed": 100, "first": 40})


def test_less_strength_is_led_by_the_footage(tiny: Tiny) -> None:
    frames = pictures(3)
    footage = (frames, (frames[0], 255 - frames[1], 255 - frames[2]))
    weak, whole = (
        [filmed(tiny, strength=strength).paint(request(each, fixed={0: frames[0]}), None)[0] for each in footage]
        for strength in (0.4, 1)
    )
    assert np.array_equal(*whole)
    assert np.abs(np.stack(weak[0]).astype(int) - np.stack(weak[1])).mean() > 5


def test_later_windows_go_on_from_what_they_share_and_follow_it(tiny: Tiny) -> None:
    frames = pictures(8)
    painter = filmed(tiny, frames=5, overlap=2, strength=0.6)
    assert painter.capabilities.every_frame == EveryFrame(5, 1, 2, begins=True)
    assert not painter.capabilities.reads_prompts
    first, carry = painter.paint(request(frames[:5], fixed={0: 255 - frames[0]}), None)
    fixed = {place: first[3 + place] for place in range(2)}
    second, after = painter.paint(request(frames[3:], 43, fixed=fixed), carry)
    assert after == carry
    assert all(np.array_equal(second[place], fixed[place]) for place in fixed)
    again, _ = painter.paint(request(frames[3:], 43, fixed=fixed), carry)
    assert np.array_equal(second, again)
    other, _ = painter.paint(request(frames[3:], 43, fixed={place: 255 - each for place, each in fixed.items()}), carry)
    assert np.abs(np.stack(other[2:]).astype(int) - np.stack(second[2:])).mean() > 0.5


def test_a_painted_frame_at_the_end_is_followed_too(tiny: Tiny) -> None:
    frames = pictures(4)
    one, two = (
        filmed(tiny).paint(request(frames, fixed={0: frames[0], 3: end}), None)[0]
        for end in (frames[3], 255 - frames[3])
    )
    assert np.array_equal(one[3], frames[3])
    assert np.abs(np.stack(one[1:3]).astype(int) - np.stack(two[1:3])).mean() > 0.1


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_what_a_gpu_computes_with_is_enough(tiny: Tiny, dtype: str) -> None:
    frames = pictures(3)
    made, _ = filmed(tiny, dtype=dtype, strength=0.7).paint(request(frames, fixed={0: 255 - frames[0]}), None)
    assert np.ptp(np.stack(made)) > 20


def test_what_it_does_not_take_is_refused(tiny: Tiny) -> None:
    for options, says in (
        ({"controls": [{"kind": "canny"}]}, "is led by the footage itself, and takes no control maps"),
        ({"loras": "a/b"}, "takes no LoRAs"),
        ({"style": "look.png"}, "is shown no pictures of a style"),
        ({"motion": "a/b"}, "has no motion"),
    ):
        with pytest.raises(RecipeError, match=says):
            filmed(tiny, **options)
    with pytest.raises(PainterError, match="Stable Video Diffusion goes on from a painted frame, and there is none"):
        filmed(tiny).paint(request(pictures(2)), None)
