from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import moving_scene, texture

from interp.warp import (
    blend,
    compose,
    consistency,
    outside,
    resize_flow,
    symmetric_flow,
    undistorted,
    upsample_twofold,
    warp,
    warp_upsampled,
)


def still(height: int, width: int, dx: float = 0, dy: float = 0) -> np.ndarray:
    return np.dstack([np.full((height, width), dx), np.full((height, width), dy)]).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic", "lanczos"])
def test_no_motion_changes_nothing(dtype: type, interpolation: str) -> None:
    picture = texture(20, 30).astype(dtype)
    warped = warp(picture, still(20, 30), interpolation=interpolation)  # type: ignore[arg-type]
    assert warped.dtype == dtype
    assert np.array_equal(warped, picture)


@given(st.integers(-9, 9), st.integers(-9, 9))
def test_a_whole_pixel_translation_is_exact_inside(dx: int, dy: int) -> None:
    picture = texture(40, 50)
    warped = warp(picture, still(40, 50, dx, dy))
    assert np.array_equal(warped[10:30, 10:40], picture[10 + dy : 30 + dy, 10 + dx : 40 + dx])


@settings(max_examples=20)
@given(*[st.floats(-4, 4, width=32) for _ in range(4)])
def test_translations_compose_by_adding(ax: float, ay: float, bx: float, by: float) -> None:
    made = compose(still(12, 16, ax, ay), still(12, 16, bx, by))
    assert np.allclose(made, still(12, 16, ax + bx, ay + by), atol=1e-5)


def test_composed_flow_pulls_like_two_warps_in_a_row() -> None:
    random = np.random.default_rng(2)
    import cv2

    bends = [cv2.GaussianBlur(random.normal(0, 60, (60, 80, 2)).astype(np.float32), (0, 0), 12) for _ in range(2)]
    picture = texture(60, 80, finest=16)
    once = warp(picture, compose(bends[0], bends[1])).astype(int)
    upsample_twofold = warp(warp(picture, bends[1]), bends[0]).astype(int)
    assert np.abs(once - upsample_twofold)[8:-8, 8:-8].mean() < 1.0


def test_a_flow_of_another_size_is_scaled_with_its_vectors() -> None:
    picture = texture(80, 120)
    assert np.array_equal(warp(picture, still(40, 60, 3, -2)), warp(picture, still(80, 120, 6, -4)))
    assert np.allclose(resize_flow(still(40, 60, 3, -2), 60, 40), still(40, 60, 3, -2))


def test_upscaling_keeps_pixel_centres() -> None:
    x = np.arange(16, dtype=np.float32)
    flow = np.zeros((8, 16, 2), np.float32)
    flow[..., 0] = x * 0.1
    big = resize_flow(flow, 32, 16)
    centres = (np.arange(32) + 0.5) / 2 - 0.5
    assert np.allclose(big[4, 2:-2, 0], centres[2:-2] * 0.2, atol=1e-5)


def test_what_points_out_of_the_picture() -> None:
    out = outside(still(10, 10, 3, 0))
    assert (out[:, :7] == 0).all()
    assert (out[:, 7:] == 255).all()


def test_consistency_is_high_where_seen_and_low_where_hidden() -> None:
    scene = moving_scene(4, pan=(0, 0), disc=6)
    forward = -scene.to_first[3]  # exact for the world (still) and for the disc's own pixels of frame 0
    disc0 = np.zeros(forward.shape[:2], bool)
    y, x = np.mgrid[0:120, 0:160]
    disc0[np.hypot(x - 40, y - 60) <= 24] = True
    forward = np.where(disc0[..., None], np.float32([18, 0]), np.float32([0, 0])).astype(np.float32)
    sure = consistency(scene.to_first[3], forward)
    hidden = scene.hidden[3]
    assert sure[~hidden].mean() > 0.95
    assert sure[hidden].mean() < 0.1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (20, 30)])
def test_the_finer_grid_holds_the_picture_itself(dtype: type, size: tuple[int, int]) -> None:
    picture = texture(*size).astype(dtype)
    fine = upsample_twofold(picture)
    assert fine.shape == (2 * size[0], 2 * size[1], 3)
    assert fine.dtype == dtype
    assert np.array_equal(fine[::2, ::2], picture)
    assert np.array_equal(warp_upsampled(fine, still(*size)), picture)


@pytest.mark.parametrize("shift", [(3.0, -2.0), (0.5, 0.0), (0.0, 0.5), (0.25, 0.75)])
def test_the_finer_grid_is_sampled_where_the_flow_points_and_sharply(shift: tuple[float, float]) -> None:
    """Against a wave whose value is known everywhere."""
    y, x = np.mgrid[0:40, 0:60].astype(np.float32)

    def wave(dx: float, dy: float) -> np.ndarray:
        one = 0.5 + 0.4 * np.sin((x + dx) * 1.6) * np.cos((y + dy) * 1.1)
        return np.dstack([one] * 3).astype(np.float32)

    inner = np.s_[6:-6, 6:-6]
    errors = [
        float(np.abs(made - wave(*shift))[inner].mean())
        for made in (
            warp_upsampled(upsample_twofold(wave(0, 0)), still(40, 60, *shift)),
            warp(wave(0, 0), still(40, 60, *shift)),
        )
    ]
    assert errors[0] < 0.03
    assert errors[0] <= 0.5 * errors[1] + 1e-6


def test_two_estimates_of_one_motion_are_averaged() -> None:
    random = np.random.default_rng(5)
    import cv2

    noise = [cv2.GaussianBlur(random.normal(0, 1.0, (60, 80, 2)).astype(np.float32), (0, 0), 4) * 2 for _ in range(2)]
    forward, backward = still(60, 80, 2, 1) + noise[0], still(60, 80, -2, -1) + noise[1]
    sure = np.ones((60, 80), np.float32)
    both = symmetric_flow(forward, backward, sure), symmetric_flow(backward, forward, sure)
    inner = np.s_[6:-6, 6:-6]

    def apart(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.linalg.norm(one + warp(other, one), axis=2)[inner].mean())

    assert apart(*both) < 0.25 * apart(forward, backward)
    true = np.float32([2, 1])
    assert np.linalg.norm(both[0] - true, axis=2)[inner].mean() < 0.85 * np.linalg.norm(noise[0], axis=2)[inner].mean()
    assert np.array_equal(symmetric_flow(forward, backward, np.zeros_like(sure)), forward)


def test_too_large_a_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="32766"):
        warp(np.zeros((2, 40000, 3), np.uint8), still(1, 1))
    with pytest.raises(ValueError, match="16382"):
        warp_upsampled(np.zeros((4, 40000, 3), np.uint8), still(1, 1))


def test_only_motion_that_pulls_paint_out_of_shape_counts_as_stretched() -> None:
    across = np.arange(80, dtype=np.float32)[None].repeat(60, 0)
    ramp = np.dstack([np.clip(across - 30, 0, 20) * 1.2, np.zeros_like(across)])
    held = undistorted(ramp.astype(np.float32))
    assert held[:, 36:44].max() < 0.05
    assert held[:, :18].min() > 0.99
    assert held[:, 62:].min() > 0.99
    zoom = (across - 40) * np.float32(0.05)
    assert undistorted(np.dstack([zoom, zoom])).min() > 0.99


def test_a_long_motion_may_return_less_exactly() -> None:
    """Sundaram's limit: 0.01 of both lengths squared, and half a pixel squared."""
    for there, off in ((0, 1.0), (30, 1.0), (30, 4.0), (30, 9.0)):
        forward, backward = still(20, 90, there), still(20, 90, -there + off)
        over = off**2 / (0.01 * (there**2 + (there - off) ** 2) + 0.5) - 0.25
        expected = max(1e-3, float(np.exp(-1.2 * max(over, 0))))
        assert np.allclose(consistency(forward, backward)[:, 5:50], expected, rtol=1e-4), (there, off)


def test_what_leaves_the_picture_is_not_sure_at_all() -> None:
    sure = consistency(still(20, 40, 6), still(20, 40, -6))
    assert (sure[:, :34] == 1).all()
    assert (sure[:, 34:] == 0).all()
    nonsense = consistency(still(20, 40, 6), still(20, 40, 30))
    assert (nonsense[:, :34] > 0).all(), "inside, however little the return agrees, something is left"
    assert (nonsense[:, 34:] == 0).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_blend_of_equal_pictures_is_that_picture(dtype: type) -> None:
    random = np.random.default_rng(1)
    picture = (random.random((33, 47, 3)) * (1 if dtype is np.float32 else np.iinfo(dtype).max)).astype(dtype)
    made = blend(picture, picture.copy(), random.random((33, 47)).astype(np.float32))
    assert made.dtype == dtype
    assert np.allclose(made, picture, rtol=1e-6, atol=0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("steps", [2, 4, 8])
def test_a_blend_is_neither_darker_nor_brighter(dtype: type, steps: int) -> None:
    """Every share of so many steps between all codes: where the value lies midway between two codes it goes both ways."""
    random = np.random.default_rng(2)
    a, b = random.integers(0, np.iinfo(dtype).max, (2, 240, 320, 3), dtype)
    share = random.integers(0, steps + 1, (240, 320)).astype(np.float32) / steps
    exact = b + share[..., None].astype(np.float64) * (a.astype(np.float64) - b)
    made = blend(a, b, share)
    assert np.abs(made - exact).max() <= 0.5
    assert abs((made - exact).mean()) < 0.003


def test_a_blend_goes_on_beyond_its_pictures_and_is_clipped() -> None:
    a, b = (np.full((3, 5, 3), value, np.uint16) for value in (40000, 30000))
    for share, wanted in ((2.0, 50000), (9.0, 65535), (-1.0, 20000), (-9.0, 0)):
        assert (blend(a, b, np.full((3, 5), share, np.float32)) == wanted).all()
    eight = [np.array([[[v] * 3]], np.uint8) for v in (200, 100)]
    for share, wanted in ((1.5, 250), (3.0, 255), (-2.0, 0)):
        assert (blend(*eight, np.full((1, 1), share, np.float32)) == wanted).all()
