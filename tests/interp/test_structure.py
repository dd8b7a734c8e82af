"""Agreement of edges, block by block."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scenes import texture

from interp.structure import ACROSS, LEAST_EDGES, Bands, agreement, edges_of, gradients, gradients_of, grid_of

WIDTH, HEIGHT = 320, 180


def test_agreement_is_one_for_the_same_and_tolerates_a_pixel() -> None:
    grey = cv2.cvtColor(texture(HEIGHT, WIDTH, 3), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    edges = gradients(grey)
    strong = edges_of(edges) > 0.01
    assert strong.mean() > 0.5
    assert agreement(edges, edges)[strong].min() > 0.95
    assert agreement(edges, np.roll(edges, 1, axis=1))[:, 1:-1][strong[:, 1:-1]].min() > 0.95
    assert agreement(edges, np.roll(edges, 9, axis=1))[strong].mean() < 0.5


def test_a_look_allows_what_its_paintings_show() -> None:
    edges = np.array([[0.001, 0.005, 0.01], [0.03, 0.05, 0.2]], np.float32)
    follows = np.array([[0.9, 0.2, 0.4], [0.6, 0.8, 0.8]], np.float32)
    bands = Bands.of(follows, edges, np.ones(edges.shape, bool))
    assert bands is not None
    assert bands.at(edges)[0, 1:] == pytest.approx([0.2, 0.4])
    assert bands.at(edges)[1] == pytest.approx([0.6, 0.8, 0.8])
    assert bands.at(np.float32(0.018)) == pytest.approx(0.56), "of no such edges: the mean of those that are there"
    assert Bands.of(follows, np.zeros_like(edges), np.ones(edges.shape, bool)) is None
    assert Bands.of(follows, edges, np.zeros(edges.shape, bool)) is None


def test_gradients_are_taken_at_one_size_whatever_the_picture() -> None:
    grey = cv2.cvtColor(texture(720, 1280, 3), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    large, small = gradients_of(grey), gradients_of(cv2.resize(grey, (640, 360), interpolation=cv2.INTER_AREA))
    assert large.shape == small.shape == (180, 320)
    assert agreement(large, small)[edges_of(large) > LEAST_EDGES].mean() > 0.95


@pytest.mark.parametrize(
    ("size", "grid"), [((320, 180), (14, ACROSS)), ((5, 3), (3, 5)), ((1, 1), (1, 1)), ((9, 400), (400, 9))]
)
def test_blocks_are_square_and_never_smaller_than_a_pixel(size: tuple[int, int], grid: tuple[int, int]) -> None:
    assert grid_of(*size) == grid
