"""Repeat the nearest painting: no motion, no blend. For plumbing, for animation on twos, and to compare with."""

from __future__ import annotations

from collections.abc import Iterator

from interp.types import Gap, Propagated

__all__ = ["HoldFiller"]


class HoldFiller:
    """Shows each painting until the next one is nearer."""

    name = "hold"

    def propagate(self, gap: Gap) -> Iterator[Propagated]:
        """Yield one in-between for each position of ``gap.inner``, ascending. Coverage is 1: nothing is claimed of motion."""
        last = len(gap.frames) - 1
        for position in gap.inner:
            left_is_nearer = gap.right is None or 2 * position <= last
            picture = gap.left if gap.left is not None and left_is_nearer else gap.right
            if picture is not None:
                yield Propagated(picture.copy(), 1.0)
