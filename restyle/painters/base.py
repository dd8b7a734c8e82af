"""What every painter is: ``paint(job, carry) -> (paintings, carry)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from interp.types import Tracker
from restyle.types import Carry, TextPrompt

__all__ = ["PaintRequest", "Painter"]


@dataclass(frozen=True)
class PaintRequest:
    """Keyframes of one shot to be painted together. All sequences run in parallel, in ascending time."""

    shot: int
    frames: tuple[int, ...]
    """Frame numbers in the footage."""
    pictures: tuple[np.ndarray, ...]
    """The footage's own pictures, H x W x 3 RGB, uint8, uint16 or float32."""
    seeds: tuple[int, ...]
    """One for each keyframe, derived from (job seed, shot, frame)."""
    tracker: Tracker
    """Motion between the keyframes: ``tracker.motion(position[i], position[j])``."""
    positions: tuple[int, ...]
    """Numbers of the keyframes within the tracker's run."""
    fixed: Mapping[int, np.ndarray] = field(default_factory=dict)
    """Fixed keyframes: paintings that exist already, by index into ``frames``, made by a person or shared with a window before.

    They are returned as they are, and the others follow them in look."""
    prompts: tuple[TextPrompt, ...] = ()
    """One for each keyframe; empty where nobody said anything."""
    controls: Mapping[str, tuple[np.ndarray, ...]] = field(default_factory=dict)
    """Control maps, by the names that the painter asks for: one for each keyframe, uint8 H x W x 3."""
    mattes: tuple[np.ndarray, ...] = ()
    """What of each keyframe the painting is for, float32 H x W in [0, 1]; empty: all of it. The rest is thrown away later, so a
    painter may spend itself there or not, but what it paints is to fit to the picture round it."""
    tick: Callable[[str], None] = lambda _: None
    """To be called before each picture with a few words about it; raises ``Cancelled`` when the work is to stop."""


class Painter(Protocol):
    """Repaints keyframes. Built once per job with its own options; holds models, but no state of the footage.

    A painter that reads prompts takes a list ``controls`` when it is built, and may have more attributes:
    ``controls: tuple[str, ...]``, the control maps that it wants to see of every keyframe (names of ``controls.maps``);
    ``inpaints = True``: it wants to know where its painting will be seen (``PaintRequest.mattes``);
    ``chain = "ends"``: what a window hands on is decided by its first and last keyframes alone (and, by way of the first, by
    the windows before), so a change of a keyframe within leaves the other windows as they are. Without it: by all of them;
    ``notes: tuple[str, ...]``: lines for a person about what it painted with, read when all is painted.
    """

    name: str
    cost: float
    """About how many times as long as reading and analysing one frame the painting of one keyframe takes, on the CPU."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides what it paints: options, digests of weights and style pictures, and of versions those that change
        pixels (``restyle.versions`` has the rule). Plain JSON."""
        ...

    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        """Paint every keyframe of ``request``.

        ``carry`` is what the call before it, on the same shot, returned; ``None`` at the start of a shot.
        Gives one painting a keyframe (same shape and dtype as its picture), and the carry for the next window.
        The same arguments give the same pixels. Raises ``PainterError``.
        """
        ...

    def close(self) -> None:
        """Let go of models and threads."""
        ...
