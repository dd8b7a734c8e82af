from __future__ import annotations

import cv2
import numpy as np
import pytest
from scenes import moving_scene, texture

from interp.flow import ESTIMATORS
from interp.flow.dis import DisEstimator, DisOptions


def grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


@pytest.mark.parametrize("pan", [(0.0, 0.0), (0.4, -0.3), (3.0, 1.0), (-7.0, 4.0)])
def test_a_panned_world_has_the_pans_flow(pan: tuple[float, float]) -> None:
    scene = moving_scene(2, pan=pan, disc=0)
    flow = DisEstimator().estimate(grey(scene.frames[1]), grey(scene.frames[0]))
    assert flow.dtype == np.float32
    inner = np.s_[14:-14, 14:-14]
    error = np.linalg.norm(flow[inner] - scene.to_first[1][inner], axis=2)
    assert error.mean() < 0.15
    assert np.percentile(error, 95) < 0.5


def test_zoom_and_turn() -> None:
    picture = texture(120, 160, 3)
    turn = cv2.getRotationMatrix2D((80, 60), 4, 1.05)
    moved = cv2.warpAffine(picture, turn, (160, 120), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    y, x = np.mgrid[0:120, 0:160].astype(np.float64)
    back = cv2.invertAffineTransform(turn)
    true = np.dstack(
        [back[0, 0] * x + back[0, 1] * y + back[0, 2] - x, back[1, 0] * x + back[1, 1] * y + back[1, 2] - y]
    )
    flow = DisEstimator().estimate(grey(moved), grey(picture))
    assert np.linalg.norm(flow - true, axis=2)[16:-16, 16:-16].mean() < 0.25


def test_motion_stops_at_an_objects_border() -> None:
    scene = moving_scene(2, pan=(0, 0), disc=5)
    flow = DisEstimator().estimate(grey(scene.frames[1]), grey(scene.frames[0]))
    error = np.linalg.norm(flow - scene.to_first[1], axis=2)
    assert error[~scene.hidden[1]].mean() < 0.35
    coarse = DisEstimator(DisOptions(finest_scale=2)).estimate(grey(scene.frames[1]), grey(scene.frames[0]))
    worse = np.linalg.norm(coarse - scene.to_first[1], axis=2)
    assert error[~scene.hidden[1]].mean() < 0.7 * worse[~scene.hidden[1]].mean()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 7), (16, 16), (33, 18)])
def test_any_size(shape: tuple[int, int]) -> None:
    picture = grey(texture(*shape))
    flow = DisEstimator().estimate(picture, picture)
    assert flow.shape == (*shape, 2)
    assert np.abs(flow).max() < 0.5


def test_the_same_twice() -> None:
    scene = moving_scene(2)
    a, b = (grey(frame) for frame in scene.frames)
    one, two = (DisEstimator().estimate(a, b) for _ in range(2))
    assert np.array_equal(one, two)


def test_what_is_no_pair_of_pictures_is_refused() -> None:
    dis = DisEstimator()
    with pytest.raises(ValueError, match="two uint8 pictures of one size"):
        dis.estimate(np.zeros((4, 4), np.uint8), np.zeros((4, 5), np.uint8))
    with pytest.raises(ValueError, match="There are: dis"):
        ESTIMATORS.make("raft")
