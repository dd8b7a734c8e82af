"""The size that is painted at."""

from __future__ import annotations

from math import sqrt

__all__ = ["working_size"]

SMALLEST = 64  # pixels a side: less is refused by FLUX.2
LONGEST = 8  # times the short side: the same


def working_size(width: int, height: int, resolution: int, *, multiple: int) -> tuple[int, int]:
    """Width and height to paint a picture of ``width`` x ``height`` pixels at, both multiples of ``multiple``.

    At most as many pixels as a square of side ``resolution`` has, in the picture's shape: pictures of more than a million are
    made smaller by the pipelines, off the grid of what is painted. With 0: the picture's own size.
    """
    scale = resolution / sqrt(width * height) or 1.0
    least = max(SMALLEST, round(max(width, height) * scale / LONGEST))
    sides = [max(round(side * scale / multiple), -(-least // multiple)) * multiple for side in (width, height)]
    while resolution and sides[0] * sides[1] > resolution**2:
        sides[sides.index(max(sides))] -= multiple
    return sides[0], sides[1]
