"""An adapter: one family of models, what it can, and how its pipeline of diffusers is called. Imports torch when it paints."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "MEGAPIXEL",
    "Editor",
    "Family",
    "Keyframe",
    "Map",
    "Tick",
    "Traits",
    "control_arguments",
    "from_unit_picture",
]

MEGAPIXEL = 1 << 20
TOKEN = 16  # pixels a side of what a transformer takes as one token, in all of these families
Tick = Callable[[int], None]
"""Called after each step with its number, from 1 on; may raise to stop."""


@dataclass(frozen=True)
class Traits:
    """Facts of a family of models."""

    title: str
    """As its makers call it."""
    pipeline: str
    """Class of diffusers that its ``model_index.json`` names."""
    pictures: int
    """Pictures that it is shown at most beside the noise; 0: it paints from a picture alone (image to image)."""
    steps: int
    guidance_scale: float
    follow: float
    """Part of the schedule that is painted of a keyframe that begins from its neighbour's painting; 1: it begins from noise."""
    strength: float = 1.0
    """The same of one that begins from its own picture."""
    negative: bool = False
    """It reads negative prompts."""
    controlnet: str | None = None
    """Class of its ControlNets; ``None``: it takes none ..."""
    controlled: str | None = None
    """... and of the pipeline that has them."""
    controlnets: int = 8
    """ControlNets that it takes at once; those that take one count in all steps."""
    inpaints: bool = True
    """It can hold what lies round a matte to the footage."""
    multiple: int = TOKEN
    """Sides that it paints are multiples of so many pixels."""
    resolution: int = 1024
    """Side of a square of as many pixels as it was made for."""
    tokenizer: str = "tokenizer"
    """The part of the pipeline that divides prompts into tokens ..."""
    words: int | None = None
    """... of which so many are read; ``None``: all."""


@dataclass(frozen=True)
class Map:
    """A control map of one keyframe, for one ControlNet."""

    picture: Image
    strength: float
    start: float
    """Part of the steps from which it counts."""
    end: float


@dataclass(frozen=True)
class Keyframe:
    """A keyframe to be painted. All pictures but the references are of one size, the one that is painted at."""

    picture: Image
    """The footage's own, or with a ``matte`` and a start the neighbour's painting within it."""
    prompt: str
    negative_prompt: str
    seed: int
    """Of its noise."""
    steps: int
    """Of the whole schedule."""
    guidance_scale: float
    references: tuple[Image, ...] = ()
    """Further pictures that it is shown."""
    start: Image | None = None
    """The picture that it begins from; ``None``: its own."""
    strength: float = 1.0
    """Part of the schedule that is painted."""
    matte: np.ndarray | None = None
    """Bool H x W: what is painted; round it the start is kept. ``None``: all."""
    maps: tuple[Map, ...] = ()

    @property
    def begins(self) -> Image:
        """The picture that it begins from."""
        return self.picture if self.start is None else self.start


class Family(ABC):
    """Adapter of one family."""

    traits: ClassVar[Traits]

    @abstractmethod
    def paint(self, pipe: Any, keyframe: Keyframe, tick: Tick) -> np.ndarray:
        """Paint a keyframe: float32 H x W x 3. The same keyframe gives the same pixels.

        ``pipe``: the model's own pipeline, or the one with its ControlNets.
        """


class Editor(Family):
    """Adapter of a family whose pipeline begins from noise, and may be shown pictures.

    A beginning from a picture (SDEdit, Meng et al. 2022) and a hold on what lies round a matte are made through what the
    pipelines take: latents, sigmas and a callback; as the library's own pipelines for inpainting make them, number for number.
    """

    @abstractmethod
    def arguments(self, keyframe: Keyframe) -> dict[str, Any]:
        """The pipeline's arguments that differ between families."""

    @abstractmethod
    def latents(self, pipe: Any, picture: Image, generator: Any) -> tuple[Any, Any]:
        """Noise and the picture's latents, both as the transformer takes them: 1 x tokens x channels."""

    def painted(self, matte: np.ndarray) -> np.ndarray:
        """Bool, as the latents that the transformer takes: what of them is painted, of a matte, bool H x W."""
        return tokens_of(matte).reshape(1, -1, 1)

    def shift(self, pipe: Any, tokens: int, steps: int) -> float:
        """The shift of the schedule's times (FLUX's way, by the picture's size)."""
        config = pipe.scheduler.config
        return _module(pipe).calculate_shift(  # type: ignore[no-any-return]
            tokens,
            config.get("base_image_seq_len", 256),
            config.get("max_image_seq_len", 4096),
            config.get("base_shift", 0.5),
            config.get("max_shift", 1.15),
        )

    def unpacked(self, latents: Any, size: tuple[int, int]) -> Any:
        """Latents as the pipeline takes them, of such as the transformer takes. ``size``: width and height in pixels."""
        return latents

    def paint(self, pipe: Any, keyframe: Keyframe, tick: Tick) -> np.ndarray:
        """See ``Family.paint``."""
        import torch

        generator = torch.Generator("cpu").manual_seed(keyframe.seed)
        arguments = {
            "prompt": keyframe.prompt,
            "num_inference_steps": keyframe.steps,
            "generator": generator,
            "output_type": "np",
            **self.arguments(keyframe),
        }
        hold = None
        if keyframe.strength < 1 or keyframe.matte is not None:
            begun, hold = self._begun(pipe, keyframe, generator)
            arguments |= begun

        def after(pipe: Any, number: int, time: Any, values: dict[str, Any]) -> dict[str, Any]:
            tick(number + 1)
            return values if hold is None else {"latents": hold(number, values["latents"])}

        with sized(pipe, keyframe.picture.size):
            if "callback_on_step_end" in signature(pipe.__call__).parameters:
                arguments["callback_on_step_end"] = after
            return from_unit_picture(pipe(**arguments).images[0])

    def _begun(self, pipe: Any, keyframe: Keyframe, generator: Any) -> tuple[dict[str, Any], Callable[[int, Any], Any]]:
        """The arguments that begin from a picture, and what holds its latents round the matte after each step."""
        import torch

        noise, clean = self.latents(pipe, keyframe.begins, generator)
        whole = keyframe.steps
        made = whole if keyframe.strength >= 1 else max(1, min(round(whole * keyframe.strength), whole - 1))
        times = np.linspace(1.0, 1 / whole, whole)[whole - made :]
        scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config)
        tokens = (keyframe.picture.width // TOKEN) * (keyframe.picture.height // TOKEN)
        scheduler.set_timesteps(sigmas=times.tolist(), device=noise.device, mu=self.shift(pipe, tokens, whole))
        sigmas = scheduler.sigmas.to(noise.device)

        def at(sigma: Any) -> Any:
            return sigma * noise + (1 - sigma) * clean

        painted = None
        if keyframe.matte is not None:
            painted = torch.from_numpy(self.painted(keyframe.matte)).to(noise.device)

        def hold(number: int, latents: Any) -> Any:
            if painted is None:
                return latents
            return torch.where(painted, latents, at(sigmas[number + 1]).to(latents.dtype))

        first = at(sigmas[0]).to(noise.dtype)
        return {"sigmas": times.tolist(), "latents": self.unpacked(first, keyframe.picture.size)}, hold


def control_arguments(maps: Sequence[Map]) -> dict[str, Any]:
    """Arguments of a pipeline of one ControlNet or several."""
    if not maps:
        return {}
    each: dict[str, list[Any]] = {
        "control_image": [one.picture for one in maps],
        "controlnet_conditioning_scale": [one.strength for one in maps],
        "control_guidance_start": [one.start for one in maps],
        "control_guidance_end": [one.end for one in maps],
    }
    return {name: values if len(maps) > 1 else values[0] for name, values in each.items()}


def tokens_of(matte: np.ndarray) -> np.ndarray:
    """Bool h x w: the tokens of which some pixel is in a matte, bool H x W."""
    height, width = matte.shape
    cells = matte.reshape(height // TOKEN, TOKEN, width // TOKEN, TOKEN)
    return np.asarray(cells.any(axis=(1, 3)))


def from_unit_picture(picture: np.ndarray) -> np.ndarray:
    """The picture that a pipeline gave, float32 H x W x 3."""
    return np.ascontiguousarray(picture, np.float32)


@contextmanager
def sized(pipe: Any, size: tuple[int, int]) -> Iterator[None]:
    """Let a pipeline that brings all pictures to a million pixels bring them to the size that is painted at.

    What is painted lies on the same grid as the picture that is shown then, so that nothing is shifted; and a smaller size
    takes less memory. The number stands in the pipelines' code (``calculate_dimensions``), where no argument reaches it.
    """
    module = _module(pipe)
    original = getattr(module, "calculate_dimensions", None)
    if original is None:
        yield
        return
    width, height = size

    def dimensions(area: int, ratio: float) -> tuple[Any, ...]:
        found: tuple[Any, ...] = original(width * height if area == MEGAPIXEL else min(area, width * height), ratio)
        same = area == MEGAPIXEL and abs(ratio - width / height) < 1e-9
        return (width, height, *found[2:]) if same else found

    module.calculate_dimensions = dimensions  # type: ignore[attr-defined]
    try:
        yield
    finally:
        module.calculate_dimensions = original  # type: ignore[attr-defined]


def _module(pipe: Any) -> ModuleType:
    return import_module(type(pipe).__module__)
