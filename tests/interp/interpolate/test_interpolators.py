"""One contract for every interpolator, and what is promised of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_rife
from scenes import moving_scene, psnr

from interp.interpolate import INTERPOLATORS
from interp.types import Interpolator


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_rife.build(tmp_path_factory.mktemp("rife") / "random.safetensors")


@pytest.fixture(params=INTERPOLATORS.names())
def interpolator(request: pytest.FixtureRequest, weights: Path) -> Interpolator:
    options = {"model": weights, "device": "cpu"} if request.param in ("rife", "hybrid") else {}
    return INTERPOLATORS.make(request.param, options)


def deep(picture: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "uint16":
        return picture.astype(np.uint16) * 257
    return picture.astype(np.float32) / 255 if dtype == "float32" else picture


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_picture_for_every_time_in_the_frames_own_depth(interpolator: Interpolator, dtype: str) -> None:
    a, b = (deep(frame, dtype) for frame in moving_scene(2, size=(80, 60)).frames)
    kept = a.copy(), b.copy()
    made = list(interpolator.interpolate(a, b, [0.25, 0.5, 0.75]))
    assert len(made) == 3
    for picture in made:
        assert picture.shape == a.shape
        assert str(picture.dtype) == dtype
        assert picture.flags.c_contiguous
    assert np.array_equal(a, kept[0])
    assert np.array_equal(b, kept[1])


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (33, 19), (4, 60)])
def test_any_size(interpolator: Interpolator, size: tuple[int, int]) -> None:
    a, b = moving_scene(2, size=size, pan=(0, 0), disc=0).frames
    (made,) = interpolator.interpolate(a, b, [0.5])
    assert made.shape == a.shape


def test_the_same_bytes_twice_and_no_time_no_picture(interpolator: Interpolator) -> None:
    a, b = moving_scene(2, size=(80, 60)).frames
    one, two = (list(interpolator.interpolate(a, b, [0.3, 0.6])) for _ in range(2))
    assert all(np.array_equal(x, y) for x, y in zip(one, two, strict=True))
    assert list(interpolator.interpolate(a, b, [])) == []


@pytest.mark.parametrize("name", ["hold", "cross-fade", "along-motion", "hybrid"])
def test_between_two_equal_frames_there_is_that_frame(name: str, weights: Path) -> None:
    frame = moving_scene(1, size=(96, 64)).frames[0]
    options = {"model": weights, "device": "cpu"} if name == "hybrid" else {}
    for made in INTERPOLATORS.make(name, options).interpolate(frame, frame.copy(), [0.2, 0.5]):
        assert np.abs(made.astype(int) - frame).max() <= 1


def test_along_motion_draws_what_was_there() -> None:
    """Every second frame held out: a pan, and a disc that passes over it."""
    scene = moving_scene(9, size=(240, 160), pan=(3.3, 1.2))
    motion, fade = INTERPOLATORS.make("along-motion"), INTERPOLATORS.make("cross-fade")
    for t in range(1, 8, 2):
        a, truth, b = scene.frames[t - 1 : t + 2]
        (made,), (faded,) = motion.interpolate(a, b, [0.5]), fade.interpolate(a, b, [0.5])
        inner = np.s_[8:-8, 8:-8]
        assert psnr(made[inner], truth[inner]) > 28
        assert psnr(made[inner], truth[inner]) > psnr(faded[inner], truth[inner]) + 4


def test_along_motion_follows_the_time_that_is_asked_for() -> None:
    scene = moving_scene(9, size=(240, 160), pan=(1.0, 0.5), disc=0)
    a, b = scene.frames[0], scene.frames[8]
    inner = np.s_[12:-12, 12:-12]
    made = list(INTERPOLATORS.make("along-motion").interpolate(a, b, [t / 8 for t in range(1, 8)]))
    for t, picture in enumerate(made, 1):
        right = psnr(picture[inner], scene.frames[t][inner])
        others = [psnr(picture[inner], scene.frames[u][inner]) for u in (t - 1, t + 1)]
        assert right > max(others) + 3
        assert right > 28


def test_what_is_covered_and_uncovered_comes_from_the_frame_that_shows_it() -> None:
    """A bright disc moves over a dark texture: half way nothing bright is left where it was, nothing where it comes."""
    scene = moving_scene(5, size=(240, 160), pan=(0, 0))
    a, truth, b = scene.frames[0], scene.frames[2], scene.frames[4]
    (made,) = INTERPOLATORS.make("along-motion").interpolate(a, b, [0.5])
    (faded,) = INTERPOLATORS.make("cross-fade").interpolate(a, b, [0.5])
    changed = (np.abs(a.astype(int) - b).max(axis=2) > 40) & (np.abs(a.astype(int) - truth).max(axis=2) > 40)
    assert changed.mean() > 0.002
    ours, theirs = (np.abs(picture.astype(int) - truth)[changed].mean() for picture in (made, faded))
    assert ours < 0.6 * theirs


def test_unknown_names_and_options_are_told(weights: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown interpolator 'magic'\. There are: along-motion, cross-fade"):
        INTERPOLATORS.make("magic")
    with pytest.raises(ValueError, match="has no option 'speed'"):
        INTERPOLATORS.make("hold", {"speed": 3})
