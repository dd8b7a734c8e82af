from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restyle.compositing.blend import LUMA, MOST_GROWTH, blend, blend_mode, keep_colour, matte_edge, over, without_rim
from restyle.footage.transfer import encoded

DEPTHS = [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)]


def pictures(dtype: type, white: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    a, b = random.random((2, 20, 30, 3)) * white
    return a.astype(dtype), b.astype(dtype)


@pytest.mark.parametrize(("dtype", "white"), DEPTHS)
def test_a_mix_runs_from_the_source_to_the_painting(dtype: type, white: float) -> None:
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


@pytest.mark.parametrize(("dtype", "white"), DEPTHS)
def test_dark_colours_stay_colours_where_the_painting_is_bright(dtype: type, white: float) -> None:
    """As saturated as they were; added to a bright luma as they are, the colour differences of a dark green would be grey."""
    source = (np.full((4, 4, 3), (0.10, 0.30, 0.15)) * white).astype(dtype)
    painting = (np.full((4, 4, 3), (0.5, 0.5, 0.5)) * white).astype(dtype)

    def saturation(picture: np.ndarray) -> float:
        low, high = picture[0, 0].min(), picture[0, 0].max()
        return float(high - low) / float(high)

    kept = keep_colour(source, painting)
    assert saturation(kept) > 0.75 * saturation(source)
    assert saturation(kept) <= saturation(source) + 0.01
    darker = keep_colour(source, (painting * 0.25).astype(dtype))
    assert saturation(darker) >= saturation(source) - 0.01


def test_noise_in_black_does_not_become_colour() -> None:
    random = np.random.default_rng(4)
    source = random.integers(0, 5, (40, 40, 3)).astype(np.uint8)
    kept = keep_colour(source, np.full_like(source, 180)).astype(int)
    assert np.abs(kept - 180).max() <= 4 * MOST_GROWTH


def test_a_grey_source_stays_grey() -> None:
    source = np.full((4, 4, 3), 90, np.uint8)
    painting = np.full((4, 4, 3), (200, 30, 10), np.uint8)
    kept = keep_colour(source, painting)
    assert (kept == kept[:, :, :1]).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_nothing_and_all_of_a_matte_are_exact(dtype: type) -> None:
    random = np.random.default_rng(1)
    base, top = (
        (random.random((6, 9, 3)) * (1 if dtype is np.float32 else np.iinfo(dtype).max)).astype(dtype) for _ in range(2)
    )
    matte = np.zeros((6, 9), np.float32)
    matte[:, 3:6], matte[:, 6:] = 0.5, 1
    before = base.copy()
    made = over(base, top, matte)
    assert np.array_equal(made[:, :3], base[:, :3])
    assert np.array_equal(made[:, 6:], top[:, 6:])
    assert np.array_equal(base, before)
    assert (made[:, 3:6] != base[:, 3:6]).any()


def test_an_edge_mixes_light_and_not_code_values() -> None:
    """Half black, half white light is sRGB code value 188 (IEC 61966-2-1), not 128."""
    black, white = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)
    assert over(black, white, np.full((1, 1), 0.5, np.float32))[0, 0, 0] == 188
    deep = over(black.astype(np.uint16), white.astype(np.uint16) * 257, np.full((1, 1), 0.5, np.float32))
    assert abs(int(deep[0, 0, 0]) - 48192) <= 1
    light = over(black.astype(np.float32), np.ones((1, 1, 3), np.float32), np.full((1, 1), 0.25, np.float32))
    assert light[0, 0, 0] == 0.25


def test_a_feathered_edge_has_no_fringe() -> None:
    """The same picture laid over itself is the same picture, whatever the matte; and an edge lies between its two sides."""
    random = np.random.default_rng(2)
    picture = random.integers(0, 256, (20, 30, 3), np.uint8)
    matte = random.random((20, 30)).astype(np.float32)
    assert np.array_equal(over(picture, picture, matte), picture)
    dark, bright = np.full((20, 30, 3), 30, np.uint8), np.full((20, 30, 3), 200, np.uint8)
    ramp = np.tile(np.linspace(0, 1, 30, dtype=np.float32), (20, 1))
    made = over(dark, bright, ramp)[0, :, 0].astype(int)
    assert made[0] == 30
    assert made[-1] == 200
    assert (np.diff(made) >= 0).all()


@given(st.floats(0, 9), st.floats(-6, 6))
@settings(max_examples=30, deadline=None)
def test_a_softened_matte_ends_where_it_is_said_to(feather: float, grow: float) -> None:
    matte = np.zeros((80, 80), np.float32)
    matte[30:50, 30:50] = 1
    made = matte_edge(matte, grow=grow, feather=feather)
    assert made.dtype == np.float32
    assert 0 <= made.min() <= made.max() <= 1
    reach = int(np.ceil(max(0, round(grow)) + 1.5 * feather)) + 1
    assert not made[: 30 - reach].any()
    if grow == 0:
        inside = int(np.ceil(1.5 * feather)) + 1
        if inside < 10:
            assert (made[30 + inside : 50 - inside, 30 + inside : 50 - inside] == 1).all()
        assert made[40, 29:31].mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("feather", [1, 3, 8, 20.5])
def test_a_feathered_edge_is_exact_on_both_sides(feather: float) -> None:
    """Sums of weights end a rounding beside 0 and 1; what is left so faintly would touch pixels that nobody sees change."""
    matte = np.zeros((90, 120), np.float32)
    matte[:, 60:] = 1
    made = matte_edge(matte, feather=feather)
    reach = int(np.ceil(1.5 * feather))
    assert (made[:, : 60 - reach] == 0).all()
    assert (made[:, 60 + reach :] == 1).all()
    dot = np.zeros((90, 120), np.float32)
    dot[45, 60] = 1
    soft = matte_edge(dot, feather=feather)
    assert soft[soft > 0].min() >= 1e-5
    full = matte_edge(1 - dot, feather=feather)
    assert full[full < 1].max() <= 1 - 1e-5


@pytest.mark.parametrize(("how", "expected"), [("screen", (1, 0.5)), ("overlay", (1, 0)), ("multiply", (0.75, -0.1))])
def test_floats_beyond_black_and_white_are_clipped_where_the_formula_needs_it(
    how: str, expected: tuple[float, float]
) -> None:
    base = np.array([[[1.5] * 3, [-0.2] * 3]], np.float32)
    made = blend_mode(base, np.full_like(base, 0.5), how)
    assert np.allclose(made[0, :, 0], expected)


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_what_is_replaced_leaves_no_rim(dtype: type, hard: bool) -> None:
    """A dark disc before a pale wall, laid before black: its soft edge gets no lighter than the disc is."""
    alpha = np.zeros((120, 160), np.float32)
    cv2.circle(alpha, (80, 60), 35, 1, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 1.3)
    white = 1.0 if dtype is np.float32 else float(np.iinfo(dtype).max)
    thing, wall = np.array((0.05, 0.08, 0.2), np.float32), np.array((0.8, 0.85, 0.8), np.float32)
    light = alpha[:, :, None] * thing + (1 - alpha[:, :, None]) * wall
    code = light if dtype is np.float32 else encoded(light, None)
    picture = (code * white if dtype is np.float32 else np.rint(code * white)).astype(dtype)
    gone = 1 - ((alpha > 0.5).astype(np.float32) if hard else alpha)
    edge = matte_edge(gone, feather=3)
    cleaned = without_rim(picture, gone, edge)
    soft = (edge > 0) & (edge < 1)
    assert np.array_equal(cleaned[~soft], picture[~soft])
    black = np.zeros_like(picture)
    before, after = over(picture, black, edge), over(cleaned, black, edge)
    least = np.rint(white * encoded(thing, None)) if dtype is not np.float32 else thing
    assert (before.astype(float) - least).max() > 0.15 * white  # the rim that is there without it
    assert (after.astype(float) - least).max() < 0.04 * white
    assert without_rim(picture, np.zeros_like(gone), np.zeros_like(edge)) is picture
