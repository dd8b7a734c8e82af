"""An adapter: one family of models of video, what it can, and how its pipeline of diffusers is called."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from restyle.painters.networks.sizes import working_size

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Family", "Film", "Guide", "Tick", "Traits"]

Tick = Callable[[int], None]
"""Called after each step with its number, from 1 on; may raise to stop."""


@dataclass(frozen=True)
class Traits:
    """Facts of a family of models."""

    title: str
    """As its makers call it."""
    pipeline: str
    """Class of diffusers that its ``model_index.json`` names."""
    steps: int
    guidance_scale: float
    longest: int
    """Frames that it makes at most, or was made for."""
    frame_multiple: int
    """It makes one frame more than a multiple of so many."""
    overlap: int
    """Frames that a window shares with the one before, if nobody says."""
    pixel_multiple: int
    """Sides that it paints are multiples of so many pixels."""
    resolution: int
    """Side of a square of as many pixels as it was made for."""
    also: tuple[str, ...] = ()
    """Further classes that models of the same parts are named by."""
    strength: float | None = None
    """Part of the schedule that is made of frames that begin from the footage's own; ``None``: they begin from noise."""
    motion: str | None = None
    """Hub id of the motion adapter that is put into it, if nobody names one; ``None``: it takes none."""
    controlnets: bool = False
    """Control maps lead it by ControlNets, one each."""
    maps: Literal["none", "may", "must"] = "may"
    """Whether it takes control maps, or needs one; without ControlNets one at most."""
    kinds: tuple[str, ...] = ()
    """Kinds of control map that it was taught; empty: any."""
    weighed: bool = True
    """Its control map can count more or less."""
    begins: bool = False
    """It goes on from a painted frame: the first window of a shot has to have one."""
    prompts: bool = True
    """It reads prompts."""
    references: int = 0
    """Pictures that it can be shown of what is to be seen."""
    character: bool = False
    """The first of them is of who is to be seen, and has to be there (the painter's option ``style``)."""
    faces: bool = False
    """It is shown the footage's faces, close up."""
    holds: bool = True
    """It keeps frames that are known, and what lies round mattes."""
    sees: bool = False
    """It sees pictures by an image encoder of its own."""
    loras: bool = True
    """Its pipeline takes LoRAs."""
    negative: bool = True
    """It reads negative prompts."""
    words: int | None = None
    """Tokens of a prompt that it reads; ``None``: all, or none."""
    sound: bool = False
    """It makes sound, too, which is dropped."""
    frames_a_latent: int | None = None
    """Frames that are one to its network, after the first; ``None``: as many as ``frame_multiple``."""
    rows: int = 2
    """Times that its network is computed at once: 2 where what guides is computed with what is guided."""

    def painted_size(self, size: tuple[int, int], resolution: int | None) -> tuple[int, int]:
        """Width and height at which footage of a size is painted. ``resolution``: as of the painter's options."""
        side, multiple = self.resolution if resolution is None else resolution, self.pixel_multiple
        return working_size(*size, side, multiple=multiple, least_multiple=multiple)


@dataclass(frozen=True)
class Guide:
    """Control maps of one kind, one for each frame: uint8 h x w x 3."""

    maps: tuple[np.ndarray, ...]
    strength: float = 1.0
    start: float = 0.0
    """Part of the steps from which it counts."""
    end: float = 1.0


@dataclass(frozen=True)
class Film:
    """Frames to be made together. All pictures but the references and faces are of the size that is painted at, uint8
    h x w x 3."""

    pictures: tuple[np.ndarray, ...]
    """The footage's own."""
    guides: tuple[Guide, ...]
    """Control maps that say where everything is."""
    prompt: str
    negative_prompt: str
    seed: int
    steps: int
    guidance_scale: float
    first: int = 0
    """Number of the first frame, counted from the shot's first."""
    strength: float = 1.0
    """Part of the schedule that is made."""
    known: dict[int, np.ndarray] = field(default_factory=dict)
    """Frames that are painted already, by their place."""
    mattes: tuple[np.ndarray, ...] = ()
    """Bool h x w: what is painted of each frame; empty: all."""
    references: tuple[Image, ...] = ()
    faces: tuple[np.ndarray, ...] = ()
    """The face in each of the footage's frames, close up: square; black where there is none. Empty: it is not asked for."""
    rate: float | None = None
    """Frames a second."""

    def padded(self, length: int) -> Film:
        """The same with its last frame standing still, so that there are ``length``."""
        more = length - len(self.pictures)
        if more < 1:
            return self

        def longer(values: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
            return (*values, *[values[-1]] * more) if values else ()

        known, last = dict(self.known), len(self.pictures) - 1
        if last in known:
            known |= {last + 1 + number: known[last] for number in range(more)}
        return replace(
            self,
            pictures=longer(self.pictures),
            guides=tuple(replace(guide, maps=longer(guide.maps)) for guide in self.guides),
            known=known,
            mattes=longer(self.mattes),
            faces=longer(self.faces),
        )


class Family(ABC):
    """Adapter of one family."""

    traits: ClassVar[Traits]

    def build(self, pipe: Any, parts: Mapping[str, Sequence[Path]], dtype: Any) -> Any:
        """Make the pipeline that is called of the model's own and further parts, by kind. Raises ``MissingModelError``."""
        return pipe

    @abstractmethod
    def make(self, pipe: Any, film: Film, tick: Tick) -> np.ndarray:
        """Make the frames of a film: float32 n x h x w x 3 in [0, 1]. The same film gives the same pixels."""

    def length(self, frames: int) -> int:
        """The length, in frames, that the model makes where ``frames`` are asked for."""
        multiple = self.traits.frame_multiple
        return -(-(frames - 1) // multiple) * multiple + 1
