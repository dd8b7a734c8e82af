"""Maps of consecutive frames that hold still along the footage's motion.

A detector sees one frame at a time, so its maps flicker: depth pumps, edges come and go, joints tremble. Steadying looks at
the frames on *both* sides of each one, along the footage's own motion, so nothing lags behind. It works on whichever frames
have maps (all of a shot, or its keyframes only); memory holds a window of them, not the shot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from controls.maps.base import Steadier
from controls.types import ControlMap
from interp.types import Tracker

__all__ = ["Load", "SteadyOptions", "Window", "steady"]

Load = Callable[[int], ControlMap]


@dataclass(frozen=True, kw_only=True)
class SteadyOptions:
    """How much is steadied."""

    radius: int = 6
    """Frames on each side that a frame's map is averaged over."""
    horizon: float = 48.0
    """Frames over which depth's scale keeps to the footage's motion before it keeps to the detector's own."""
    bridge: int = 8
    """Missed frames in a row over which a joint is still bridged."""

    def __post_init__(self) -> None:
        if self.radius < 0 or self.bridge < 0 or not self.horizon > 0:
            raise ValueError(
                f"steadying takes radius >= 0, bridge >= 0 and horizon > 0, got {self.radius}, {self.bridge}, {self.horizon:g}"
            )


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
        from controls.maps.steady_depth import steady_depth

        return steady_depth(load, frames, tracker, options)
    if how == "edges":
        from controls.maps.steady_edges import steady_edges

        return steady_edges(load, frames, tracker, options)
    if how in ("lines", "normal"):
        from controls.maps.steady_values import steady_values

        return steady_values(load, frames, tracker, options)
    if how == "pose":
        from controls.maps.steady_pose import steady_pose

        return steady_pose(load, frames, options)
    if how == "none":
        return ((frame, load(frame)) for frame in frames)
    raise ValueError(f"unknown way of steadying {how!r}. There are: depth, edges, lines, normal, pose, none")


class Window:
    """The maps around one frame, loaded once each as the window moves up and let go behind it."""

    def __init__(self, load: Load, frames: Sequence[int], radius: int) -> None:
        self._load, self._frames, self._radius = load, frames, radius
        self._held: dict[int, ControlMap] = {}
        self._end = 0  # position in `frames` of the first one not loaded yet

    def around(self, frame: int) -> dict[int, ControlMap]:
        """Frame -> map, for ``frame`` and all that have one within the radius of it. Frames may only ascend."""
        while self._end < len(self._frames) and self._frames[self._end] <= frame + self._radius:
            number = self._frames[self._end]
            self._held[number] = self._load(number)
            self._end += 1
        for number in [number for number in self._held if number < frame - self._radius]:
            del self._held[number]
        return dict(self._held)
