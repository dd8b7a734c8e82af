"""Sizes that are painted at."""

from __future__ import annotations

from math import log, sqrt

import pytest

from restyle.painters.networks.sizes import working_size

SHAPES = [(1920, 1080), (1080, 1920), (1440, 1080), (1000, 1000), (2048, 858), (720, 576), (320, 240)]


@pytest.mark.parametrize(("resolution", "multiple"), [(576, 64), (1024, 32), (512, 32)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_as_many_pixels_whatever_the_shape(shape: tuple[int, int], resolution: int, multiple: int) -> None:
    width, height = working_size(*shape, resolution, multiple=multiple, least_multiple=8)
    assert width % multiple == height % multiple == 0
    assert 0.82 < sqrt(width * height) / resolution < 1.18
    assert abs(log(width / height / (shape[0] / shape[1]))) < 0.09
    assert working_size(*shape[::-1], resolution, multiple=multiple, least_multiple=8) == (height, width)


def test_known_sizes() -> None:
    assert working_size(1920, 1080, 1024, multiple=32, least_multiple=8) == (1376, 768)
    assert working_size(1920, 1080, 576, multiple=64, least_multiple=8) == (768, 448)
    assert working_size(1000, 1000, 576, multiple=64, least_multiple=8) == (576, 576)


def test_the_footages_own_size_is_kept_to_a_few_pixels() -> None:
    assert working_size(61, 45, 0, multiple=64, least_multiple=8) == (64, 48)
    assert working_size(61, 45, 0, multiple=64, least_multiple=16) == (64, 48)
    assert working_size(3, 2000, 0, multiple=64, least_multiple=8) == (8, 2000)
    assert working_size(3, 2000, 512, multiple=64, least_multiple=8)[0] == 64
