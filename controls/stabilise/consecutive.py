"""Maps of consecutive frames that hold still along the footage's motion.

A detector sees one frame at a time, so its maps flicker: depth pumps, edges come and go, joints tremble. Stabilising looks at
the frames on *both* sides of each one, along the footage's own motion, so nothing lags behind. It works on whichever frames
have maps (all of a shot, or its keyframes only); memory holds a window of them, not the shot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from controls.maps.base import StabiliseMethod
from controls.stabilise.depth import stabilise_depth
from controls.stabilise.edges import stabilise_edges
from controls.stabilise.pose import stabilise_pose
from controls.stabilise.values import stabilise_values
from controls.stabilise.window import Load, StabiliseOptions
from controls.types import ControlMap
from interp.types import Tracker

__all__ = ["stabilise"]


def stabilise(
    load: Load,
    frames: Sequence[int],
    tracker: Tracker,
    *,
    method: StabiliseMethod,
    options: StabiliseOptions | None = None,
) -> Iterator[tuple[int, ControlMap]]:
    """Yield (frame, stabilised map) for each of ``frames``, ascending.

    ``load``: frame number -> its map, as detected; asked for each frame up to twice for depth, once for others, in ascending
    order, so it is to read from where maps are kept. ``frames``: those that have maps, ascending, all of one shot.
    ``tracker``: motion between them. ``method``: the detector's ``facts.stabilise_method``; ``"none"`` yields maps as they are.

    Raises ``ValueError`` for frames that do not ascend, and for maps that the way of stabilising cannot work on.
    """
    options = options or StabiliseOptions()
    if any(b <= a for a, b in pairwise(frames)):
        raise ValueError("frames to stabilise are given in ascending order, each once")
    if method == "depth":
        return stabilise_depth(load, frames, tracker, options)
    if method == "edges":
        return stabilise_edges(load, frames, tracker, options)
    if method in ("lines", "normal"):
        return stabilise_values(load, frames, tracker, options)
    if method == "pose":
        return stabilise_pose(load, frames, options)
    if method == "none":
        return ((frame, load(frame)) for frame in frames)
    raise ValueError(f"unknown way of stabilising {method!r}. There are: depth, edges, lines, normal, pose, none")
