"""Frames that repeat the one before them."""

from __future__ import annotations

import numpy as np
from clips import moving_frames, texture

from restyle.retiming.repeats import MOST, without_repeats
from restyle.types import Frame

PICTURES = moving_frames(40, (96, 64), shift=(3, 1))


def kept(numbers: list[int], cuts: tuple[int, ...] = (), noise: int = 0) -> list[int]:
    """Which frames are left of a footage that shows the pictures of those numbers."""
    rng = np.random.default_rng(0)
    frames = []
    for index, number in enumerate(numbers):
        picture = PICTURES[number].astype(int) + (rng.integers(-noise, noise + 1, PICTURES[0].shape) if noise else 0)
        frames.append(Frame(index, index, np.clip(picture, 0, 255).astype(np.uint8)))
    return [frame.index for frame in without_repeats(frames, cuts)]


def test_ordinary_footage_is_left_as_it_is() -> None:
    assert kept(list(range(20))) == list(range(20))
    assert kept([3]) == [0]
    assert list(without_repeats([])) == []


def test_drawings_on_twos_threes_and_fours_are_taken_once() -> None:
    for repeats in (2, 3, 4):
        shown = [n for n in range(8) for _ in range(repeats)]
        last = len(shown) - repeats  # after the last drawing nothing moves: it stands
        assert kept(shown) == [*range(0, last, repeats), *range(last, len(shown))]


def test_what_a_codec_does_to_a_repeat_does_not_hide_it() -> None:
    assert kept([0, 0, 1, 1, 2, 2, 3], noise=1) == [0, 2, 4, 6]


def test_a_single_stutter_is_mended() -> None:
    assert kept([0, 1, 2, 2, 3, 4]) == [0, 1, 2, 4, 5]


def test_a_picture_that_stands_is_left_standing() -> None:
    shown = [0, 1, *[2] * (MOST + 2), 3, 4]
    assert kept(shown) == list(range(len(shown)))


def test_nothing_is_taken_across_a_cut() -> None:
    assert kept([0, 1, 1, 20, 21, 22], cuts=(3,)) == [0, 1, 2, 3, 4, 5]
    assert kept([0, 1, 1, 1, 2, 3], cuts=(2,)) == [0, 1, 2, 4, 5]


def test_a_slow_fade_is_no_repeat() -> None:
    base = texture(64, 96)
    frames = [Frame(t, t, np.round(base * (100 + t)).astype(np.uint8)) for t in range(12)]
    assert [frame.index for frame in without_repeats(frames)] == list(range(12))
