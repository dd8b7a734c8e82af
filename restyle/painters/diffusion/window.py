"""The rows of a window: what each attends to, and in which calls of the UNet they are computed.

A window's rows are its keyframes, and before them the *anchor* (the shot's first keyframe, or one of another shot whose look is
shared) where it is not one of them. Rows
that are painted already (the anchor, the keyframe shared with the window before, pictures made by hand) are *fixed*: at each
step they are their clean latents with the step's noise, and attend only to themselves; where many steps are made, what others
see of them is computed at every second one. All others are *live*.

Modes of attention:

``none``             each keyframe by itself.
``anchor-previous``  each attends to the anchor and the keyframe before it, not to itself: Rerender-A-Video's cross-frame
                     attention (Yang et al. 2023).
``joint``            each attends to all: as TokenFlow's pivots (Geyer et al. 2023). All must fit into memory at once.
``trajectory``       each attends to itself, then along its tokens' paths at the window's ends: FLATTEN (Cong et al. 2023),
                     FRESCO's temporal part (Yang et al. 2024).
``woven``            ours, the default: each attends to itself, the anchor and the window's first; then along its paths at the
                     window's ends (its last along those at its first). So no keyframe within a window decides another, any
                     number of them runs in the memory of a few, and to change one leaves the others alone. Two more things
                     that each may attend to can be switched on: ``neighbours``, ``disoccluded``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Rows", "batches", "disoccluded_of", "partners_of", "sources_of", "trajectories_of"]


@dataclass(frozen=True)
class Rows:
    """Rows are numbered in time, an anchor from an earlier window first; ``fixed``: those that are painted already."""

    count: int
    fixed: frozenset[int]
    earlier_anchor: bool
    """Whether row 0 is an anchor that is not among the window's own keyframes."""

    @property
    def anchor(self) -> int:
        """The shot's first keyframe, or another shot's."""
        return 0

    @property
    def first(self) -> int:
        """The window's first keyframe."""
        return 1 if self.earlier_anchor else 0

    @property
    def last(self) -> int:
        """The window's last keyframe."""
        return self.count - 1

    @property
    def live(self) -> list[int]:
        """Rows to be painted, ascending."""
        return [row for row in range(self.count) if row not in self.fixed]


def sources_of(mode: str, rows: Rows) -> dict[int, tuple[int, ...]]:
    """Row -> the rows whose tokens it attends to, each once."""
    sources: dict[int, tuple[int, ...]] = {}
    for row in range(rows.count):
        if row in rows.fixed or row == rows.anchor or mode in ("none", "trajectory"):
            wanted: Sequence[int] = (row,)
        elif mode == "anchor-previous":
            wanted = (rows.anchor, row - 1)
        elif mode == "joint":
            wanted = range(rows.count)
        else:
            wanted = (row, rows.anchor, rows.first)
        sources[row] = tuple(dict.fromkeys(wanted))
    if mode == "joint" and rows.anchor not in rows.fixed:
        sources[rows.anchor] = tuple(range(rows.count))
    return sources


def partners_of(row: int, rows: Rows) -> tuple[int, ...]:
    """The rows whose shapes and textures a row takes over along the footage's motion: the window's ends, its first foremost.
    The window's last takes them from the first alone, so that no keyframe within decides the window after."""
    if row in rows.fixed or row in (rows.anchor, rows.first):
        return ()
    ends = (rows.first,) if row == rows.last else (rows.first, rows.last)
    return tuple(dict.fromkeys(ends))


def trajectories_of(mode: str, rows: Rows, *, neighbours: bool = False) -> dict[int, tuple[int, ...]]:
    """Row -> the rows along whose trajectories it attends. ``neighbours``: of those between the window's ends also the one
    before each: it is computed before it or with it, and nothing else has to be kept."""
    if mode not in ("trajectory", "woven"):
        return {}
    trajectories = {}
    for row in rows.live:
        others = partners_of(row, rows)
        if others and neighbours and row != rows.last:
            others = tuple(dict.fromkeys((*others, row - 1)))
        if others:
            trajectories[row] = others
    return trajectories


def disoccluded_of(mode: str, rows: Rows) -> dict[int, tuple[int, int]]:
    """Row -> another row, and the one of those that it attends to whose view of the footage the other's is compared with: what
    the other shows and that one does not is attended to as well.

    Between a window's ends that is what has come into view by its last keyframe: of FRESCO's efficient cross-frame attention
    (Yang et al. 2024), which takes from each frame what those before it do not show, what costs little.
    """
    if mode != "woven":
        return {}
    return {row: (rows.last, rows.first) for row in rows.live if rows.first < row < rows.last}


def batches(mode: str, rows: Rows, most: int) -> Iterator[tuple[int, ...]]:
    """Divide the live rows into calls of at most ``most``, each after those that it attends to; in mode ``joint``, one."""
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
