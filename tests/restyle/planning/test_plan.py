from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restyle.errors import RecipeError
from restyle.planning.plan import LONGEST_GAP, WINDOW_BYTES, Analysis, Plan, make_plan
from restyle.recipe import Recipe
from restyle.types import FootageSpec, Keyframe


def spec(width: int = 64, height: int = 48, dtype: str = "uint8") -> FootageSpec:
    return FootageSpec(
        "a.mp4", "video", width, height, dtype, 8, Fraction(24), Fraction(1, 24), None, "h264", "yuv420p"
    )  # type: ignore[arg-type]


def analysis(stop: int, *, start: int = 0, cuts: dict | None = None, keys: tuple[int, ...] = ()) -> Analysis:
    return Analysis(
        start=start,
        stop=stop,
        pts=tuple(range(stop)),
        cuts=dict.fromkeys(cuts or {}, "cut"),
        keys=tuple(Keyframe(frame, "coverage") for frame in keys),
        coverage=(),
        moved=(),
        seconds=1.0,
    )


def check(plan: Plan, start: int, stop: int) -> None:
    """What holds of every plan."""
    keys = {key.frame for key in plan.keyframes}
    covered: list[int] = []
    for window in plan.windows:
        shot = plan.shots[window.shot]
        assert shot.start <= window.start
        assert window.stop <= shot.stop
        assert all(key.frame in keys for key in window.keys)
        assert all(shot.start <= key.frame < shot.stop for key in window.keys)
        assert {k.frame for k in window.keys} == {k for k in keys if window.start <= k <= window.last}
        covered.extend(range(window.start, window.stop))
    assert covered == list(range(start, stop))
    for a, b in pairwise(plan.windows):
        if a.shot == b.shot:
            assert (b.index, a.keys[-1].frame, b.keys[0].frame) == (a.index + 1, a.stop, b.start)
        else:
            assert b.index == 0


@given(
    start=st.integers(0, 30),
    length=st.integers(1, 400),
    cuts=st.sets(st.integers(0, 430), max_size=8),
    keys=st.sets(st.integers(0, 429), max_size=40),
    mode=st.sampled_from(["auto", "every:7", "every:100", "list"]),
)
def test_windows_tile_every_shot_and_share_their_border(start, length, cuts, keys, mode) -> None:
    stop = start + length
    inside = tuple(sorted(key for key in keys if start <= key < stop))
    recipe = Recipe(keyframes=inside if mode == "list" else mode)
    found = analysis(stop, start=start, cuts=dict.fromkeys(cuts), keys=inside)
    check(make_plan(spec(), recipe, found), start, stop)


def test_a_plan_is_the_same_twice_and_prints_as_json() -> None:
    found = analysis(100, cuts={40: "cut"}, keys=(12, 60))
    one, two = (make_plan(spec(), Recipe(), found) for _ in range(2))
    assert one == two
    assert json.loads(json.dumps(one.to_json()))["windows"][0] == {
        "shot": 0,
        "index": 0,
        "start": 0,
        "stop": 40,
        "keys": [0, 12, 39],
    }


def test_pinned_keyframes_are_the_only_ones_and_need_not_open_the_shot() -> None:
    plan = make_plan(spec(), Recipe(keyframes=(10, 30)), analysis(50))
    assert [(key.frame, key.reason) for key in plan.keyframes] == [(10, "pinned"), (30, "pinned")]
    assert plan.windows[0].start == 0


def test_a_shot_without_a_pinned_keyframe_gets_its_first_frame() -> None:
    plan = make_plan(spec(), Recipe(keyframes=(10,)), analysis(50, cuts={20: "cut"}))
    assert [(key.frame, key.reason) for key in plan.keyframes] == [(10, "pinned"), (20, "start")]


def test_a_storyboard_picture_is_a_keyframe(tmp_path) -> None:
    plan = make_plan(spec(), Recipe(storyboard={7: "seven.png"}), analysis(20, keys=(12,)))
    assert [(key.frame, key.reason) for key in plan.keyframes] == [
        (0, "start"),
        (7, "storyboard"),
        (12, "coverage"),
        (19, "end"),
    ]


@pytest.mark.parametrize("recipe", [Recipe(keyframes=(5, 99)), Recipe(storyboard={99: "x.png"})])
def test_a_frame_that_is_not_there_is_refused(recipe: Recipe) -> None:
    with pytest.raises(RecipeError, match=r"frame 99 lies outside of the footage's frames 0 to 49"):
        make_plan(spec(), recipe, analysis(50))


def test_few_frames_may_hang_on_one_keyframe() -> None:
    plan = make_plan(spec(), Recipe(), analysis(20, keys=(16,)))
    assert [(key.frame, key.reason) for key in plan.keyframes] == [(0, "start"), (16, "coverage")]


def test_given_cuts_and_no_cuts() -> None:
    found = analysis(50, cuts={20: "cut"})
    assert [s.start for s in make_plan(spec(), Recipe(cuts="none"), found).shots] == [0]
    shots = make_plan(spec(), Recipe(cuts=(10, 30)), found).shots
    assert [(s.start, s.begins) for s in shots] == [(0, "start"), (10, "given"), (30, "given")]


def test_no_gap_outgrows_memory_however_keyframes_were_asked_for() -> None:
    plan = make_plan(spec(), Recipe(keyframes=(0,)), analysis(2000))
    marks = [key.frame for key in plan.keyframes] + [2000]
    assert max(b - a for a, b in pairwise(marks)) <= LONGEST_GAP
    huge = spec(7680, 4320, "uint16")
    plan = make_plan(huge, Recipe(keyframes="every:500"), analysis(100))
    held = max(window.last - window.start + 1 for window in plan.windows)
    assert held * 7680 * 4320 * 6 <= 2 * WINDOW_BYTES


def test_the_estimate_grows_with_keyframes() -> None:
    few, many = (make_plan(spec(), Recipe(keyframes=f"every:{n}"), analysis(100), key_cost=40) for n in (50, 2))
    assert many.seconds > 3 * few.seconds > 0
