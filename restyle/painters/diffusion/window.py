"""Who is painted with whom: the rows of a window, what each looks at, and in which calls they are computed.

A window's rows are its keyframes, and with them rides the shot's *anchor* (its first keyframe) where it is not one of them.
Rows that are painted already (the anchor, the keyframe shared with the window before, pictures made by hand) are *held*: at
each step they are their clean latents with the step's noise, and look only at themselves; where many steps are made, what
others see of them is computed at every second one. All others are *live*.

Modes of attention:

``none``             each keyframe by itself.
``anchor-previous``  each looks at the anchor and the keyframe before it, not at itself: Rerender-A-Video's cross-frame
                     attention (Yang et al. 2023).
``joint``            each looks at all: as TokenFlow's pivots (Geyer et al. 2023). All must fit into memory at once.
``trajectory``       each looks at itself, then along its tokens' paths at the window's ends: FLATTEN (Cong et al. 2023),
                     FRESCO's temporal part (Yang et al. 2024).
``woven``            ours, the default: each looks at itself, the anchor and the window's first; then along its paths at the
                     window's ends (its last along those at its first). So no keyframe within a window decides another, any
                     number of them runs in the memory of a few, and to change one leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Rows", "batches", "partners_of", "sources_of", "trails_of"]


@dataclass(frozen=True)
class Rows:
    """Rows are numbered in time, the riding anchor first; ``held``: those that are painted already."""

    count: int
    held: frozenset[int]
    rides: bool
    """Whether row 0 is an anchor that is not among the window's own keyframes."""

    @property
    def anchor(self) -> int:
        """The shot's first keyframe."""
        return 0

    @property
    def first(self) -> int:
        """The window's first keyframe."""
        return 1 if self.rides else 0

    @property
    def last(self) -> int:
        """The window's last keyframe."""
        return self.count - 1

    @property
    def live(self) -> list[int]:
        """Rows to be painted, ascending."""
        return [row for row in range(self.count) if row not in self.held]


def sources_of(mode: str, rows: Rows) -> dict[int, tuple[int, ...]]:
    """Row -> the rows whose tokens it looks at, each once."""
    found: dict[int, tuple[int, ...]] = {}
    for row in range(rows.count):
        if row in rows.held or row == rows.anchor or mode in ("none", "trajectory"):
            wanted: Sequence[int] = (row,)
        elif mode == "anchor-previous":
            wanted = (rows.anchor, row - 1)
        elif mode == "joint":
            wanted = range(rows.count)
        else:
            wanted = (row, rows.anchor, rows.first)
        found[row] = tuple(dict.fromkeys(wanted))
    if mode == "joint" and rows.anchor not in rows.held:
        found[rows.anchor] = tuple(range(rows.count))
    return found


def partners_of(row: int, rows: Rows) -> tuple[int, ...]:
    """The rows whose shapes and textures a row takes over along the footage's motion: the window's ends, its first foremost.
    The window's last takes them from the first alone, so that no keyframe within decides the window after."""
    if row in rows.held or row in (rows.anchor, rows.first):
        return ()
    ends = (rows.first,) if row == rows.last else (rows.first, rows.last)
    return tuple(dict.fromkeys(ends))


def trails_of(mode: str, rows: Rows) -> dict[int, tuple[int, ...]]:
    """Row -> the rows along whose paths it looks."""
    if mode not in ("trajectory", "woven"):
        return {}
    return {row: partners for row in rows.live if (partners := partners_of(row, rows))}


def batches(mode: str, rows: Rows, most: int) -> Iterator[tuple[int, ...]]:
    """The live rows in calls of at most ``most``, each after those that it looks at. In mode ``joint`` all at once."""
    live = rows.live
    if mode == "joint":
        if live:
            yield tuple(live)
        return
    ends = [row for row in (rows.first, rows.last) if row in live]
    order = live
    if mode in ("trajectory", "woven"):
        order = [*dict.fromkeys(ends), *(row for row in live if row not in ends)]
    for start in range(0, len(order), most):
        yield tuple(order[start : start + most])
