"""Options of the painter ``video``: plain values, checked when built. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from restyle.errors import RecipeError
from restyle.painters.networks.choices import check_choice, check_range
from restyle.painters.networks.specs import ControlSpec, LoraSpec, control_spec, lora_spec

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Options of the painter ``video``, by diffusers' names where it has them.

    Raises ``RecipeError`` for values that cannot be.
    """

    model: str = "vace-1.3b"
    """A name that ``restyle models list`` gives, a hub id (``owner/name``, ``owner/name@revision``), or a folder."""
    steps: int | None = None
    """Steps of the schedule; ``None``: what suits the model."""
    guidance_scale: float | None = None
    """``None``: what suits the model."""
    strength: float | None = None
    """Part of the schedule that is made, from 0 to 1, of models that begin from the footage; ``None``: what suits the model."""
    motion: str | None = None
    """Motion adapter of AnimateDiff: hub id or folder; ``None``: its authors' last one."""
    loras: Sequence[LoraSpec | Mapping[str, Any] | str] = ()
    """LoRAs, of motion or of a look: hub ids, folders or files, ``SOURCE:WEIGHT``, or tables of source, weight and file."""
    frames: int | None = None
    """Frames that are made together, at most; ``None``: as many as the model was made for. Fewer take less memory."""
    overlap: int | None = None
    """Frames that a window shares with the one before; ``None``: what suits the model."""
    style: str | None = None
    """A picture that is shown to the model, of the look or of what is to be seen."""
    resolution: int | None = None
    """Side, in pixels, of a square of as many pixels as are painted, in the footage's shape; ``None``: what the model was made
    for; 0: the footage's own size."""
    controls: Sequence[ControlSpec | Mapping[str, Any]] = ()
    """Tables: kind and strength of each control map; of models that are led by ControlNets also model, start and end."""
    device: str | None = None
    """``cuda``, one GPU of several (``cuda:1``), ``mps`` or ``cpu``; ``None``: the best there is."""
    dtype: str | None = None
    """``bfloat16``, ``float16`` or ``float32``; ``None``: what suits the device."""
    offload: bool | None = None
    """Keep in the device's memory only what is at work; ``None``: where it would not fit otherwise."""
    variant: str | None = None
    """Variant of the files, such as ``fp16``; ``None``: what is there."""
    offline: bool = False

    def __post_init__(self) -> None:
        check_choice("dtype", self.dtype, (None, "bfloat16", "float16", "float32"))
        check_range("steps", self.steps, 1, 1000)
        check_range("guidance_scale", self.guidance_scale, 0, 50)
        check_range("strength", self.strength, 0.01, 1)
        check_range("frames", self.frames, 2, 1000)
        check_range("overlap", self.overlap, 1, 100)
        check_range("resolution", self.resolution, 0, 8192)
        if self.resolution and self.resolution < 64:
            raise RecipeError(f"painter option resolution is 0 or at least 64 pixels, got {self.resolution}")
        loras = (self.loras,) if isinstance(self.loras, str) else self.loras
        object.__setattr__(self, "loras", tuple(lora_spec(lora) for lora in loras))
        object.__setattr__(self, "controls", tuple(control_spec(control) for control in self.controls))

    @property
    def control_specs(self) -> tuple[ControlSpec, ...]:
        """The control maps that lead the frames."""
        return tuple(control for control in self.controls if isinstance(control, ControlSpec))

    @property
    def lora_specs(self) -> tuple[LoraSpec, ...]:
        """The LoRAs that are put onto the model."""
        return tuple(lora for lora in self.loras if isinstance(lora, LoraSpec))
