"""What is in the picture: the shapes that prompts, maskers and control maps agree on.

Pictures are C-contiguous H x W x 3 RGB arrays (uint8, uint16, float32). Mattes are float32 H x W in [0, 1]. A place is (x, y)
in pixels of the upright picture, from its top left corner: x to the right, y down, and (0, 0) is the centre of the first pixel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

__all__ = ["Box", "ControlMap", "Masked", "Masker", "Matte", "Pictures", "Point", "Prompt", "Prompted", "Text"]


@dataclass(frozen=True)
class Point:
    """A place on the object, or (``positive=False``) one that is not on it."""

    x: float
    y: float
    positive: bool = True


@dataclass(frozen=True)
class Box:
    """A rectangle round the object; the edges lie on pixel centres."""

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
    """The object's name in words."""

    words: str


@dataclass(frozen=True, eq=False)
class Matte:
    """A drawn matte of the object: float32 H x W in [0, 1], of the picture's size."""

    values: np.ndarray

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype != np.float32:
            raise ValueError(f"a matte is float32 H x W, got {self.values.shape} of {self.values.dtype}")


Prompt = Point | Box | Text | Matte


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


class Masker(Protocol):
    """Follows prompted objects through a shot, both ways from their prompts."""

    name: str

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
