"""The size that is painted at."""

from __future__ import annotations

from math import sqrt

__all__ = ["working_size"]

SMALLEST = 64  # pixels a side: less is refused by FLUX.2
LONGEST = 8  # times the short side: the same


def working_size(width: int, height: int, *, area: int, multiple: int, resolution: int | None) -> tuple[int, int]:
    """Width and height to paint a picture of ``width`` x ``height`` pixels at: multiples of ``multiple``.

    ``resolution``: the long side; 0: the picture's own; ``None``: as much as makes ``area`` pixels, and no more.
    """
    scale = sqrt(area / (width * height)) if resolution is None else (resolution / max(width, height) or 1.0)
    least = max(SMALLEST, round(max(width, height) * scale / LONGEST))
    sides = [max(round(side * scale / multiple), -(-least // multiple)) * multiple for side in (width, height)]
    while resolution is None and sides[0] * sides[1] > area:
        sides[sides.index(max(sides))] -= multiple
    return sides[0], sides[1]
