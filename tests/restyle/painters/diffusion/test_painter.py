"""What makes keyframes one: the same for the same, moved for what moved, and no matter in how many pieces it was painted."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from restyle.errors import Cancelled, PainterError, RecipeError  # noqa: E402
from restyle.job.store import load_carry, save_carry  # noqa: E402
from restyle.painters.base import Anchor, Capabilities, PaintRequest  # noqa: E402
from restyle.painters.diffusion.attention import AttentionCall  # noqa: E402
from restyle.painters.diffusion.options import RENAMED  # noqa: E402
from restyle.painters.diffusion.painter import DiffusionPainter  # noqa: E402
from restyle.registry import make_painter  # noqa: E402
from restyle.types import Carry, TextPrompt  # noqa: E402

from .conftest import OFF, Shift, job, picture  # noqa: E402

MODES = ("none", "anchor-previous", "joint", "trajectory", "woven")


def painter(tiny: Any, **options: Any) -> DiffusionPainter:
    return DiffusionPainter(**{"model": tiny("sd15"), "steps": 4, "resolution": 0, "guidance_scale": 3.0, **options})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_the_same_frames_are_painted_the_same(tiny: Any, mode: str, family: str) -> None:
    net = tiny(f"controlnet-{family}")
    made, _ = painter(
        tiny, model=tiny(family), attention=mode, controls=[{"kind": "canny", "model": net}], schedule="lcm"
    ).paint(job([picture(1)] * 4, controls={"canny": (picture(2),) * 4}), None)
    assert made[0].std() > 5
    for other in made[1:]:
        assert np.abs(made[0].astype(int) - other).max() <= 1


def test_without_the_devices_they_are_not(tiny: Any) -> None:
    made, _ = painter(tiny, **OFF).paint(job([picture(1)] * 2), None)
    assert np.abs(made[0].astype(int) - made[1]).mean() > 5


@pytest.mark.parametrize("schedule", [None, "lcm", "turbo"])
def test_what_moved_is_painted_moved(tiny: Any, schedule: str | None) -> None:
    """Two crops of one picture, 16 pixels apart: one painting, moved by so much, but for borders and what a model of random
    weights makes of them."""
    rough = np.random.default_rng(4).integers(0, 256, (16, 24, 3)).astype(np.float32)
    large = cv2.resize(rough, (144, 96), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    pictures = [np.ascontiguousarray(large[:, at : at + 128]) for at in (0, 16)]
    tracker = Shift((128, 96), (-1.6, 0.0))  # of ten frames

    def apart(**options: Any) -> float:
        made, _ = painter(tiny, schedule=schedule, **options).paint(job(pictures, tracker=tracker), None)
        one, two = (made[0][16:-16, 32:-16].astype(float), made[1][16:-16, 16:-32].astype(float))
        return float(np.abs(one - two).mean() / one.std())

    loose, held = apart(**OFF), apart()
    assert held < 0.35 * loose
    assert apart(warp_noise=False) > 1.5 * held


@pytest.mark.parametrize("mode", MODES)
def test_the_batch_does_not_matter(tiny: Any, mode: str) -> None:
    pictures = [picture(n) for n in range(5)]
    whole, _ = painter(tiny, attention=mode, batch=8).paint(job(pictures), None)
    parts, _ = painter(tiny, attention=mode, batch=1).paint(job(pictures), None)
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(whole, parts, strict=True))


def test_the_keyframe_before_and_what_came_into_view_are_seen_whatever_the_batch(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By keyframes between the ends; the last stays what it is; and what is kept for later calls does not grow."""
    pictures = [picture(n) for n in range(8)]
    moving = Shift((64, 48), (0.6, 0.0))
    request = job(pictures, tracker=moving)
    bare, carry = painter(tiny).paint(request, None)
    kept: list[int] = []
    attend = AttentionCall.attend

    def watched(self: Any, layer: str, *rest: Any) -> Any:
        made = attend(self, layer, *rest)
        kept.append(len({row for row, _ in self.cache[layer]}))
        return made

    monkeypatch.setattr(AttentionCall, "attend", watched)
    for option in ("neighbours", "disoccluded"):
        made, handed_on = painter(tiny, **{option: True}, batch=1).paint(request, None)
        whole, _ = painter(tiny, **{option: True}, batch=8).paint(request, None)
        assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(made, whole, strict=True))
        assert (made[3] != whole[3]).mean() < 0.002
        assert (made[3] != bare[3]).mean() > 0.02, option
        for place in (0, 7):
            assert np.abs(made[place].astype(int) - bare[place]).max() <= 1
        assert np.allclose(carry.arrays["last"], handed_on.arrays["last"], atol=1e-3)
    assert max(kept) <= 4, "of eight the ends, a neighbour, and the one after it"


def windows(pictures: list[np.ndarray], sizes: list[int]) -> list[tuple[list[int], PaintRequest]]:
    """Windows that share their boundary keyframes."""
    made, start = [], 0
    for size in sizes:
        places = list(range(start, start + size))
        made.append(
            (places, job([pictures[n] for n in places], first=10 * start, seeds=tuple(1000 + n for n in places)))
        )
        start += size - 1
    return made


def run(painters: list[DiffusionPainter], pictures: list[np.ndarray], sizes: list[int], tmp_path: Any = None) -> Any:
    """All windows in turn, each by the next of the painters; with a folder, what is handed on goes through files."""
    carry: Carry | None = None
    done: dict[int, np.ndarray] = {}
    for number, (places, request) in enumerate(windows(pictures, sizes)):
        given = {0: done[places[0]]} if places[0] in done else {}
        made, carry = painters[number % len(painters)].paint(replace(request, fixed=given), carry)
        done |= dict(zip(places, made, strict=True))
        if tmp_path is not None:
            save_carry(tmp_path / "carry.npz", carry)
            assert (tmp_path / "carry.npz").stat().st_size < 200_000
            carry = load_carry(tmp_path / "carry.npz")
    return done


@pytest.mark.parametrize(
    "asked",
    [
        *({"attention": mode} for mode in MODES),
        {"schedule": "lcm"},
        {"pixel_fusion": 0.5, "own_weight": 0.5, "neighbours": True, "disoccluded": True},
    ],
    ids=str,
)
def test_a_run_whole_is_the_run_resumed_at_any_window(tiny: Any, asked: dict[str, Any], tmp_path: Any) -> None:
    pictures = [picture(n) for n in range(7)]
    whole = run([painter(tiny, **asked)], pictures, [3, 3, 3])
    pieces = run([painter(tiny, **asked) for _ in range(3)], pictures, [3, 3, 3], tmp_path)
    assert all(np.array_equal(whole[n], pieces[n]) for n in whole)


@pytest.mark.parametrize(
    "options",
    [{}, {"warp_noise": False}, {"start": "inversion"}, {"start": "inversion", "warp_noise": False}],
    ids=["warped noise", "noise of its own", "inverted", "inverted, not warped"],
)
def test_all_windows_see_the_anchor_and_the_shared_keyframe_from_the_noise_they_were_painted_with(
    tiny: Any, options: dict[str, Any]
) -> None:
    one = painter(tiny, **options)
    sampler = one.ready(job([picture(0)])).sampler
    seen: list[Any] = []
    paint = sampler.paint
    sampler.paint = lambda window: (seen.append(window), paint(window))[1]  # type: ignore[method-assign]
    run([one], [picture(n) for n in range(5)], [2, 2, 3])
    anchor, first = seen[0].inputs[0].noise, seen[1].inputs[1].noise
    assert [window.rows.earlier_anchor for window in seen] == [False, True, True]
    assert all(torch.equal(window.inputs[0].noise, anchor) for window in seen)
    assert torch.equal(first, seen[0].inputs[1].noise), "the second window's first is the first's last"
    assert torch.equal(seen[2].inputs[1].noise, seen[1].inputs[2].noise)
    assert not torch.equal(anchor, seen[0].inputs[1].noise) or not options


@pytest.mark.parametrize("kind", ["sd15", "sd15-inpaint"])
@pytest.mark.parametrize("another_shot", [False, True])
def test_what_is_looked_at_runs_as_it_was_painted(tiny: Any, kind: str, another_shot: bool, tmp_path: Any) -> None:
    """With its maps, its mask and guidance; but for another shot's anchor, of which there are no maps."""
    matte = np.zeros((48, 64), np.float32)
    matte[8:40, 16:56] = 1
    one = painter(tiny, model=tiny(kind), controls=[{"kind": "canny", "model": tiny("controlnet-sd15")}], batch=8)
    more: dict[str, Any] = {"mattes": (matte,) * 2}
    if another_shot:
        more["anchor"] = Anchor(picture(9), picture(8))
    requests = [
        job([picture(n), picture(n + 1)], first=10 * n, controls={"canny": (picture(50 + n), picture(51 + n))}, **more)
        for n in range(2)
    ]
    sampler = one.ready(requests[0]).sampler
    seen: list[Any] = []
    calls: list[tuple[int, bool, bool]] = []
    paint, denoise = sampler.paint, sampler._denoise
    sampler.paint = lambda window: (seen.append(window), paint(window))[1]  # type: ignore[method-assign]
    sampler._denoise = lambda inputs, *rest, guided, maps: (  # type: ignore[assignment]
        calls.append((len(inputs), guided, maps)), denoise(inputs, *rest, guided=guided, maps=maps))[1]  # fmt: skip
    made, carry = one.paint(requests[0], None)
    save_carry(tmp_path / "carry.npz", carry)
    calls.clear()
    one.paint(replace(requests[1], fixed={0: made[1]}), load_carry(tmp_path / "carry.npz"))
    first, later = seen[0].inputs, seen[1].inputs
    shared = 2 if another_shot else 1
    assert torch.equal(later[1].maps[0], first[shared].maps[0])
    if another_shot:
        assert later[0].maps == ()
        assert calls[:3] == [(1, True, False), (1, True, True), (1, True, True)]
        return
    assert torch.equal(later[0].maps[0], first[0].maps[0])
    assert calls[:2] == [(2, True, True), (1, True, True)]
    if kind == "sd15-inpaint":
        for row, wanted in ((later[0], first[0]), (later[1], first[1])):
            assert torch.equal(row.inpaint.mask, wanted.inpaint.mask)
            assert torch.allclose(row.inpaint.masked, wanted.inpaint.masked, atol=0.1)


def test_a_change_within_a_window_stays_there_and_one_at_its_end_goes_on(tiny: Any) -> None:
    pictures = [picture(n) for n in range(5)]
    before = run([painter(tiny)], pictures, [3, 3])
    inner = run([painter(tiny)], [pictures[0], picture(77), *pictures[2:]], [3, 3])
    assert [n for n in before if not np.array_equal(before[n], inner[n])] == [1]
    end = run([painter(tiny)], [*pictures[:2], picture(78), *pictures[3:]], [3, 3])
    assert [n for n in before if not np.array_equal(before[n], end[n])] == [1, 2, 3, 4]


def test_rows_that_are_looked_at_are_computed_every_second_of_many_steps(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from restyle.painters.diffusion import sampling

    pictures = [picture(n) for n in range(7)]

    def painted(steps: int, every: int) -> tuple[np.ndarray, int]:
        monkeypatch.setattr(sampling, "REFRESH_EVERY", every)
        one = painter(tiny, steps=steps)
        models = one.ready(job([picture(0)])).models
        calls: list[Any] = []
        models.pipe.unet.mid_block.register_forward_hook(lambda *_: calls.append(None))
        made = run([one], pictures, [3, 3, 3])
        return np.stack([made[n] for n in range(3, 7)]).astype(int), len(calls)

    (exact, every), (close, fewer) = painted(12, 1), painted(12, 2)
    assert every - fewer == 2 * 6, "half of twelve steps, in each of the two windows that hold some"
    assert np.abs(exact - close).mean() < 0.5
    assert painted(8, 1)[1] == painted(8, 2)[1], "few steps differ too much from each other"


def test_paintings_by_hand_come_back_and_the_others_follow(tiny: Any) -> None:
    pictures = [picture(n) for n in range(3)]
    by_hand = np.full_like(pictures[0], (200, 30, 30))
    made, _ = painter(tiny).paint(job(pictures, fixed={0: by_hand}), None)
    plain, _ = painter(tiny).paint(job(pictures), None)
    assert np.array_equal(made[0], by_hand)
    assert np.abs(made[1].astype(int) - plain[1]).mean() > 2
    assert np.abs(made[1].mean((0, 1)) - (200, 30, 30)).sum() < np.abs(plain[1].mean((0, 1)) - (200, 30, 30)).sum()


def test_colours_are_held_to_the_anchors(tiny: Any) -> None:
    """In latents, where they are held: the mean and spread of each channel."""

    def apart(**options: Any) -> float:
        _, carry = painter(tiny, attention="none", shape_until=0.0, **options).paint(
            job([picture(1), picture(2)]), None
        )
        one, two = carry.arrays["anchor"], carry.arrays["last"]
        return float(
            np.abs(one.mean((1, 2)) - two.mean((1, 2))).sum() + np.abs(one.std((1, 2)) - two.std((1, 2))).sum()
        )

    assert apart(colour_from=0.7) < 0.3 * apart(colour_from=1.0)


@pytest.mark.parametrize("mode", ["woven", "joint", "anchor-previous"])
def test_the_look_of_another_shot_is_taken_over(tiny: Any, mode: str) -> None:
    """Whatever the anchor's size; also in the windows after the first. In latents, where colours are held."""
    anchor = Anchor(picture(9, (90, 60)), np.full((60, 90, 3), (200, 30, 30), np.uint8))
    first, later = job([picture(1), picture(2)]), job([picture(2), picture(3)], first=10)

    def paint(given: Anchor | None) -> list[Carry]:
        painting, carry = painter(tiny, attention=mode, colour_from=0.7).paint(replace(first, anchor=given), None)
        more = replace(later, anchor=given, fixed={0: painting[-1]})
        return [carry, painter(tiny, attention=mode, colour_from=0.7).paint(more, carry)[1]]

    joined, alone = paint(anchor), paint(None)
    wanted = joined[0].arrays["anchor"]

    def off(carry: Carry) -> float:
        last = carry.arrays["last"]
        return float(
            np.abs(last.mean((1, 2)) - wanted.mean((1, 2))).sum() + np.abs(last.std((1, 2)) - wanted.std((1, 2))).sum()
        )

    assert np.array_equal(joined[1].arrays["anchor"], wanted)
    for with_anchor, without in zip(joined, alone, strict=True):
        assert off(with_anchor) < 0.5 * off(without)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("size", [(64, 48), (61, 45), (9, 130)])
def test_any_size_and_depth(tiny: Any, dtype: str, size: tuple[int, int]) -> None:
    one = picture(5, size)
    if dtype == "uint16":
        one = one.astype(np.uint16) * 257
    elif dtype == "float32":
        one = one.astype(np.float32) / 255
        one[0, 0] = np.nan
    made, _ = painter(tiny, strength=0.0).paint(job([one], tracker=Shift(size)), None)
    assert (made[0].shape, made[0].dtype) == (one.shape, one.dtype)
    assert np.isfinite(made[0].astype(float)).all()


def test_words_weigh(tiny: Any) -> None:
    def said(*prompts: TextPrompt) -> np.ndarray:
        return painter(tiny, **OFF).paint(job([picture(1)], prompts=prompts), None)[0][0]

    plain = said(TextPrompt("a red car", "fog"))
    assert not np.array_equal(plain, said(TextPrompt("a blue boat", "fog")))
    assert not np.array_equal(plain, said(TextPrompt("a red car", "rain")))
    assert not np.array_equal(plain, said(TextPrompt("a (red)1.6 car", "fog")))


def test_few_at_once_when_memory_runs_out(tiny: Any) -> None:
    """The first calls with more than two rows fail as CUDA does."""
    pictures = [picture(n) for n in range(5)]
    wanted, _ = painter(tiny, batch=8).paint(job(pictures), None)
    told: list[str] = []
    short = painter(tiny, batch=8)
    request = job(pictures, tick=told.append)
    models = short.ready(request).models
    forward = models.pipe.unet.forward

    def failing(sample: Any, *rest: Any, **more: Any) -> Any:
        if len(sample) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(sample, *rest, **more)

    models.pipe.unet.forward = failing
    made, _ = short.paint(request, None)
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(made, wanted, strict=True))
    assert any("out of memory with 5 keyframes at once; going on with 2" in line for line in told)
    models.pipe.unet.forward = lambda *_, **__: (_ for _ in ()).throw(torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(PainterError, match="offload=true"):
        short.paint(request, None)


@pytest.mark.parametrize(
    "words", ["MPS backend out of memory (MPS allocated: 9 GB)", "CUBLAS_STATUS_ALLOC_FAILED when calling"]
)
def test_rows_that_are_held_are_computed_one_by_one_when_memory_runs_out(tiny: Any, words: str) -> None:
    """In a second window the anchor and the shared keyframe are."""
    pictures = [picture(n) for n in range(3)]
    wanted = run([painter(tiny, batch=8, guidance_scale=1.0)], pictures, [2, 2])
    short = painter(tiny, batch=8, guidance_scale=1.0)
    models = short.ready(job([picture(0)])).models
    forward = models.pipe.unet.forward

    def failing(sample: Any, *rest: Any, **more: Any) -> Any:
        if len(sample) > 1:
            raise RuntimeError(words)
        return forward(sample, *rest, **more)

    models.pipe.unet.forward = failing
    made = run([short], pictures, [2, 2])
    assert all(np.abs(made[n].astype(int) - wanted[n]).max() <= 1 for n in wanted)
    assert short.ready(job([picture(0)])).limits.rows == 1


def test_numbers_that_are_none_are_told(tiny: Any) -> None:
    bad = painter(tiny)
    models = bad.ready(job([picture(1)])).models
    with torch.no_grad():
        models.pipe.unet.conv_out.bias.fill_(float("nan"))
    with pytest.raises(PainterError, match="dtype=float32"):
        bad.paint(job([picture(1)]), None)


def test_it_can_be_stopped_between_steps(tiny: Any) -> None:
    told: list[str] = []

    def tick(text: str) -> None:
        told.append(text)
        if "step 2" in text:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        painter(tiny).paint(job([picture(1)] * 2, tick=tick), None)
    assert not any("step 3" in line for line in told)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"attention": "jiont"}, "attention is one of"),
        ({"preset": "wild"}, "adhere, flex, reimagine"),
        ({"strength": 1.5}, "strength is 0 to 1"),
        ({"controls": [{"kind": "canny", "wieght": 1}]}, "no field 'wieght'"),
        ({"resolution": 5}, "at least 64"),
        ({"schedule": "fast"}, "lcm, turbo"),
    ],
)
def test_wrong_options_are_one_line(options: dict[str, Any], says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        DiffusionPainter(**options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"steps": 20, "strength": 0.01},
            r"DDIMScheduler cannot make a schedule of 2000 steps, which 20 steps .* strength of 0.01",
        ),
        ({"schedule": "lcm", "schedule_steps": 60}, "LCMScheduler cannot make a schedule of 60 steps"),
        ({"schedule": "tcd", "steps": 40}, "TCDScheduler cannot make a schedule of 67 steps"),
        ({"schedule": "hyper", "schedule_steps": 4, "steps": 2}, "steps .* and schedule_steps .* leave one out"),
    ],
)
def test_steps_that_cannot_be_made_are_one_line(tiny: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        DiffusionPainter(model=tiny("sd15"), **options).ready(job([picture(0)]))


def test_so_many_steps_are_made_of_the_schedule(tiny: Any) -> None:
    def made(**options: Any) -> tuple[int, int, float]:
        models = DiffusionPainter(model=tiny("sd15"), **options).ready(job([picture(0)])).models
        return models.steps, models.schedule_steps, models.eta

    assert made() == (20, 33, 0.0)
    assert made(schedule="hyper") == (5, 8, 0.0)
    assert made(schedule="lightning", schedule_steps=4, strength=1.0) == (4, 4, 0.0)
    assert made(schedule="turbo", steps=3) == (3, 5, 0.0)
    assert made(schedule="tcd") == (5, 8, 0.3)
    assert made(schedule="tcd", schedule_steps=1) == (1, 1, 1.0)


def test_colours_are_held_in_the_last_of_few_steps(tiny: Any) -> None:
    def paint(colour_from: float) -> np.ndarray:
        one = painter(tiny, attention="none", shape_until=0.0, schedule="hyper", schedule_steps=4, steps=None, strength=0.5,
                      colour_from=colour_from)  # fmt: skip
        return one.paint(job([picture(1), picture(2)]), None)[0][1]

    assert not np.array_equal(paint(0.8), paint(1.0))


def test_old_names_of_options_still_load_with_a_note(tiny: Any) -> None:
    old = {
        "denoise": 0.5, "guidance": 3, "longest": 0, "look": "adhere", "move_noise": False, "trails_until": 0.1,
    }  # fmt: skip
    loaded = make_painter("diffusion", {"model": tiny("sd15"), **old})
    assert isinstance(loaded, DiffusionPainter)
    assert loaded.options == DiffusionPainter(
        model=tiny("sd15"), strength=0.5, guidance_scale=3.0, resolution=0, preset="adhere", warp_noise=False,
        trajectories_until=0.1,
    ).options  # fmt: skip
    assert loaded.notes == tuple(f"painter option {name} is called {RENAMED[name]} now" for name in old)
    assert painter(tiny).notes == ()
    with pytest.raises(RecipeError, match="painter option longest is called resolution now, and both are given"):
        make_painter("diffusion", {"longest": 64, "resolution": 64})
    with pytest.raises(RecipeError, match=r"option warp_noise: .*, got 'many'"):
        make_painter("diffusion", {"move_noise": "many"})


def test_its_capabilities_follow_from_its_options(tiny: Any) -> None:
    controls = [{"kind": "canny"}, {"kind": "depth"}]
    wanted = Capabilities(
        cost=400.0, reads_prompts=True, controls=("canny", "depth"), inpaints=True, shares_looks=True, chain="ends"
    )
    assert painter(tiny, controls=controls).capabilities == wanted
    chains = {mode: painter(tiny, attention=mode).capabilities.chain for mode in MODES}
    assert {mode for mode, chain in chains.items() if chain == "keys"} == {"anchor-previous", "joint"}


def test_memory_does_not_grow_with_the_number_of_keyframes(tiny: Any) -> None:
    """Bytes of all tensors that are alive, looked at in each of the UNet's calls: 8 keyframes in two windows, 64 in sixteen;
    and 8 against 32 in one window but for what each keyframe's own latents take. What lived before is frozen, hence unseen by
    ``gc.get_objects``, and garbage in cycles is collected before each look: neither is the run's own."""

    def alive() -> int:
        gc.collect()
        held = {
            t.untyped_storage().data_ptr(): t.untyped_storage().nbytes()
            for t in gc.get_objects()
            if type(t) in (torch.Tensor, torch.nn.Parameter)
        }
        return sum(held.values())

    def peak(count: int, window: int) -> int:
        gc.collect()
        gc.freeze()
        try:
            one = painter(tiny, batch=2)
            models = one.ready(job([picture(0)])).models
            seen: list[int] = []
            models.pipe.unet.mid_block.register_forward_hook(lambda *_: seen.append(alive()))
            run([one], [picture(n % 3) for n in range(count)], [window] * ((count - 1) // (window - 1)))
        finally:
            gc.unfreeze()
        return max(seen)

    few, many = peak(9, 5), peak(65, 5)
    assert many <= 1.02 * few
    assert peak(33, 33) <= 1.1 * peak(9, 9)
