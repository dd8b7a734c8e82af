"""Maps of consecutive frames that hold still along the footage's motion.

A detector sees one frame at a time, so its maps flicker: depth pumps, edges come and go, joints tremble. Steadying looks at
the frames on *both* sides of each one, along the footage's own motion, so nothing lags behind. It works on whichever frames
have maps (all of a shot, or its keyframes only); memory holds a window of them, not the shot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from controls.maps.base import Steadier
from controls.stabilise.depth import steady_depth
from controls.stabilise.edges import steady_edges
from controls.stabilise.pose import steady_pose
from controls.stabilise.values import steady_values
from controls.stabilise.window import Load, SteadyOptions
from controls.types import ControlMap
from interp.types import Tracker

__all__ = ["steady"]


def steady(
    load: Load, frames: Sequence[int], tracker: Tracker, *, how: Steadier, options: SteadyOptions | None = None
) -> Iterator[tuple[int, ControlMap]]:
    """Yield (frame, steadied map) for each of ``frames``, ascending.

    ``load``: frame number -> its map, as detected; asked for each frame up to twice for depth, once for others, in ascending
    order, so it is to read from where maps are kept. ``frames``: those that have maps, ascending, all of one shot.
    ``tracker``: motion between them. ``how``: the detector's ``facts.steadier``; ``"none"`` yields maps as they are.

    Raises ``ValueError`` for frames that do not ascend, and for maps that the way of steadying cannot work on.
    """
    options = options or SteadyOptions()
    if any(b <= a for a, b in pairwise(frames)):
        raise ValueError("frames to steady are given in ascending order, each once")
    if how == "depth":
        return steady_depth(load, frames, tracker, options)
    if how == "edges":
        return steady_edges(load, frames, tracker, options)
    if how in ("lines", "normal"):
        return steady_values(load, frames, tracker, options)
    if how == "pose":
        return steady_pose(load, frames, options)
    if how == "none":
        return ((frame, load(frame)) for frame in frames)
    raise ValueError(f"unknown way of steadying {how!r}. There are: depth, edges, lines, normal, pose, none")
