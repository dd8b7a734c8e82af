"""Connected components and holes of a cut: those that belong to the object stay."""

from __future__ import annotations

import numpy as np

from controls.masks.flowcut.components import drop_stray_components, fill_holes
from controls.masks.flowcut.params import ComponentParams

PARAMS = ComponentParams()


def _square(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    matte = np.zeros((80, 100), np.float32)
    for left, top, right, bottom in boxes:
        matte[top:bottom, left:right] = 1
    return matte


def test_a_component_of_the_same_colours_that_lies_apart_is_dropped() -> None:
    trunk, door = (10, 10, 40, 70), (60, 20, 75, 50)
    matte = _square(trunk, door)
    assert np.array_equal(drop_stray_components(matte, np.zeros_like(matte), PARAMS), _square(trunk))


def test_a_component_beside_the_object_or_moving_with_it_stays() -> None:
    trunk, beyond_a_post, leaf, basket = (10, 10, 40, 70), (46, 20, 64, 60), (41, 62, 45, 70), (70, 50, 90, 60)
    evidence = _square(basket) * np.float32(0.3)
    kept = drop_stray_components(_square(trunk, beyond_a_post, leaf, basket), evidence, PARAMS)
    assert np.array_equal(kept, _square(trunk, beyond_a_post, leaf, basket))


def test_nothing_is_dropped_from_a_single_component_or_from_nothing() -> None:
    for matte in (_square((10, 10, 40, 70)), _square()):
        assert np.array_equal(drop_stray_components(matte, np.zeros_like(matte), PARAMS), matte)


def test_a_window_that_goes_along_is_filled_and_what_shows_between_two_legs_is_not() -> None:
    whole = _square((10, 10, 90, 70))
    window, gap, speck = (20, 20, 40, 40), (50, 40, 70, 60), (80, 20, 83, 23)
    matte = whole - _square(window, gap, speck)
    evidence = _square(window) * np.float32(0.3) - _square(gap) * np.float32(0.3)
    assert np.array_equal(fill_holes(matte, evidence, PARAMS), whole - _square(gap))


def test_a_bay_is_not_a_hole() -> None:
    matte = _square((10, 0, 90, 70)) - _square((30, 0, 50, 20))
    assert np.array_equal(fill_holes(matte, np.ones_like(matte), PARAMS), matte)
