"""A painting held to the one before, and let go where the footage changed though no motion says so."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import texture

from interp.types import Motion
from restyle.painters.neural_style import temporal

HEIGHT, WIDTH = 192, 320
PART = (slice(64, 128), slice(128, 192))  # what changes


def painted(picture: np.ndarray, seed: int) -> np.ndarray:
    """A look that keeps the footage's edges: a negative, with brush marks of its own each time."""
    marks = np.random.default_rng(seed).normal(0, 0.02, picture.shape)
    return (1 - picture.astype(np.float32) / 255 + marks).clip(0, 1).astype(np.float32)


def held(now: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(held, fresh, before, ages) where motion is wholly certain that nothing moved."""
    motion = Motion(np.zeros((HEIGHT // 2, WIDTH // 2, 2), np.float32), np.ones((HEIGHT // 2, WIDTH // 2), np.float32))
    fresh, earlier = painted(now, 1), painted(before, 2)
    ages = np.zeros((HEIGHT // temporal.CELL, WIDTH // temporal.CELL), np.float32)
    result, ages = temporal.hold_to_previous(fresh, now, temporal.Previous(before, earlier, ages), motion, 1.0)
    return result, fresh, earlier, ages


def off(a: np.ndarray, b: np.ndarray, part: tuple[slice, slice]) -> float:
    return float(np.abs(a[part] - b[part]).mean())


def test_what_changed_in_its_place_is_let_go() -> None:
    """An eye that closes: the motion is certain of its surroundings, and so of it."""
    before = texture(HEIGHT, WIDTH, 1)
    now = before.copy()
    now[PART] = texture(64, 64, 2)
    result, fresh, earlier, ages = held(now, before)
    assert off(fresh, earlier, PART) > 0.1, "the two paintings differ there"
    assert off(result, fresh, PART) < 0.3 * off(result, earlier, PART)
    rest = (slice(0, 32), slice(0, WIDTH))
    assert off(result, earlier, rest) < 0.7 * off(result, fresh, rest), "elsewhere the marks before stay"
    cells = tuple(slice(part.start // temporal.CELL, part.stop // temporal.CELL) for part in PART)
    assert (ages[cells] == 0).all(), "new marks are new"
    assert (ages[:1] == 1).all()


def test_where_nothing_changed_all_is_held() -> None:
    picture = texture(HEIGHT, WIDTH, 1)
    result, fresh, earlier, ages = held(picture, picture)
    everywhere = (slice(0, HEIGHT), slice(0, WIDTH))
    assert off(result, earlier, everywhere) < 0.7 * off(result, fresh, everywhere)
    assert (ages == 1).all()


def test_without_letting_go_the_old_painting_would_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    before = texture(HEIGHT, WIDTH, 1)
    now = before.copy()
    now[PART] = texture(64, 64, 2)
    monkeypatch.setattr(temporal, "LET_GO", 9.0)
    result, fresh, _, _ = held(now, before)
    assert off(result, fresh, PART) > 0.1


def test_a_painting_by_hand_need_not_follow_the_footage() -> None:
    picture = texture(HEIGHT, WIDTH, 1)
    hand = texture(HEIGHT, WIDTH, 9).astype(np.float32) / 255
    motion = Motion(np.zeros((96, 160, 2), np.float32), np.ones((96, 160), np.float32))
    ages = np.zeros((HEIGHT // temporal.CELL, WIDTH // temporal.CELL), np.float32)
    previous = temporal.Previous(picture, hand, ages, by_hand=True)
    fresh = painted(picture, 1)
    result, _ = temporal.hold_to_previous(fresh, picture, previous, motion, 1.0)
    everywhere = (slice(0, HEIGHT), slice(0, WIDTH))
    assert off(result, hand, everywhere) < 0.3 * off(fresh, hand, everywhere)
