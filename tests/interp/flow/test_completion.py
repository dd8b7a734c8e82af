from __future__ import annotations

import numpy as np

from interp.flow.completion import complete_flow, fit_affine


def zoom(height: int, width: int) -> np.ndarray:
    """A camera that moves closer and to the right."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.dstack([(x - width / 2) * np.float32(0.03) - 2, (y - height / 2) * np.float32(0.03)])


def test_the_motion_of_most_is_found_whatever_some_of_it_does() -> None:
    truth = zoom(60, 80)
    flow = truth.copy()
    flow[20:35, 30:50] = (9, -4)
    assert np.abs(fit_affine(flow, np.ones((60, 80), np.float32)) - truth).max() < 0.05


def test_behind_a_thing_the_surroundings_go_on() -> None:
    truth = zoom(60, 80)
    flow, hidden = truth.copy(), np.zeros((60, 80), np.float32)
    hidden[20:35, 30:50] = 1
    flow[hidden > 0] = (9, -4)
    certain = np.ones_like(hidden)
    completed = complete_flow(flow, certain, hidden, np.zeros_like(hidden))
    assert np.abs(completed - truth)[hidden > 0].max() < 0.1
    assert np.abs(completed - flow)[:8].max() < 0.1
    assert complete_flow(flow, certain, np.zeros_like(hidden), np.zeros_like(hidden)) is flow
    assert not complete_flow(flow, np.zeros_like(certain), hidden, hidden).any()
