"""The size that is painted at. Imports no torch."""

from __future__ import annotations

from itertools import product
from math import ceil, floor, log, sqrt

__all__ = ["working_size"]


def working_size(width: int, height: int, resolution: int, *, multiple: int, least_multiple: int) -> tuple[int, int]:
    """Width and height to paint at.

    About as many pixels as a square of side ``resolution`` has, in the picture's shape, both multiples of ``multiple``; of
    those next to it the two that distort the least. With 0: the picture's own size, to multiples of ``least_multiple``.
    """
    if not resolution:
        own = (max(1, round(side / least_multiple)) * least_multiple for side in (width, height))
        return next(own), next(own)
    scale = resolution / sqrt(width * height)
    choices = [
        {max(1, whole(side * scale / multiple)) * multiple for whole in (floor, ceil)} for side in (width, height)
    ]

    def off(size: tuple[int, int]) -> float:
        shape = abs(log(size[0] * height / (size[1] * width)))
        return shape + abs(log(size[0] * size[1] / resolution**2)) / 4  # a little more or less is no harm

    return min(product(sorted(choices[0]), sorted(choices[1])), key=off)
