"""What is drawn on a frame lies where it is."""

from __future__ import annotations

import numpy as np
import pytest

from controls.types import Box, Matte, Point, Prompted, Text
from restyle.quality.overlay import COLOURS, grid_step, overlay

GREY = np.full((60, 100, 3), 90, np.uint8)


def changed(shown: np.ndarray) -> tuple[int, int, int, int]:
    y, x = np.nonzero((shown != 90).any(axis=2))
    return int(x.min()), int(y.min()), int(x.max()), int(y.max())


def test_a_point_is_drawn_on_its_place_in_its_objects_colour() -> None:
    for positive in (True, False):
        prompts = [Prompted("car", 0, Point(70, 40, positive))]
        shown = overlay(GREY, long_side=200, prompts=prompts, names=["dog", "car"], grid=False)
        assert shown.shape == (120, 200, 3)
        assert tuple(shown[81, 141]) == COLOURS[1]
        assert tuple(shown[20, 20]) == (90, 90, 90)


def test_a_box_is_drawn_round_what_it_holds() -> None:
    shown = overlay(GREY, long_side=400, prompts=[Prompted("car", 0, Box(20, 10, 60, 50))], names=["car"], grid=False)
    left, top, right, bottom = changed(shown)
    assert (left, top, right, bottom) == pytest.approx((82, 42, 242, 202), abs=4)
    assert tuple(shown[150, 160]) == (90, 90, 90), "it is empty"


def test_mattes_are_tinted_and_drawn_ones_outlined() -> None:
    matte = np.zeros((60, 100), np.float32)
    matte[20:40, 30:50] = 1
    tinted = overlay(GREY, long_side=100, mattes={"car": matte}, names=["car"], grid=False)
    assert changed(tinted) == (30, 20, 49, 39)
    assert tinted[30, 40, 0] > 120
    outlined = overlay(GREY, long_side=100, prompts=[Prompted("car", 0, Matte(matte))], names=["car"], grid=False)
    assert tuple(outlined[30, 40]) == (90, 90, 90)
    assert (outlined[30, 28:33] != 90).any()
    assert np.array_equal(overlay(GREY, long_side=100, prompts=[Prompted("car", 0, Text("car"))], grid=False), GREY)


def test_the_grid_lies_on_round_coordinates() -> None:
    shown = overlay(GREY, long_side=400, grid=True)
    lines = np.flatnonzero(shown[200, :, 0] > 100)
    assert {round(line / 4) for line in lines} >= {10, 20, 50, 90}
    assert not set(range(44, 78)) & set(lines.tolist()), "between two lines there is none"
    assert [grid_step(side) for side in (10, 64, 100, 640, 1920, 4096)] == [1, 10, 10, 100, 200, 500]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_depth_can_be_looked_at(dtype: type) -> None:
    white = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    shown = overlay(np.full((30, 40, 3), white, dtype), long_side=40, grid=False)
    assert shown.dtype == np.uint8
    assert (shown == 255).all()
