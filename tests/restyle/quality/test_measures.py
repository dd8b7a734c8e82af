"""The measures against known answers."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from clips import as_depth, moving_frames, texture

from restyle.quality import measures
from restyle.quality.motion import estimate_flow, occlusion

DEPTHS = ("uint8", "uint16", "float32")


def constant_flow(height: int, width: int, dx: float, dy: float) -> np.ndarray:
    return np.full((height, width, 2), (dx, dy), np.float32)


@pytest.mark.parametrize("depth", DEPTHS)
def test_warp_error_along_the_true_flow_is_zero(depth: str) -> None:
    here, there = moving_frames(2, (80, 60), shift=(3, -2), dtype=depth)
    forward, backward = constant_flow(60, 80, 3, -2), constant_flow(60, 80, -3, 2)
    hidden = occlusion(forward, backward)
    truth = np.zeros((60, 80), bool)
    truth[:, -3:] = truth[:2] = True
    assert (hidden == truth).all()
    assert measures.warp_error(here, there, forward, ~hidden) < 1e-9
    assert measures.warp_error(here, there, 0 * forward, ~hidden) > 5e-3


@pytest.mark.parametrize("depth", DEPTHS)
def test_warp_error_of_white_noise_is_twice_its_variance(depth: str) -> None:
    rng = np.random.default_rng(3)
    sigma = 0.05
    here, there = (as_depth(0.5 + sigma * rng.standard_normal((240, 320, 3)), depth) for _ in range(2))
    error = measures.warp_error(here, there, constant_flow(240, 320, 0, 0), np.ones((240, 320), bool))
    assert error == pytest.approx(2 * sigma**2, rel=0.02)


def test_warp_error_counts_visible_pixels_only() -> None:
    here = np.zeros((20, 30, 3), np.uint8)
    there = here.copy()
    there[:, :10] = 255
    visible = np.ones((20, 30), bool)
    still = constant_flow(20, 30, 0, 0)
    assert measures.warp_error(here, there, still, visible) == pytest.approx(1 / 3)
    there[:, :10, 1:] = 0
    assert measures.warp_error(here, there, still, visible) == pytest.approx(1 / 9)
    visible[:, :10] = False
    assert measures.warp_error(here, there, still, visible) == 0
    assert math.isnan(measures.warp_error(here, there, still, np.zeros((20, 30), bool)))


def disk(height: int, width: int, x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def test_end_point_error_and_t_of() -> None:
    flow, truth = constant_flow(10, 10, 3, 4), constant_flow(10, 10, 0, 0)
    assert measures.end_point_error(flow, truth) == pytest.approx(5)
    assert measures.t_of(truth, flow) == pytest.approx(5)
    mask = np.zeros((10, 10), bool)
    assert math.isnan(measures.end_point_error(flow, truth, mask))
    mask[2, 3] = True
    flow[2, 3] = (0, 1)
    assert measures.end_point_error(flow, truth, mask) == pytest.approx(1)


@pytest.mark.parametrize("depth", DEPTHS)
def test_flicker_where_the_source_is_static(depth: str) -> None:
    source = texture(40, 60) * 0.8
    moved = source.copy()
    moved[:, 30:] = 1 - moved[:, 30:]  # the right half changes; what the output does there is no flicker
    here = np.full((40, 60, 3), 0.5)
    there = here.copy()
    there[:, :30] += 0.1
    there[:, 30:] = 0
    pictures = [as_depth(p, depth) for p in (source, moved, here, there)]
    assert measures.flicker(*pictures) == pytest.approx(0.1, abs=0.02)
    assert math.isnan(measures.flicker(as_depth(source, depth), as_depth(1 - source, depth), *pictures[2:]))


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[::2, 1::2] = picture[1::2, ::2] = 200  # a checkerboard: its Laplacian is +-800
    assert measures.sharpness(picture) == pytest.approx(800**2, rel=0.07)
    assert measures.sharpness(np.full((20, 20, 3), 77, np.uint8)) == 0
    sharp = as_depth(texture(64, 64), "uint8")
    assert measures.sharpness(cv2.GaussianBlur(sharp, (0, 0), 2)) < 0.7 * measures.sharpness(sharp)


def test_one_picture_in_every_depth_measures_the_same() -> None:
    a, b = texture(48, 64), texture(48, 64, seed=1)
    for measure in (measures.structure, measures.edge_f1, measures.psnr):
        values = [measure(as_depth(a, depth), as_depth(b, depth)) for depth in DEPTHS]
        assert values == pytest.approx([values[0]] * 3, abs=0.02)
    values = [measures.sharpness(as_depth(a, depth)) for depth in DEPTHS]
    assert values == pytest.approx([values[0]] * 3, rel=0.01)


def slow_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Straight from the paper: one window after the other."""
    x = np.arange(-5, 6)
    weights = np.exp(-(x[:, None] ** 2 + x[None, :] ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    values = []
    for top in range(a.shape[0] - 10):
        for left in range(a.shape[1] - 10):
            p, q = (m[top : top + 11, left : left + 11].astype(np.float64) for m in (a, b))
            mp, mq = (weights * p).sum(), (weights * q).sum()
            vp, vq = (weights * (p - mp) ** 2).sum(), (weights * (q - mq) ** 2).sum()
            both = (weights * (p - mp) * (q - mq)).sum()
            c1, c2 = 0.01**2, 0.03**2
            values.append((2 * mp * mq + c1) * (2 * both + c2) / ((mp**2 + mq**2 + c1) * (vp + vq + c2)))
    return float(np.mean(values))


def test_structure_equals_a_slow_reference() -> None:
    rng = np.random.default_rng(5)
    a = as_depth(texture(24, 31), "float32")
    b = as_depth(np.clip(0.7 * a + 0.2 + 0.05 * rng.standard_normal(a.shape), 0, 1), "float32")
    assert measures.structure(a, b) == pytest.approx(slow_ssim(measures.luma(a), measures.luma(b)), abs=1e-4)
    dark, darker = a * 0.02, a * 0.02 + 0.004  # here the constants matter
    assert measures.structure(dark, darker) == pytest.approx(
        slow_ssim(measures.luma(dark), measures.luma(darker)), abs=1e-4
    )
    assert measures.structure(a, a) == pytest.approx(1, abs=1e-5)
    assert measures.structure(a, 1 - a) < 0.1


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (10, 10), (11, 11)])
def test_structure_of_tiny_pictures(size: tuple[int, int]) -> None:
    picture = as_depth(texture(40, 40)[: size[0], : size[1]], "uint8")
    assert measures.structure(picture, picture) == pytest.approx(1, abs=1e-4)


def test_edges_that_move_within_tolerance_still_match() -> None:
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[20:40, 20:40] = 255
    assert measures.edge_f1(picture, picture) == 1
    assert measures.edge_f1(picture, np.roll(picture, 1, 1)) > 0.99
    assert measures.edge_f1(picture, np.roll(picture, 12, 1)) < 0.5
    assert measures.edge_f1(picture, 0 * picture) == 0
    assert measures.edge_f1(0 * picture, 0 * picture) == 1


def test_psnr() -> None:
    picture = np.full((8, 8, 3), 100, np.uint8)
    assert measures.psnr(picture, picture) == math.inf
    assert measures.psnr(picture, picture + 1) == pytest.approx(20 * math.log10(255), abs=1e-4)


@pytest.mark.parametrize("depth", DEPTHS)
def test_leakage_is_exact(depth: str) -> None:
    source = as_depth(texture(20, 30), depth)
    matte = np.zeros((20, 30), np.float32)
    matte[5:15, 10:20] = 1
    matte[4, 10:20] = 1e-4  # feather: still inside
    output = source.copy()
    output[matte > 0] = 0
    assert measures.leakage(source, output, matte) == measures.Leakage(0, 0, 0)
    output[0, 0, 1] = np.nextafter(source[0, 0, 1], np.float32(9)) if depth == "float32" else source[0, 0, 1] ^ 1
    found = measures.leakage(source, output, matte)
    outside = int((matte == 0).sum())
    assert found.share == pytest.approx(1 / outside)
    assert 0 < found.largest < 0.01
    assert found.mean == pytest.approx(found.largest / 3, rel=1e-3)


def test_leakage_of_a_known_change() -> None:
    source = np.zeros((10, 10, 3), np.uint8)
    output = source.copy()
    output[:2] = 51
    found = measures.leakage(source, output, np.zeros((10, 10), bool))
    assert found == measures.Leakage(0.2, pytest.approx(0.2), pytest.approx(0.2))
    with pytest.raises(ValueError, match="one size and depth"):
        measures.leakage(source, output.astype(np.uint16), np.zeros((10, 10)))


def test_jaccard_of_known_shapes() -> None:
    a, b = np.zeros((2, 20, 20), bool)
    assert measures.jaccard(a, b) == 1
    a[:, :10] = True
    assert measures.jaccard(a, b) == 0
    b[:, 5:15] = True
    assert measures.jaccard(a, b) == pytest.approx(1 / 3)
    assert measures.jaccard(a.astype(np.float32) * 0.6, b.astype(np.float32)) == pytest.approx(1 / 3)


def test_boundary_f_of_known_shapes() -> None:
    truth = disk(200, 300, 150, 100, 60)
    assert measures.boundary_f(truth, truth) == 1
    radius = math.ceil(0.008 * math.hypot(200, 300))  # 3 pixels
    assert measures.boundary_f(np.roll(truth, radius, 1), truth) == 1
    assert measures.boundary_f(np.roll(truth, 4 * radius, 1), truth) < 0.6
    nothing = np.zeros_like(truth)
    assert measures.boundary_f(nothing, nothing) == 1
    assert measures.boundary_f(nothing, truth) == 0
    # Two disks where there is one: every true outline is found (recall 1), half of those found are true (precision).
    small = disk(400, 600, 150, 100, 60)
    both = small | disk(400, 600, 400, 300, 60)
    assert measures.boundary_f(both, small) == pytest.approx(2 / 3, abs=0.01)


def test_other_types_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8, uint16 or float32, got int32"):
        measures.to_unit(np.zeros((4, 4, 3), np.int32))
    with pytest.raises(ValueError, match="one size"):
        estimate_flow(np.zeros((20, 20, 3), np.uint8), np.zeros((20, 21, 3), np.uint8))


def test_pictures_that_are_not_finite_do_not_crash() -> None:
    picture = as_depth(texture(20, 30), "float32")
    picture[3, 4] = np.nan
    picture[5, 6] = np.inf
    estimate_flow(picture, picture)
    measures.edge_f1(picture, picture)
