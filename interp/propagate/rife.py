"""In-betweens by RIFE, which sees the paintings alone and not the footage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from interp.interpolate.rife import Rife
from interp.types import Gap, Propagated

__all__ = ["RifeFiller"]


class RifeFiller:
    """Draws what lies between two paintings as RIFE sees it; beyond a single painting, that one stands.

    The footage's own motion is not used: textures do not follow it, and whatever moves far between two keyframes is lost. It is
    here to compare with, and for keyframes that lie close. Options and errors: ``interp.rife.open_rife``.
    """

    name = "rife"

    def __init__(
        self, engine: str = "auto", model: str | Path | None = None, device: str = "auto", allow_pickle: bool = False
    ) -> None:
        self._rife = Rife(engine, model, device, allow_pickle)

    def propagate(self, gap: Gap) -> Iterator[Propagated]:
        """Yield one in-between for each position of ``gap.inner``, ascending. Coverage is 1: nothing is claimed of motion."""
        if gap.left is None or gap.right is None:
            for _ in gap.inner:
                painting = gap.left if gap.left is not None else gap.right
                if painting is not None:
                    yield Propagated(painting.copy(), 1.0)
            return
        last = len(gap.frames) - 1
        for picture in self._rife.interpolate(gap.left, gap.right, [position / last for position in gap.inner]):
            yield Propagated(picture, 1.0)
