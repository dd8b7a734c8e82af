from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restyle.planning.shots import CutFinder, shots_between


def scene(seed: int) -> np.ndarray:
    """A picture of large coloured patches."""
    random = np.random.default_rng(seed)
    return random.integers(20, 255, (6, 8, 3), np.uint8).repeat(12, 0).repeat(16, 1)


def panned(picture: np.ndarray, frames: int) -> list[np.ndarray]:
    return [np.roll(picture, 3 * number, axis=1) for number in range(frames)]


def find(frames: list[np.ndarray]) -> tuple[dict[int, str], int]:
    """Cuts, and the most frames that any of them was late."""
    finder = CutFinder(Fraction(24))
    cuts: dict[int, str] = {}
    late = 0
    for index, frame in enumerate(frames):
        found = finder.push(index, frame)
        late = max([late, *(index - cut for cut, kind in found.items() if kind == "cut")])
        cuts.update(found)
    cuts.update(finder.finish(len(frames) - 1))
    return cuts, late


def test_hard_cuts_are_found_at_their_frame_and_in_time() -> None:
    frames = panned(scene(1), 30) + panned(scene(2), 24) + panned(scene(3), 40)
    cuts, late = find(frames)
    assert cuts == {30: "cut", 54: "cut"}
    assert late <= CutFinder.LAG


def test_fast_camera_motion_is_no_cut() -> None:
    frames = [np.roll(scene(1), 9 * number, axis=1) for number in range(60)]
    assert find(frames)[0] == {}


def test_a_fade_through_black_begins_a_shot_in_the_dark() -> None:
    down = [(scene(1) * (1 - step / 12)).astype(np.uint8) for step in range(13)]
    up = [(scene(2) * (step / 12)).astype(np.uint8) for step in range(13)]
    frames = panned(scene(1), 24) + down + [np.zeros_like(scene(1))] * 6 + up + panned(scene(2), 24)
    cuts, _ = find(frames)
    assert "fade" in cuts.values()
    (at,) = [cut for cut, kind in cuts.items() if kind == "fade"]
    assert 24 + 8 <= at <= 24 + 13 + 6 + 5


@given(st.integers(0, 50), st.integers(1, 200), st.sets(st.integers(0, 300)))
def test_shots_tile_the_span(start: int, length: int, cuts: set[int]) -> None:
    stop = start + length
    shots = shots_between(start, stop, cuts)
    assert [shot.index for shot in shots] == list(range(len(shots)))
    assert shots[0].start == start
    assert shots[-1].stop == stop
    assert all(a.stop == b.start for a, b in pairwise(shots))
    assert {shot.start for shot in shots[1:]} == {cut for cut in cuts if start < cut < stop}


def test_a_shot_holds_a_frame() -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        shots_between(4, 4, {})
