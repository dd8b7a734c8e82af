"""Prompts, mattes and control maps: the shapes that prompts, maskers and control maps agree on.

Pictures are C-contiguous H x W x 3 RGB arrays (uint8, uint16, float32). Mattes are float32 H x W in [0, 1]. A position is
(x, y) in pixels of the upright picture, from its top left corner: x to the right, y down, and (0, 0) is the centre of the first
pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

__all__ = [
    "Box",
    "ControlMap",
    "Masked",
    "Masker",
    "MaskerTraits",
    "Matte",
    "MatteClip",
    "MatteFolder",
    "People",
    "Pictures",
    "Point",
    "Prompt",
    "Prompted",
    "PublishedWeights",
    "Text",
    "WholeShot",
]


@dataclass(frozen=True)
class Point:
    """A position on the object, or (``positive=False``) one that is not on it."""

    x: float
    y: float
    positive: bool = True


@dataclass(frozen=True)
class Box:
    """A rectangle around the object; the edges lie on pixel centres."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (self.left < self.right and self.top < self.bottom):
            raise ValueError(
                f"a box is left,top,right,bottom with left < right and top < bottom, got "
                f"{self.left:g},{self.top:g},{self.right:g},{self.bottom:g}"
            )


@dataclass(frozen=True)
class Text:
    """The object named in words, to be grounded: found in the picture."""

    phrase: str


@dataclass(frozen=True, eq=False)
class Matte:
    """A drawn matte of the object: float32 H x W in [0, 1], of the picture's size."""

    values: np.ndarray

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype != np.float32:
            raise ValueError(f"a matte is float32 H x W, got {self.values.shape} of {self.values.dtype}")


@dataclass(frozen=True)
class MatteFolder:
    """Mattes that are there already: a folder of numbered pictures, one a frame of the footage (``car.0001.png``). The numbers
    may start anywhere, but none may be missing."""

    path: Path
    label: int | None = None
    """Where the pictures hold labels: the one that is meant; ``None``: any."""
    first: int = 0
    """Which of them, counted from 0, belongs to the shot's first frame."""
    count: int | None = None
    """How many there must be; ``None``: as many as reach to the shot's end."""

    def __post_init__(self) -> None:
        if self.first < 0:
            raise ValueError(f"the shot's first frame is one of 0, 1, 2 ..., got {self.first}")


@dataclass(frozen=True)
class MatteClip:
    """Mattes that are there already: a clip of as many frames as the footage; its alpha, or its brightness if it has none."""

    path: Path
    first: int = 0
    """Which of its frames belongs to the shot's first."""
    count: int | None = None
    """How many there must be; ``None``: as many as reach to the shot's end."""


@dataclass(frozen=True)
class People:
    """All people in the picture, with nothing marked."""


WholeShot = MatteFolder | MatteClip | People
"""Prompts that hold for a whole shot and mark nothing on one frame. Who follows them is decided by their kind alone."""
Prompt = Point | Box | Text | Matte | WholeShot


@dataclass(frozen=True)
class Prompted:
    """One prompt for one object on one frame."""

    name: str
    """The object's name, chosen by the person."""
    frame: int
    """Number within the shot, from 0."""
    prompt: Prompt


class Pictures(Protocol):
    """The consecutive frames of one shot, read in runs, so that no one has to hold them all."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        ...

    def __len__(self) -> int: ...

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Frames ``start`` up to, not including, ``stop``, ascending, one at a time."""
        ...


@dataclass(frozen=True, eq=False)
class Masked:
    """One frame's mattes."""

    frame: int
    mattes: Mapping[str, np.ndarray]
    """Object's name -> float32 H x W in [0, 1]; all zero where the object is not seen."""
    lost: frozenset[str] = frozenset()
    """Objects that were being followed and cannot be found in this frame."""
    notes: tuple[str, ...] = ()
    """What a person should know of how the shot's mattes came about, one line each."""


@dataclass(frozen=True)
class PublishedWeights:
    """Files on the model hub that an option of a part stands for."""

    repository: str
    """Id on the model hub, ``owner/name``."""
    files: tuple[str, ...]
    option: str
    """The option that takes the path of their folder on this machine."""
    name: str | None = None
    """Name that ``restyle models`` knows them by."""


@dataclass(frozen=True, kw_only=True)
class MaskerTraits:
    """Prompts that a masker takes, and what it needs."""

    title: str
    """What it is called in a sentence: ``SAM 2``."""
    prompts: frozenset[type[Any]]
    """Classes of the prompts that it follows. An object that is named in words is grounded first if ``Text`` is not among
    them."""
    packages: tuple[str, ...] = ()
    """Modules beyond restyle's own needs that it imports."""
    extra: str | None = None
    """The extra of restyle that installs them."""
    published_weights: Callable[[Mapping[str, Any]], PublishedWeights | None] | None = None
    """Gives the files on the model hub that its options stand for, if they do. Whoever builds it finds those first."""
    check_weights: Callable[[Mapping[str, Any]], None] | None = None
    """Looks at the weights that its options name; raises ``interp.errors.InterpError`` if they cannot be used. ``None``: it has
    none, or brings them."""
    weights_option: str | None = None
    """Its option that names a file or a folder of weights."""
    outlines_people: bool = False
    """A person's outline serves it better than a box round the person (``masks.person_box``)."""

    def __post_init__(self) -> None:
        if self.packages and not self.extra:
            raise ValueError(f"{self.title}: packages {self.packages} need an extra that installs them")


class Masker(Protocol):
    """Follows prompted objects through a shot, both ways from their prompts. Nothing of one shot changes the next."""

    name: str
    traits: MaskerTraits

    def follow(self, pictures: Pictures, prompts: Sequence[Prompted]) -> Iterator[Masked]:
        """Yield every frame of the shot once, in the order in which they are found (not ascending, as a rule).

        Memory does not grow with the shot's length. Raises ``ValueError``, one line for a person: a prompt outside of the
        picture, a frame outside of the shot, a prompt of a kind that this masker cannot follow, one that marks nothing.
        """
        ...


@dataclass(frozen=True, eq=False)
class ControlMap:
    """One frame's condition picture, of the frame's size."""

    kind: str
    """``depth``, ``canny``, ``pose`` ..."""
    picture: np.ndarray
    """What a ControlNet is shown: uint8 H x W x 3."""
    values: np.ndarray | None = None
    """The measurement behind the picture, where it has finer steps: float32 H x W (depth in [0, 1], near = 1) or H x W x C."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Plain values that belong to it, such as a pose's joints."""
