"""What keyframes are painted from: the anchor, the painting before, noise, mattes; and what happens when memory runs out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from paint_requests import request_of
from scenes import moving_scene

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own, on its own calls

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from restyle.errors import Cancelled, PainterError, RecipeError  # noqa: E402
from restyle.painters.base import Anchor  # noqa: E402
from restyle.painters.edit.families import FAMILIES  # noqa: E402
from restyle.painters.edit.painter import EditPainter  # noqa: E402
from restyle.painters.edit.sizes import working_size  # noqa: E402
from restyle.painters.settings import RunSettings  # noqa: E402
from restyle.types import TextPrompt  # noqa: E402

from ..diffusion.conftest import Shift, job, picture  # noqa: E402

SIZE = (96, 64)
Tiny = Callable[[str], str]


def editor(tiny: Tiny, kind: str = "klein", **more: Any) -> EditPainter:
    return EditPainter(**{"model": tiny(kind), "steps": 3, "resolution": 0, "follow": 2 / 3, **more})


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b).mean())


@pytest.mark.parametrize("kind", ["kontext", "qwen-edit-plus"])
@pytest.mark.parametrize("more", [{}, {"consistency": "none"}])
def test_windows_split_anywhere_give_the_same_pictures(tiny: Tiny, kind: str, more: dict[str, Any]) -> None:
    frames = moving_scene(4, size=SIZE).frames
    painter = editor(tiny, kind, **more)
    whole, _ = painter.paint(request_of(frames, [0, 1, 2, 3]), None)
    for split in (1, 2):
        head, carry = painter.paint(request_of(frames, list(range(split + 1))), None)
        rest = [place - split for place in range(split, 4)]
        tail, _ = painter.paint(request_of(frames[split:], rest, {0: head[-1]}, first=split), carry)
        assert all(np.array_equal(a, b) for a, b in zip(whole, head + tail[1:], strict=True))


def test_keyframes_share_their_noise_and_follow_the_anchor(tiny: Tiny) -> None:
    """The same picture twice: alone each has noise of its own, together they are nearer, and a painted anchor is followed."""
    twice = job([picture(1, SIZE)] * 2)
    alone, _ = editor(tiny, consistency="none").paint(twice, None)
    assert difference(*alone) > 5
    begun, _ = editor(tiny, "kontext").paint(twice, None)
    apart, _ = editor(tiny, "kontext", consistency="none").paint(twice, None)
    assert difference(*begun) < 0.8 * difference(*apart)
    request = job([picture(1, SIZE), picture(2, SIZE)])
    hand = picture(40, SIZE)
    followed, _ = editor(tiny, follow=1).paint(replace(request, fixed={0: hand}), None)
    plain, _ = editor(tiny, follow=1).paint(request, None)
    assert np.array_equal(followed[0], hand)
    assert difference(followed[1], plain[1]) > 1


def test_a_beginning_moves_with_the_footage(tiny: Tiny) -> None:
    """Of 3 steps the last alone is made, so that what it began from can be seen."""
    painter = editor(tiny, "kontext", follow=0.01)
    there, _ = painter.paint(
        job([picture(1, SIZE)] * 2, tracker=Shift(SIZE, (-1.6, 0)), fixed={0: picture(9, SIZE)}), None
    )
    stays, _ = painter.paint(job([picture(1, SIZE)] * 2, tracker=Shift(SIZE), fixed={0: picture(9, SIZE)}), None)
    unseen, _ = painter.paint(
        job([picture(1, SIZE)] * 2, tracker=Shift(SIZE, seen=0), fixed={0: picture(9, SIZE)}), None
    )
    other, _ = painter.paint(
        job([picture(1, SIZE)] * 2, tracker=Shift(SIZE, seen=0), fixed={0: picture(8, SIZE)}), None
    )
    assert difference(there[1], stays[1]) > 1
    assert difference(unseen[1], stays[1]) > 1
    assert np.array_equal(unseen[1], other[1]), "what is not seen of the painting before is taken from the footage"


def test_another_shots_anchor_is_followed_from_the_first_keyframe_on(tiny: Tiny) -> None:
    request = job([picture(1, SIZE), picture(2, SIZE)])
    plain, _ = editor(tiny).paint(request, None)
    anchor = Anchor(picture(5, (80, 48)), picture(6, (80, 48)))
    shared, carry = editor(tiny).paint(replace(request, anchor=anchor), None)
    assert difference(plain[0], shared[0]) > 1
    assert carry.arrays["anchor_painting"].std() > 10
    again, _ = editor(tiny).paint(job([picture(2, SIZE), picture(3, SIZE)], first=10, fixed={0: shared[1]}), carry)
    apart, _ = editor(tiny).paint(
        job([picture(2, SIZE), picture(3, SIZE)], first=10, fixed={0: shared[1]}), replace(carry, arrays={})
    )
    assert difference(again[1], apart[1]) > 1, "the carry holds the anchor"


def test_each_frame_has_its_own_words(tiny: Tiny) -> None:
    request = job([picture(1, SIZE)] * 2, prompts=(TextPrompt("a fox"), TextPrompt("a boat")))
    other = job([picture(1, SIZE)] * 2, prompts=(TextPrompt("a fox"), TextPrompt("a house on a hill")))
    one, _ = editor(tiny).paint(request, None)
    two, _ = editor(tiny).paint(other, None)
    assert np.array_equal(one[0], two[0])
    assert difference(one[1], two[1]) > 0.5


@pytest.mark.parametrize("kind", ["kontext", "klein"])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_odd_sizes_and_depths(tiny: Tiny, kind: str, dtype: type) -> None:
    white = {np.uint16: 257, np.float32: 1 / 255}[dtype]
    pictures = [(picture(number, (61, 35)).astype(np.float64) * white).astype(dtype) for number in range(2)]
    painted, _ = editor(tiny, kind).paint(job(pictures), None)
    assert [(one.shape, one.dtype) for one in painted] == [((35, 61, 3), np.dtype(dtype))] * 2


@pytest.mark.parametrize(
    ("size", "more", "wanted"),
    [
        ((1920, 1080), {}, (1360, 768)),
        ((1080, 1920), {}, (768, 1360)),
        ((640, 480), {}, (1184, 880)),
        ((1920, 1080), {"resolution": 512}, (672, 384)),
        ((1920, 1080), {"resolution": 0}, (1920, 1088)),
        ((1920, 1080), {"multiple": 32}, (1344, 768)),
        ((1, 1), {"resolution": 0}, (64, 64)),
        ((2000, 10), {"resolution": 0}, (2000, 256)),
    ],
)
def test_the_size_that_is_painted_at(size: tuple[int, int], more: dict[str, Any], wanted: tuple[int, int]) -> None:
    found = working_size(*size, **{"multiple": 16, "resolution": 1024, **more})
    assert found == wanted
    if "resolution" not in more:
        assert found[0] * found[1] <= 1 << 20, "larger ones are made smaller by the pipelines, off the grid"


def test_what_is_not_heard_is_noted(tiny: Tiny) -> None:
    painter = editor(tiny)
    assert painter.notes == ()
    painter.paint(job([picture(1, SIZE)], prompts=(TextPrompt("fox " * 400, "fog"),)), None)
    assert any("FLUX.2 klein reads no negative prompt: 'fog'" in note for note in painter.notes)
    assert any("tokens: FLUX.2 klein reads the first 512" in note for note in painter.notes)
    listening = editor(tiny, "qwen-edit-plus")
    listening.paint(job([picture(1, SIZE)]), None)
    assert listening.notes == ()


def test_it_can_be_stopped_between_two_steps(tiny: Tiny) -> None:
    said: list[str] = []

    def tick(words: str) -> None:
        said.append(words)
        if words.endswith("step 2"):
            raise Cancelled

    with pytest.raises(Cancelled):
        editor(tiny).paint(job([picture(1, SIZE)], tick=tick), None)
    assert said[-2:] == ["painting frame 0, step 1", "painting frame 0, step 2"]


def test_memory_that_runs_out_costs_tiles_first_and_then_the_job(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    painter = editor(tiny)
    wanted, _ = painter.paint(job([picture(1, SIZE)]), None)
    family = type(FAMILIES["klein"])
    paint, left = family.paint, [1]

    def short(self: Any, *arguments: Any) -> np.ndarray:
        if left[0]:
            left[0] -= 1
            raise torch.OutOfMemoryError("CUDA out of memory")
        return paint(self, *arguments)

    monkeypatch.setattr(family, "paint", short)
    made, _ = painter.paint(job([picture(1, SIZE)]), None)
    assert np.array_equal(made[0], wanted[0]), "so small a picture is one tile"
    assert painter.notes[-1] == "the VAE works in tiles, for memory ran out on cpu"
    left[0] = 9
    with pytest.raises(
        PainterError, match="out of memory on cpu, whatever is given up for it: use a smaller resolution"
    ):
        painter.paint(job([picture(1, SIZE)]), None)


def test_tiles_are_kept_with_the_job_and_a_window_is_painted_in_them_or_not(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For pictures depend on them: a job that goes on gives the same as one that was never stopped."""
    family, job_settings = type(FAMILIES["klein"]), RunSettings()
    paint, painted = family.paint, []

    def short(self: Any, pipe: Any, *arguments: Any) -> np.ndarray:
        painted.append(pipe.vae.use_tiling)
        if painted == [False, False]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return paint(self, pipe, *arguments)

    monkeypatch.setattr(family, "paint", short)
    request = job([picture(1, SIZE), picture(2, SIZE)], settings=job_settings)
    editor(tiny).paint(request, None)
    assert painted == [False, False, True, True]
    painted.clear()
    editor(tiny).paint(request, None)
    assert painted == [True, True], "so it goes on"
    painted[:] = [True]
    editor(tiny).paint(replace(request, settings=RunSettings()), None)
    assert painted == [True, False, False], "another job knows nothing of it"


def test_on_a_gpu_networks_take_turns_and_then_layers(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    from restyle.painters.networks import fitting as fittings
    from restyle.painters.networks.machine import Machine
    from restyle.painters.networks.pipelines import Loaded

    class Pipe:
        class vae:
            use_tiling = True

    placed: list[Machine] = []
    monkeypatch.setattr(fittings, "place", lambda pipe, machine: placed.append(machine))
    monkeypatch.setattr(fittings, "release", lambda device: None)
    loaded = Loaded(Pipe(), Machine("cuda", "bfloat16", offload=False, tiles=False))
    fitting = fittings.Fitting(loaded, tell=lambda words: None)

    def work() -> int:
        if len(placed) < 2:
            raise RuntimeError("CUDNN_STATUS_ALLOC_FAILED")
        return 7

    assert fitting(work) == 7
    assert [(one.offload, one.by_layer) for one in placed] == [(True, False), (True, True)]
    with pytest.raises(RuntimeError, match="else"):
        fitting(lambda: (_ for _ in ()).throw(RuntimeError("something else")))


def test_numbers_that_are_none_are_told(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    painter = editor(tiny)
    family = type(FAMILIES["klein"])
    monkeypatch.setattr(family, "paint", lambda self, *_: np.full((64, 96, 3), np.nan, np.float32))
    with pytest.raises(PainterError, match=r"gave numbers that are none \(NaN\) in float32$"):
        painter.paint(job([picture(1, SIZE)]), None)


@pytest.mark.parametrize(
    ("options", "chain", "shares", "inpaints"),
    [
        ({"model": "klein"}, "ends", True, True),
        ({"model": "qwen-edit", "follow": 0.5}, "keys", True, True),
        ({"model": "kontext"}, "keys", False, True),
        ({"model": "longcat-edit"}, "keys", False, False),
        ({"model": "owner/name"}, "keys", False, True),
        ({"model": "klein", "consistency": "none"}, "none", False, True),
    ],
)
def test_capabilities_are_the_familys(options: dict[str, Any], chain: str, shares: bool, inpaints: bool) -> None:
    told = EditPainter(**options).capabilities
    assert (told.chain, told.shares_looks, told.inpaints, told.reads_prompts) == (chain, shares, inpaints, True)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"consistency": "some"}, "consistency is one of anchor, none"),
        ({"steps": 0}, "steps is 1 to 1000"),
        ({"follow": 0}, "follow is more than 0"),
        ({"resolution": 10}, "resolution is 0 or at least 64"),
        ({"dtype": "int8"}, "dtype is one of bfloat16"),
    ],
)
def test_options_that_cannot_be(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        EditPainter(**wrong)
