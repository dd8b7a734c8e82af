from __future__ import annotations

import numpy as np
import pytest

from interp.pixels.depth import from_unit, quantise, to_uint8, to_uint8_truncated, to_unit, white_of

DEEP = np.arange(65536, dtype=np.uint16).reshape(256, 256)
FLOATS = np.array([[-np.inf, -1, 0, 0.5, 1, 2, 1e12, np.inf, np.nan]], np.float32)


def test_white() -> None:
    assert [white_of(dtype) for dtype in (np.uint8, np.dtype(np.uint16), "float32")] == [255, 65535, 1]


def test_sixteen_bits_become_the_nearest_of_eight() -> None:
    assert np.array_equal(to_uint8(DEEP), np.rint(DEEP / 257).astype(np.uint8))


def test_floats_are_clipped_and_what_is_no_number_is_black() -> None:
    assert to_uint8(FLOATS).tolist() == [[0, 0, 0, 128, 255, 255, 255, 255, 0]]


@pytest.mark.parametrize("shape", [(1, 1, 3), (4, 1, 3), (1, 4), (4, 1), (1, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pictures_that_opencv_takes_for_numbers(shape: tuple[int, ...], dtype: type) -> None:
    assert np.array_equal(to_uint8(np.full(shape, white_of(dtype), dtype)), np.full(shape, 255, np.uint8))


def test_eight_bits_are_handed_on() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    assert to_uint8(picture) is picture
    assert to_uint8_truncated(picture) is picture
    assert to_uint8(picture[:, ::2]).flags.c_contiguous


def test_another_depth_is_refused() -> None:
    for convert in (to_uint8, to_unit):
        with pytest.raises(ValueError, match="uint8, uint16 or float32, got int32"):
            convert(np.zeros((2, 2, 3), np.int32))


def test_what_is_cut_off() -> None:
    assert to_uint8_truncated(np.array([[255, 256, 65535]], np.uint16)).tolist() == [[0, 1, 255]]
    assert to_uint8_truncated(np.array([[0.999, 1, 7, -1]], np.float32)).tolist() == [[254, 255, 255, 0]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_shares_of_white_and_back(dtype: type) -> None:
    values = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(16, -1)
    unit = to_unit(values)
    assert unit.dtype == np.float32
    assert (unit.min(), unit.max()) == (0, 1)
    assert np.array_equal(from_unit(unit, np.dtype(dtype)), values)
    assert from_unit(np.array([[-3, 7]], np.float32), np.dtype(dtype)).tolist() == [[0, np.iinfo(dtype).max]]


def test_floats_keep_what_is_lighter_than_white() -> None:
    light = np.array([[-1, 0.5, 70_000]], np.float32)
    assert to_unit(light) is light
    assert from_unit(light, light.dtype).tolist() == light.tolist()
    assert quantise(light.astype(np.float64), light.dtype).dtype == np.float32


def test_computed_code_values_are_rounded_and_clipped() -> None:
    assert quantise(np.array([-3.0, 0.49, 1.51, 300.0]), np.dtype(np.uint8)).tolist() == [0, 0, 2, 255]
