"""Noise that is moved: still white, and it goes where the footage goes."""

from __future__ import annotations

import numpy as np
import pytest

from restyle.painters.diffusion.noise import FINE, coarse, lands_on, noise_between, redraw, refine, warp_noise

SHAPE = (4, 24, 32)


def white(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def flows() -> dict[str, np.ndarray]:
    """On the fine grid: still, a shift of part of a latent, a zoom in, a zoom out, a swirl."""
    height, width = SHAPE[1] * FINE, SHAPE[2] * FINE
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    cx, cy = x - width / 2, y - height / 2
    made = {
        "still": np.zeros((height, width, 2)),
        "shift": np.full((height, width, 2), (5.3, -2.6)),
        "in": np.dstack([cx * -0.4, cy * -0.4]),
        "out": np.dstack([cx * 0.6, cy * 0.6]),
        "swirl": np.dstack([cy * 0.3, cx * -0.3]),
    }
    return {name: flow.astype(np.float32) for name, flow in made.items()}


@pytest.mark.parametrize("name", list(flows()))
def test_it_stays_gaussian(name: str) -> None:
    flow = flows()[name]
    visible = np.ones(flow.shape[:2], bool)
    found = np.stack([coarse(warp_noise(refine(white(n), n), flow, visible, 1000 + n)) for n in range(60)])
    count = found.size
    assert abs(found.mean()) < 5 / np.sqrt(count)
    assert abs(found.var() - 1) < 5 * np.sqrt(2 / count)
    assert abs((found**4).mean() - 3) < 0.1
    for axis in (2, 3):
        for lag in (1, 2):
            a = np.take(found, range(found.shape[axis] - lag), axis)
            b = np.take(found, range(lag, found.shape[axis]), axis)
            assert abs((a * b).mean()) < 5 / np.sqrt(a.size), (axis, lag)
    assert abs((found[:, 0] * found[:, 1]).mean()) < 5 / np.sqrt(found[:, 0].size)
    places = found.var(axis=0)
    assert places.min() > 0.3
    assert places.max() < 2.6, "everywhere, not only on the whole"


def test_fine_noise_sums_up_to_the_noise_it_was_made_of() -> None:
    noise = white(5)
    assert np.allclose(coarse(refine(noise, 1)), noise, atol=1e-5)
    assert abs(refine(noise, 1).var() - 1) < 0.02


def test_it_goes_with_the_footage() -> None:
    """By whole latents it is the same noise; by part of one it is alike in proportion to what they share."""
    noise = white(7)
    fine = refine(noise, 7)
    visible = np.ones(fine.shape[1:], bool)
    whole = coarse(warp_noise(fine, np.full((*fine.shape[1:], 2), (2 * FINE, FINE), np.float32), visible, 8))
    assert np.allclose(whole[:, :-1, :-2], noise[:, 1:, 2:], atol=1e-4)
    part = coarse(warp_noise(fine, np.full((*fine.shape[1:], 2), (1, 0), np.float32), visible, 9))
    similarity = np.corrcoef(part[:, :, :-1].ravel(), noise[:, :, :-1].ravel())[0, 1]
    assert abs(similarity - (FINE - 1) / FINE) < 0.05


def test_what_is_not_seen_is_new() -> None:
    fine = refine(white(3), 3)
    hidden = np.zeros(fine.shape[1:], bool)
    still = np.zeros((*fine.shape[1:], 2), np.float32)
    found = coarse(warp_noise(fine, still, hidden, 4))
    assert abs(np.corrcoef(found.ravel(), coarse(fine).ravel())[0, 1]) < 0.06
    assert np.array_equal(found, coarse(warp_noise(fine, still, hidden, 4)))


def between(shift: int, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise of the first, of one between and of the last of a pan, ``shift`` fine cells from each to the next."""
    base = refine(white(number), number)
    whole = np.ones(base.shape[1:], bool)

    def pan(steps: int) -> np.ndarray:
        return np.broadcast_to(np.float32([steps * shift, 0]), (*whole.shape, 2))

    last = warp_noise(base, pan(2), whole, 500 + number)
    new = ~lands_on(whole, pan(2), whole)
    return base, noise_between((base, pan(1), whole), (last, pan(-1), whole), new, 900 + number), last


def test_what_the_first_does_not_show_goes_with_the_last() -> None:
    base, made, last = between(20, 3)
    width = base.shape[2]
    assert np.array_equal(made[:, :, : width - 20], base[:, :, 20:])
    assert np.array_equal(made[:, :, width - 20 :], last[:, :, width - 40 : width - 20])
    found = np.stack([coarse(between(7, n)[1]) for n in range(60)])
    assert abs(found.var() - 1) < 5 * np.sqrt(2 / found.size)
    assert abs((found[..., 1:] * found[..., :-1]).mean()) < 5 / np.sqrt(found.size)


def test_no_sample_is_used_twice() -> None:
    """Motion that contradicts itself: what the first does not show lies in the last where the first's own noise went."""
    base = refine(white(4), 4)
    whole, still = np.ones(base.shape[1:], bool), np.zeros((*base.shape[1:], 2), np.float32)
    left = whole.copy()
    left[:, 64:] = False
    back = still.copy()
    back[..., 0] = -64
    made = noise_between((base, still, left), (base.copy(), back, whole), ~whole, 8)
    assert np.array_equal(made[:, :, :64], base[:, :, :64])
    assert abs(np.corrcoef(made[:, :, 64:].ravel(), made[:, :, :64].ravel())[0, 1]) < 0.05


def test_what_is_drawn_anew_is_white_and_independent() -> None:
    """Of the noise that it is drawn from, of the other draws, and of its own neighbours and channels."""
    first = np.stack([refine(white(n), n) for n in range(40)])
    made = np.stack([[redraw(one, number) for one in first] for number in (1, 2)])
    count = made.size
    assert abs(made.mean()) < 5 / np.sqrt(count)
    assert abs(made.var() - 1) < 5 * np.sqrt(2 / count)
    assert abs((made**4).mean() - 3) < 0.1
    pairs = [(made[0], made[1]), (made[0], first), (made[0, :, 0], made[0, :, 1]), (made[..., 1:], made[..., :-1])]
    for a, b in [*pairs, (made[0] ** 2 - 1, first**2 - 1), (made[0, :, 0], first[:, 3])]:
        assert abs((a * b).mean()) < 5 * np.sqrt((a**2).mean() * (b**2).mean() / a.size)


def test_what_is_drawn_anew_goes_with_the_footage() -> None:
    fine = refine(white(7), 7)
    visible = np.ones(fine.shape[1:], bool)
    moved = warp_noise(fine, np.full((*fine.shape[1:], 2), (5, 2), np.float32), visible, 8)
    assert np.array_equal(redraw(moved, 3)[:, :-2, :-5], redraw(fine, 3)[:, 2:, 5:])
    assert np.array_equal(redraw(fine, 3), redraw(fine.copy(), 3))
    assert not np.array_equal(redraw(fine, 3), redraw(fine, 4))
