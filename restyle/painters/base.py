"""The painter, its request and its capabilities: ``paint(request, carry) -> (paintings, carry)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from inspect import getattr_static
from typing import Any, Literal, Protocol

import numpy as np

from interp.pixels.boxes import Box
from interp.types import Tracker
from restyle.errors import PartError
from restyle.painters.memory import MemoryEstimate
from restyle.painters.settings import Settings
from restyle.types import Carry, TextPrompt

__all__ = [
    "Anchor",
    "Capabilities",
    "EveryFrame",
    "PaintRequest",
    "Painter",
    "RegionRequest",
    "check_painter",
]


PARTS = ("name", "capabilities", "notes", "identity", "memory", "paint", "close")


@dataclass(frozen=True)
class Anchor:
    """A painted keyframe of another shot, of any footage, whose look is to be shared."""

    picture: np.ndarray
    """The footage's own, H x W x 3 RGB, uint8, uint16 or float32: of any size."""
    painting: np.ndarray
    """Of the same shape and dtype."""
    prompt: TextPrompt = field(default_factory=TextPrompt)
    """The one that it was painted with."""

    def __post_init__(self) -> None:
        if (self.picture.shape, self.picture.dtype) != (self.painting.shape, self.painting.dtype):
            raise ValueError(
                f"an anchor's painting is of its picture's shape and dtype {self.picture.shape} {self.picture.dtype}, "
                f"got {self.painting.shape} {self.painting.dtype}"
            )


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
    """One for each keyframe; empty where there are no prompts."""
    controls: Mapping[str, tuple[np.ndarray, ...]] = field(default_factory=dict)
    """Control maps, by the names that the painter asks for: one for each keyframe, uint8 H x W x 3."""
    mattes: tuple[np.ndarray, ...] = ()
    """The part of each keyframe that the painting is for, float32 H x W in [0, 1]; empty: all of it.

    The rest is thrown away later, so a painter may spend itself there or not, but what it paints is to fit to the picture round
    it."""
    anchor: Anchor | None = None
    """A painting whose look these are to share, whatever their shot; ``None``: the shot's first keyframe sets it."""
    frame_size: tuple[int, int] | None = None
    """Width and height in pixels of the frames that the pictures are crops of; ``None``: the pictures are whole frames.

    What is to be of one size all over the footage (brush strokes) is measured by it."""
    rate: Fraction | None = None
    """Frames a second of the footage; ``None``: nobody knows."""
    settings: Settings | None = None
    """Values that are kept with the job; ``None``: nothing is."""
    tick: Callable[[str], None] = lambda _: None
    """To be called before each picture with a few words about it; raises ``Cancelled`` when the work is to stop."""


@dataclass(frozen=True)
class RegionRequest:
    """A region of one frame to be painted, in the look of a keyframe near it."""

    picture: np.ndarray
    """The footage's own picture, all of it: H x W x 3 RGB, uint8, uint16 or float32."""
    box: Box
    """The region: left, top, right, bottom in pixels, within the picture."""
    keyframe: np.ndarray
    """The footage's own picture of a painted keyframe of the same shot, of the same shape and dtype.

    What a painter takes from a whole picture (the statistics by which it sets its colours) it takes from this one, so that
    the region fits to that keyframe's painting."""
    margin: int | None = None
    """Pixels round the box that need be painted with it, and are thrown away: the fewer, the quicker, and the less like the
    whole frame's painting near the box's border. ``None``: as many as that painting depends on."""
    frame_size: tuple[int, int] | None = None
    """As ``PaintRequest.frame_size``."""

    def __post_init__(self) -> None:
        height, width = self.picture.shape[:2]
        left, top, right, bottom = self.box
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise ValueError(f"a region lies within its picture of {width} x {height} pixels, got {self.box!r}")
        if (self.keyframe.shape, self.keyframe.dtype) != (self.picture.shape, self.picture.dtype):
            raise ValueError(
                f"a region's keyframe is of its picture's shape and dtype {self.picture.shape} {self.picture.dtype}, "
                f"got {self.keyframe.shape} {self.keyframe.dtype}"
            )


@dataclass(frozen=True)
class EveryFrame:
    """Windows of a painter that makes all of their frames together: every frame is a keyframe, and nothing is filled."""

    longest: int
    """Frames of a window, at most."""
    multiple: int = 1
    """A window is planned to have one frame more than a multiple of it (4 for 4k + 1). The last one of a shot has what is left:
    the painter makes it longer for its model, and gives back what was asked for."""
    overlap: int = 1
    """First frames of a window that the one before has painted: they come as ``PaintRequest.fixed``."""
    begins: bool = False
    """It goes on from painted frames alone: somebody has to hand in one of each shot's first window."""

    def __post_init__(self) -> None:
        if self.multiple < 1 or self.longest <= self.multiple or self.longest % self.multiple != 1 % self.multiple:
            raise ValueError(f"a window has k x {self.multiple} + 1 frames at most, got {self.longest}")
        if not 1 <= self.overlap < self.longest:
            raise ValueError(f"a window of {self.longest} frames shares 1 to {self.longest - 1}, got {self.overlap}")


@dataclass(frozen=True)
class Capabilities:
    """A painter's needs and abilities. The defaults are those of one that paints each picture by itself."""

    cost: float = 0.0
    """About how many times as long as reading and analysing one frame the painting of one keyframe takes, on the CPU."""
    reads_prompts: bool = False
    """It reads ``PaintRequest.prompts``."""
    controls: tuple[str, ...] = ()
    """Control maps that it wants to see of every keyframe (names of ``controls.maps``). A painter that can is built with an
    option ``controls``: tables of kind, model, strength, start and end."""
    inpaints: bool = False
    """It wants to know where its painting will be seen (``PaintRequest.mattes``)."""
    paints_regions: bool = False
    """It has ``paint_region``, at a cost that goes with the region's size."""
    shares_looks: bool = False
    """It takes over the look of another shot's painting (``PaintRequest.anchor``)."""
    every_frame: EveryFrame | None = None
    """It makes all frames of a window together; ``None``: it paints keyframes."""
    chain: Literal["keys", "ends", "none"] = "keys"
    """The keyframes that decide the carry to the next window.

    ``ends``: the first and the last alone (and, by way of the first, the windows before), so that a change of a keyframe within
    leaves the other windows as they are. ``keys``: all keyframes. ``none``: there is nothing to carry, and a keyframe comes out
    the same in whatever window it is painted, so that windows of a shot can be painted at once, and in any order."""

    def __post_init__(self) -> None:
        if not self.cost >= 0:
            raise ValueError(f"a painter's cost is at least 0, got {self.cost!r}")
        if isinstance(self.controls, str) or not all(isinstance(kind, str) for kind in self.controls):
            raise ValueError(f"controls are the names of some control maps, got {self.controls!r}")
        if self.chain not in ("keys", "ends", "none"):
            raise ValueError(f"a painter's chain is keys, ends or none, got {self.chain!r}")
        if self.every_frame is not None and self.chain != "keys":
            raise ValueError(f"windows of every frame build on each other by all of their frames, got {self.chain!r}")


class Painter(Protocol):
    """Repaints keyframes. Built once per job with its own options; holds models, but no state of the footage.

    A class that derives from this one inherits ``capabilities``, ``notes`` and ``close`` for a painter that needs nothing."""

    name: str

    @property
    def capabilities(self) -> Capabilities:
        """Declares what it needs and can do; does not change once it is built."""
        return Capabilities()

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for a person about what it painted with, read when all is painted."""
        return ()

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides what it paints: options, digests of weights and style pictures, and of versions those that change
        pixels (``restyle.versions`` has the rule). Plain JSON."""
        ...

    def memory(self, size: tuple[int, int], frames: int) -> MemoryEstimate | None:
        """Estimate of what painting takes, of pictures of ``size`` (width, height) in windows of ``frames``, on this machine.

        Of weights that are not here only what is known without them; ``None``: it takes little, or nobody knows. Fetches
        and raises nothing."""
        return None

    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        """Paint every keyframe of ``request``.

        ``carry`` is what the call before it, on the same shot, returned; ``None`` at the start of a shot.
        Gives one painting a keyframe (same shape and dtype as its picture), and the carry for the next window.
        The same arguments give the same pixels. Raises ``PainterError``.
        """
        ...

    def paint_region(self, request: RegionRequest) -> np.ndarray:
        """Paint a region of a frame that is no keyframe: h x w x 3 of the box, in the picture's dtype.

        It is what the painting of that frame alone would be there, but with the statistics of ``request.keyframe``; the
        frame's own picture as its keyframe gives the painting itself. The same arguments give the same pixels. Only of
        painters that declare ``Capabilities.paints_regions``. Raises ``PainterError``.
        """
        why = f"painter {self.name!r} paints no regions"  # type checkers take a body that only raises for abstract
        raise NotImplementedError(why)

    def close(self) -> None:
        """Let go of models and threads."""
        return None


def check_painter(painter: Any, name: str) -> Painter:
    """Give the painter, if it has all that one has. Raises ``PartError``, which names what is missing."""
    missing = [part for part in PARTS if getattr_static(painter, part, None) is None]
    if missing:
        raise PartError(f"painter {name!r} has no {', '.join(missing)}: derive it from restyle.painters.base.Painter")
    if not isinstance(painter.capabilities, Capabilities):
        raise PartError(f"painter {name!r} declares a {type(painter.capabilities).__name__} as its capabilities")
    own = getattr_static(painter, "paint_region", None)
    if painter.capabilities.paints_regions and own in (None, Painter.paint_region):
        raise PartError(f"painter {name!r} declares that it paints regions, and has no paint_region")
    checked: Painter = painter
    return checked
