"""The engine's values and seams: looks and paintings, the parts that it renders with, the frames that it hands out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

import numpy as np

from controls.types import ControlMap
from interp.pixels.boxes import Box
from interp.types import Filler
from restyle.painters.base import Anchor, Painter
from restyle.painters.settings import Settings
from restyle.render.regions import RegionRules
from restyle.types import Carry, Frame, Keyframe, TextPrompt, Window

__all__ = [
    "Compositor",
    "ControlMapSource",
    "CropSource",
    "Look",
    "PaintingStore",
    "Paintings",
    "RenderParts",
    "Rendered",
]


@dataclass(frozen=True)
class Paintings:
    """The painted keyframes of one window, and what the next window needs to go on from them."""

    pictures: Mapping[int, np.ndarray]
    """Frame number -> painting, for every keyframe of the window."""
    carry: Carry


class PaintingStore(Protocol):
    """Keeps finished paintings, so that a later run need not paint them again. ``look``: number of the look."""

    def load(self, window: Window, look: int) -> Paintings | None:
        """The finished paintings of a window; ``None``: there are none."""
        ...

    def save(self, window: Window, look: int, paintings: Paintings) -> None:
        """Keep a window's paintings."""
        ...


@dataclass(frozen=True)
class Look:
    """One way of painting a footage."""

    painter: Painter
    mix: float = 1.0
    """Cross-fade: 0 is the footage, 1 the painting."""
    keep_colour: bool = False
    seed: int = 0
    storyboard: Mapping[int, np.ndarray] = field(default_factory=dict)
    """Pictures painted by a person, by frame number, in the footage's size and depth: used as they are."""
    prompts: Callable[[int], TextPrompt] | None = None
    """Frame number -> the prompt for it."""
    anchor: Anchor | None = None
    """A painting of another shot whose look is shared."""
    settings: Settings | None = None
    """Values that its painter keeps with the job."""
    matte: Callable[[int], np.ndarray] | None = None
    """Frame number -> the look's region of interest, where its painting will be seen: float32 H x W in [0, 1]; ``None``:
    everywhere."""


class Compositor(Protocol):
    """Puts the looks' finished pictures and the footage together."""

    def compose(self, frame: Frame, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """``pictures``: of each look, H x W x 3 in the frame's dtype. Gives the result's picture."""
        ...

    def edited_region(self, frame: Frame) -> np.ndarray | None:
        """float32 H x W: where the result may differ from the footage, softened edges included; ``None``: everywhere."""
        ...

    def alpha(self, frame: Frame) -> np.ndarray | None:
        """The result's alpha, H x W in the frame's dtype; ``None``: it has none."""
        ...

    def close(self) -> None:
        """Let go of what is open, at the end of a run; another may follow."""
        ...


class ControlMapSource(Protocol):
    """Gives frames' control maps (``job.keyframe_maps.KeyframeMaps``)."""

    def of(self, kind: str, frame: Frame) -> ControlMap:
        """The map of a frame, of the frame's size."""
        ...


class CropSource(Protocol):
    """Says what part of each frame is painted (``compositing.crop.Framing``)."""

    def of(self, frame: int) -> Box | None:
        """The crop of a frame, of one size through a shot; ``None``: all of it."""
        ...


@dataclass(frozen=True)
class RenderParts:
    """All that windows are rendered with."""

    looks: Sequence[Look]
    """Each is painted and propagated; the compositor makes one picture of them."""
    filler: Filler
    compositor: Compositor | None = None
    """``None``: the first look is the picture."""
    clean_plate: Callable[[Frame], Frame] | None = None
    """A frame of the footage -> what is painted and composited upon instead of it, of the same size."""
    framing: CropSource | None = None
    """Painter and filler see only that part of each frame; the rest of a look is the frame itself."""
    control_maps: ControlMapSource | None = None
    """For painters that want to see some of the keyframes."""
    repair: RegionRules | None = field(default_factory=RegionRules)
    """What is painted anew between keyframes, besides frames that neither neighbour explains; ``None``: nothing is."""
    rate: Fraction | None = None
    """Frames a second of the footage, for painters that want to know."""
    samples: bool = False
    """The footage's frames come with their own samples, for an output that keeps them (``footage.samples``)."""


@dataclass(frozen=True)
class Rendered:
    """One finished frame."""

    source: Frame
    result: Frame
    shot: int
    key: Keyframe | None
    """Set if the frame was painted, not propagated."""
    coverage: float
    """Share of the picture that its neighbouring paintings explain; 1 for a painted frame."""
    edited_region: np.ndarray | None = None
    """``Compositor.edited_region``."""
    boundary: bool = False
    """The frame belongs to the next window, and is shown only so that the pair across the border can be measured."""
