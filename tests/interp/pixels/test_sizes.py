from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interp.pixels.sizes import detection_size, luma_at, motion_size, resized, restored, shrunk, size_within


@given(st.integers(1, 9000), st.integers(1, 9000))
def test_the_size_for_motion_keeps_shape_and_bounds(width: int, height: int) -> None:
    w, h = motion_size(width, height)
    assert 1 <= w <= min(width, 960)
    assert 1 <= h <= min(height, 960)
    assert max(w, h) >= min(128, max(width, height))
    if min(w, h) > 32:
        assert w / width == pytest.approx(h / height, rel=0.05)


@pytest.mark.parametrize(("size", "small"), [((1280, 720), (256, 144)), ((100, 50), (100, 50)), ((5000, 2), (256, 1))])
def test_a_size_within_a_long_side(size: tuple[int, int], small: tuple[int, int]) -> None:
    assert size_within(*size, 256) == small
    assert shrunk(np.zeros((*size[::-1], 3), np.uint8), 256).shape[1::-1] == small


@pytest.mark.parametrize("size", [(641, 359), (333, 500), (64, 64), (1279, 721)])
@pytest.mark.parametrize("resolution", [None, 256, 512])
@pytest.mark.parametrize("multiple", [8, 64])
def test_a_map_comes_back_without_a_shift(size: tuple[int, int], resolution: int | None, multiple: int) -> None:
    """A blob's centre of gravity, after the way to the detector's size and back, is where it was, to 1/20 pixel."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    at = (width * 0.37, height * 0.61)
    sigma = min(size) / 12
    blob = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * sigma**2)).astype(np.float32)
    small = detection_size(width, height, resolution=resolution, multiple=multiple)
    assert not any(side % multiple for side in small)
    back = restored(resized(blob, small), size)
    assert back.shape == blob.shape
    found = ((back * x).sum() / back.sum(), (back * y).sum() / back.sum())
    assert np.hypot(found[0] - at[0], found[1] - at[1]) < 0.05


@pytest.mark.parametrize(("dtype", "white"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
def test_luma_is_of_eight_bits_whatever_the_depth(dtype: str, white: int) -> None:
    assert np.array_equal(luma_at(np.full((20, 30, 3), white, dtype), (15, 10)), np.full((10, 15), 255, np.uint8))
