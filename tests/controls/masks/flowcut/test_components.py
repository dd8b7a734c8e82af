"""Which islands and holes of a cut belong to the object."""

from __future__ import annotations

import numpy as np

from controls.masks.flowcut.components import filled, hanging_together


def _square(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    seen = np.zeros((80, 100), np.float32)
    for left, top, right, bottom in boxes:
        seen[top:bottom, left:right] = 1
    return seen


def test_a_piece_of_the_same_colours_that_lies_apart_is_dropped() -> None:
    trunk, door = (10, 10, 40, 70), (60, 20, 75, 50)
    seen = _square(trunk, door)
    assert np.array_equal(hanging_together(seen, np.zeros_like(seen)), _square(trunk))


def test_a_piece_beside_the_object_or_moving_with_it_stays() -> None:
    trunk, beyond_a_post, leaf, basket = (10, 10, 40, 70), (46, 20, 64, 60), (41, 62, 45, 70), (70, 50, 90, 60)
    told = _square(basket) * np.float32(0.3)
    kept = hanging_together(_square(trunk, beyond_a_post, leaf, basket), told)
    assert np.array_equal(kept, _square(trunk, beyond_a_post, leaf, basket))


def test_nothing_is_dropped_from_a_single_piece_or_from_nothing() -> None:
    for seen in (_square((10, 10, 40, 70)), _square()):
        assert np.array_equal(hanging_together(seen, np.zeros_like(seen)), seen)


def test_a_window_that_goes_along_is_filled_and_what_shows_between_two_legs_is_not() -> None:
    whole = _square((10, 10, 90, 70))
    window, gap, speck = (20, 20, 40, 40), (50, 40, 70, 60), (80, 20, 83, 23)
    seen = whole - _square(window, gap, speck)
    told = _square(window) * np.float32(0.3) - _square(gap) * np.float32(0.3)
    assert np.array_equal(filled(seen, told), whole - _square(gap))


def test_a_bay_is_not_a_hole() -> None:
    seen = _square((10, 0, 90, 70)) - _square((30, 0, 50, 20))
    assert np.array_equal(filled(seen, np.ones_like(seen)), seen)
