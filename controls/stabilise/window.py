"""Options that all stabilisation takes, and the window of maps that it looks at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from controls.types import ControlMap

__all__ = ["Load", "MapWindow", "StabiliseOptions"]

Load = Callable[[int], ControlMap]


@dataclass(frozen=True, kw_only=True)
class StabiliseOptions:
    """Options of temporal stabilisation: how strongly, and over how many frames."""

    radius: int = 6
    """Frames on each side that a frame's map is averaged over."""
    horizon: float = 48.0
    """Frames over which depth's scale keeps to the footage's motion before it keeps to the detector's own."""
    bridge: int = 8
    """Missed frames in a row over which a joint is still bridged."""

    def __post_init__(self) -> None:
        if self.radius < 0 or self.bridge < 0 or not self.horizon > 0:
            raise ValueError(
                f"stabilising takes radius >= 0, bridge >= 0 and horizon > 0, "
                f"got {self.radius}, {self.bridge}, {self.horizon:g}"
            )


class MapWindow:
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
