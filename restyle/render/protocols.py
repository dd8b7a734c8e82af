"""What the engine works with: looks, paintings, what it hands out, and the places where others plug in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from interp.pixels.boxes import Box
from restyle.painters.base import Painter
from restyle.types import Carry, Frame, Keyframe, TextPrompt, Window

if TYPE_CHECKING:
    from controls.types import ControlMap

__all__ = ["Compositor", "Conditions", "Frames", "Look", "PaintingStore", "Paintings", "Rendered"]


@dataclass(frozen=True)
class Paintings:
    """The painted keyframes of one window, and what the next window needs to go on from them."""

    pictures: Mapping[int, np.ndarray]
    """Frame number -> painting, for every keyframe of the window."""
    carry: Carry


class PaintingStore(Protocol):
    """Storage of finished paintings, so that a later run need not paint them again. ``look``: number of the look."""

    def load(self, window: Window, look: int) -> Paintings | None: ...
    def save(self, window: Window, look: int, paintings: Paintings) -> None: ...


@dataclass(frozen=True)
class Look:
    """One way of painting a footage."""

    painter: Painter
    strength: float = 1.0
    keep_colour: bool = False
    seed: int = 0
    storyboard: Mapping[int, np.ndarray] = field(default_factory=dict)
    """Frame number -> a painting made by a person, used as that keyframe; in the footage's size and depth."""
    prompts: Callable[[int], TextPrompt] | None = None
    """Frame number -> its prompt."""
    matte: Callable[[int], np.ndarray] | None = None
    """Frame number -> where the painting will be seen, float32 H x W in [0, 1]; ``None``: everywhere."""


class Compositor(Protocol):
    """Puts the looks' finished pictures and the footage together."""

    def compose(self, frame: Frame, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """``pictures``: of each look, H x W x 3 in the frame's dtype. Gives the result's picture."""
        ...

    def touched(self, frame: Frame) -> np.ndarray | None:
        """float32 H x W: where the result may differ from the footage, softened edges included; ``None``: everywhere."""
        ...

    def alpha(self, frame: Frame) -> np.ndarray | None:
        """The result's alpha, H x W in the frame's dtype; ``None``: it has none."""
        ...

    def close(self) -> None:
        """Let go of what is open, at the end of a run; another may follow."""
        ...


class Conditions(Protocol):
    """Where control maps come from (``conditions.KeyframeMaps``)."""

    def of(self, kind: str, frame: Frame) -> ControlMap:
        """The map of a frame, of the frame's size."""
        ...


class Frames(Protocol):
    """What part of each frame is painted (``framing.Framing``)."""

    def of(self, frame: int) -> Box | None:
        """Left, top, right, bottom of the crop; of one size through a shot; ``None``: all of it."""
        ...


@dataclass(frozen=True)
class Rendered:
    """One finished frame."""

    source: Frame
    result: Frame
    shot: int
    key: Keyframe | None
    """Set if the frame was painted, not filled."""
    coverage: float
    """Share of the picture that its neighbouring paintings explain; 1 for a painted frame."""
    touched: np.ndarray | None = None
    """``Compositor.touched``."""
    boundary: bool = False
    """The frame belongs to the next window, and is shown only so that the pair across the border can be measured."""
