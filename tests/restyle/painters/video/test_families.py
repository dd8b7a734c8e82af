"""Wan Animate, Lucy Edit, CogVideoX with control, LTX-Video and LTX-2: the plain pipelines' pixels, and what is promised of
every family."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own, on its own calls

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
pytest.importorskip("ftfy")
pytest.importorskip("mediapipe")

from interp.pixels.depth import from_unit  # noqa: E402
from restyle.errors import RecipeError  # noqa: E402
from restyle.painters.base import EveryFrame, PaintRequest  # noqa: E402
from restyle.painters.networks import pipeline_files  # noqa: E402
from restyle.painters.video.families import FAMILIES, family_of  # noqa: E402
from restyle.painters.video.painter import VideoPainter  # noqa: E402
from restyle.types import Carry, TextPrompt  # noqa: E402
from restyle.weights.films import FILMS  # noqa: E402

from ..diffusion.conftest import picture  # noqa: E402
from .conftest import film_request  # noqa: E402

SIZE = (64, 64)
Tiny = Callable[[str], str]
LED = {"controls": [{"kind": "canny"}]}
POSE = {"controls": [{"kind": "pose"}]}
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "animate": {"frames": 5, "overlap": 1, **POSE},
    "cogvideox-control": {"frames": 9, "overlap": 1, **LED},
    "ltx": {"frames": 9, "overlap": 1, "strength": 1.0},
    "ltx-2": {"frames": 9, "overlap": 1, "strength": 1.0},
    "lucy-edit": {"frames": 5, "overlap": 1},
}
each = pytest.mark.parametrize("kind", OPTIONS)
OTHERS: Mapping[str, Mapping[str, Any]] = {  # which have tests of their own
    "animatediff": {"frames": 4, "overlap": 1},
    "svd": {"frames": 4, "overlap": 1},
    "vace": {"frames": 5, "overlap": 1},
}


def pictures(count: int, size: tuple[int, int] = SIZE, dtype: str = "uint8") -> tuple[np.ndarray, ...]:
    return tuple(from_unit(np.float32(picture(number, size)) / 255, np.dtype(dtype)) for number in range(count))


def request(frames: tuple[np.ndarray, ...], first: int = 0, **more: Any) -> PaintRequest:
    maps = dict.fromkeys(("canny", "pose"), pictures(len(frames), frames[0].shape[1::-1])[::-1])
    return film_request(frames, first, **({"controls": maps} | more))


def who(tiny: Tiny) -> str:
    """A picture of who is to be seen."""
    path = Path(tiny("animate")).with_name("who.png")
    Image.fromarray(255 - picture(3, SIZE)).save(path)
    return str(path)


def painter_of(tiny: Tiny, kind: str, **more: Any) -> VideoPainter:
    if FAMILIES[kind].traits.character:
        more = {"style": who(tiny), **more}
    if FAMILIES[kind].traits.motion is not None:
        more = {"motion": tiny("motion-sd15"), **more}
    model = tiny("sd15" if kind == "animatediff" else kind)
    usual = {"steps": 3, "resolution": 0} if kind == "svd" else {"steps": 2, "resolution": 0}
    return VideoPainter(model=model, device="cpu", **{**usual, **(OPTIONS | OTHERS)[kind], **more})


def plainly(tiny: Tiny, kind: str, frames: tuple[np.ndarray, ...], **more: Any) -> np.ndarray:
    plain = {"ltx-2": "LTX2ConditionPipeline"}.get(kind, FAMILIES[kind].traits.pipeline)
    pipe = getattr(diffusers, plain).from_pretrained(tiny(kind))
    pipe.set_progress_bar_config(disable=True)
    films = [Image.fromarray(frame) for frame in frames]
    own: dict[str, Any] = {
        "animate": {"pose_video": films[::-1], "segment_frame_length": len(films), "guidance_scale": 1.0},
        "cogvideox-control": {"control_video": films[::-1]},
        "ltx": {"num_frames": len(films), "frame_rate": 25},
        "ltx-2": {"num_frames": len(films), "frame_rate": 24, "stg_scale": 0, "audio_stg_scale": 0},
        "lucy-edit": {"video": films, "num_frames": len(films)},
    }[kind]
    if kind == "animate":
        own |= {"image": Image.open(who(tiny)), "face_video": [Image.new("RGB", (512, 512))] * len(films)}
    if kind == "ltx-2":
        own["use_cross_timestep"] = False
    made = pipe(
        prompt="a red car",
        negative_prompt="fog",
        height=SIZE[1],
        width=SIZE[0],
        num_inference_steps=2,
        generator=torch.Generator().manual_seed(100),
        output_type="np",
        **own,
        **more,
    ).frames[0]
    return np.rint(made.clip(0, 1) * 255)


@each
def test_a_first_window_is_the_plain_pipelines(tiny: Tiny, kind: str) -> None:
    frames = pictures(OPTIONS[kind]["frames"])
    made, _ = painter_of(tiny, kind).paint(request(frames), None)
    theirs = plainly(tiny, kind, frames)
    assert np.ptp(theirs) > 20
    assert np.abs(np.stack(made).astype(int) - theirs).max() <= 1


@each
def test_known_frames_are_kept_and_followed_at_odd_sizes_and_lengths(tiny: Tiny, kind: str) -> None:
    """In a window that is shorter than the model makes; the others follow what is known."""
    frames = pictures(4, (75, 51), "uint16")
    painter = painter_of(tiny, kind, resolution=64)
    made, two = (painter.paint(request(frames, fixed={0: known}), None)[0] for known in (frames[0], 65535 - frames[0]))
    assert [(frame.shape, frame.dtype) for frame in made] == [(frames[0].shape, frames[0].dtype)] * 4
    assert np.array_equal(made[0], frames[0])
    assert np.abs(np.stack(made[1:]).astype(int) - np.stack(two[1:])).mean() > 50


@each
def test_what_a_gpu_computes_with_is_enough(tiny: Tiny, kind: str) -> None:
    """Parts of one pipeline meet in numbers of one kind, or are brought to it."""
    frames = pictures(5)
    painter = painter_of(tiny, kind, dtype="bfloat16", steps=3, **({"strength": 0.7} if kind.startswith("ltx") else {}))
    made, _ = painter.paint(request(frames, fixed={0: 255 - frames[0]}), None)
    whole, _ = painter_of(tiny, kind, steps=3, **({"strength": 0.7} if kind.startswith("ltx") else {})).paint(
        request(frames, fixed={0: 255 - frames[0]}), None
    )
    assert np.ptp(np.stack(made)) > 20
    assert np.abs(np.stack(made).astype(int) - np.stack(whole)).mean() < 60


@pytest.mark.parametrize("kind", [kind for kind, family in FAMILIES.items() if family.traits.prompts])
def test_a_prompt_that_is_longer_than_what_it_reads_is_told(tiny: Tiny, kind: str) -> None:
    """As many tokens as its pipeline reads by itself."""
    from inspect import signature

    painter = painter_of(tiny, kind)
    most = FAMILIES[kind].traits.words
    frames = pictures(1)
    prompts = (TextPrompt("x " * most),)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(FAMILIES[kind]), "make", lambda self, pipe, film, tick: np.float32(film.pictures) / 255)
        painter.paint(request(frames, prompts=prompts), None)
    (note,) = (note for note in painter.notes if "reads the first" in note)
    assert note.endswith(f"{FAMILIES[kind].traits.title} reads the first {most}")
    parameters = signature(painter._runtime._loaded.own.__call__).parameters
    if "max_sequence_length" in parameters:
        assert parameters["max_sequence_length"].default == most


def test_ltx_goes_on_from_known_frames_as_it_was_taught(tiny: Tiny) -> None:
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

    from restyle.painters.video.colours import hold_colours

    frames = pictures(9)
    fixed = {0: 255 - frames[0], 6: 255 - frames[6]}
    made, _ = painter_of(tiny, "ltx").paint(request(frames, fixed=fixed), None)
    shown = [
        LTXVideoCondition(video=[Image.fromarray(fixed[0])]),
        LTXVideoCondition(image=Image.fromarray(fixed[6]), frame_index=6),
    ]
    theirs = plainly(tiny, "ltx", frames, conditions=shown)
    held = np.rint(hold_colours(theirs.astype(np.float32) / 255, fixed) * 255)
    made, held = (np.stack([each[place] for place in range(9) if place not in fixed]) for each in (made, held))
    assert np.abs(made.astype(int) - held).max() <= 2


@pytest.mark.parametrize("kind", ["ltx", "ltx-2"])
def test_ltx_begins_from_the_footage(tiny: Tiny, kind: str) -> None:
    frames = pictures(9)
    one, two = (
        painter_of(tiny, kind, strength=0.5).paint(request(footage), None)[0]
        for footage in (frames, tuple(255 - frame for frame in frames))
    )
    assert np.abs(np.stack(one).astype(int) - np.stack(two)).mean() > 0.5


def test_ltx2_begins_with_as_much_noise_as_its_first_step_has_and_shows_pictures_at_their_frames(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = pictures(17)
    kind = diffusers.LTX2ConditionPipeline
    coords, prepare, seen = kind._prepare_keyframe_coords, kind.prepare_latents, {}

    def place(*args: Any, **more: Any) -> Any:
        seen["frame"] = more["pixel_frame_idx"]
        return coords(*args, **more)

    def begin(*args: Any, **more: Any) -> Any:
        seen["noise"] = more["noise_scale"]
        return prepare(*args, **more)

    monkeypatch.setattr(kind, "_prepare_keyframe_coords", place)
    monkeypatch.setattr(kind, "prepare_latents", begin)
    painter = painter_of(tiny, "ltx-2", strength=0.5, steps=4, frames=17)
    fixed = {0: 255 - frames[0], 6: 255 - frames[6]}
    painter.paint(request(frames, fixed=fixed), None)
    assert painter.notes == ("LTX-2 makes sound, too: it is dropped, and the footage's own is kept",)
    sigmas = painter._runtime._loaded.own.scheduler.sigmas
    assert len(sigmas) == 3
    assert seen == {"frame": 6, "noise": pytest.approx(float(sigmas[0]))}
    assert abs(seen["noise"] - 0.5) > 0.01, "shifted"


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_window_depends_on_nothing_but_itself_and_what_it_is_handed(tiny: Tiny, kind: str) -> None:
    """So a job that was stopped goes on to the same pictures: by a painter that is made anew, with the carry as it is kept."""
    painter = painter_of(tiny, kind)
    last = painter.capabilities.every_frame.longest - 1
    frames = pictures(last + 3)
    start = {0: 255 - frames[0]} if FAMILIES[kind].traits.begins else {}
    first, carry = painter.paint(request(frames[: last + 1], fixed=start), None)
    later = request(frames[last:], last, fixed={0: first[last]})
    second, end = painter.paint(later, carry)
    again, same = painter_of(tiny, kind).paint(later, Carry(facts=json.loads(json.dumps(carry.facts))))
    assert not carry.arrays
    assert end == same
    assert np.array_equal(np.stack(second), np.stack(again))


@pytest.mark.parametrize("kind", ["cogvideox-control", "lucy-edit"])
def test_round_a_matte_the_footage_is_held(tiny: Tiny, kind: str) -> None:
    frames = pictures(OPTIONS[kind]["frames"])
    matte = np.zeros(SIZE[::-1], np.float32)
    matte[24:40, 24:40] = 1
    painter = painter_of(tiny, kind)
    assert painter.capabilities.inpaints
    seen: list[Any] = []
    from restyle.painters.video.families import holding

    class Watched(holding.Held):
        def __call__(self, pipe: Any, number: int, time: Any, values: dict[str, Any]) -> dict[str, Any]:
            after = super().__call__(pipe, number, time, values)
            seen.append((number, after["latents"].float().clone(), self._painted, self._noised(number).float()))
            return after

    module = __import__(type(FAMILIES[kind]).__module__, fromlist=["Held"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Held", Watched)
        painter.paint(request(frames, mattes=(matte,) * len(frames)), None)
    number, latents, painted, clean = seen[-1]
    kept = ~painted.expand_as(latents)
    assert number == 1
    assert 0 < painted.float().mean() < 0.5
    assert torch.equal(latents[kept], clean[kept])
    assert not torch.allclose(latents[~kept], clean[~kept])


def test_every_name_has_a_family_and_every_family_a_class_of_this_diffusers() -> None:
    for known in FILMS.values():
        assert known.family in FAMILIES
        assert known.largest < known.size
        assert known.sees == FAMILIES[known.family].traits.sees
    for name, family in FAMILIES.items():
        for pipeline in (family.traits.pipeline, *family.traits.also):
            assert family_of({"_class_name": pipeline}) == name
            pipeline_files.check_diffusers(pipeline, name)
    assert VideoPainter(model="lucy-edit").capabilities.every_frame == EveryFrame(81, 4, 5)
    assert VideoPainter(model="ltx").capabilities.every_frame == EveryFrame(121, 8, 9)


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("lucy-edit", LED, "Lucy Edit is led by the footage itself, and takes no control maps: leave --control out"),
        ("cogvideox-control", {"controls": ()}, "is led by a control map: name one, such as --control canny"),
        ("cogvideox-control", {"controls": [{"kind": "canny", "strength": 0.5}]}, "altogether: leave its strength out"),
        ("ltx", {"frames": 10}, r"LTX-Video makes 8k \+ 1 frames, such as 9 or 17; got 10"),
        ("lucy-edit", {"strength": 0.5}, "Lucy Edit has no strength"),
    ],
)
def test_options_that_cannot_be(tiny: Tiny, kind: str, options: Mapping[str, Any], says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        painter_of(tiny, kind, **options)
