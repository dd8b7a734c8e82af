from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restyle.composite import LUMA, blend, keep_colour

DEPTHS = [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)]


def pictures(dtype: type, white: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    a, b = random.random((2, 20, 30, 3)) * white
    return a.astype(dtype), b.astype(dtype)


@pytest.mark.parametrize(("dtype", "white"), DEPTHS)
def test_strength_runs_from_the_source_to_the_painting(dtype: type, white: float) -> None:
    source, painting = pictures(dtype, white)
    assert np.array_equal(blend(source, painting, 0), source)
    assert np.array_equal(blend(source, painting, 1), painting)
    half = blend(source, painting, 0.25)
    assert half.dtype == dtype
    wanted = source.astype(np.float64) * 0.75 + painting.astype(np.float64) * 0.25
    assert np.abs(half - wanted).max() <= (1e-6 if dtype is np.float32 else 0.5001)


@pytest.mark.parametrize(("dtype", "white"), DEPTHS)
def test_keeping_colour_takes_luma_from_the_painting_and_hue_from_the_source(dtype: type, white: float) -> None:
    source, painting = pictures(dtype, white)
    kept = keep_colour(source, painting)
    assert kept.dtype == dtype
    luma = kept.astype(np.float64) @ LUMA
    assert np.abs(luma - painting.astype(np.float64) @ LUMA).max() <= (1e-5 if dtype is np.float32 else 0.51)


@given(st.tuples(*[st.integers(0, 255)] * 3), st.integers(0, 255))
def test_keeping_colour_never_turns_the_hue(colour: tuple[int, int, int], grey: int) -> None:
    source = np.array([[colour]], np.uint8)
    painting = np.full((1, 1, 3), grey, np.uint8)
    kept = keep_colour(source, painting)[0, 0].astype(np.float64)
    before = np.array(colour, np.float64) - np.array(colour) @ LUMA
    after = kept - kept @ LUMA
    cross = np.linalg.norm(np.cross(before, after))
    assert cross <= 1.5 * np.linalg.norm(before) + 1e-6  # parallel, up to rounding
    assert before @ after >= -1.5 * np.linalg.norm(before)


def test_a_grey_source_stays_grey() -> None:
    source = np.full((4, 4, 3), 90, np.uint8)
    painting = np.full((4, 4, 3), (200, 30, 10), np.uint8)
    kept = keep_colour(source, painting)
    assert (kept == kept[:, :, :1]).all()
