"""Options of the painter ``edit``: plain values, checked when built. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from restyle.errors import RecipeError
from restyle.painters.networks.choices import check_choice, check_range
from restyle.painters.networks.specs import ControlSpec, control_spec

__all__ = ["REFERENCES", "Options"]

CONSISTENCIES = ("anchor", "none")
REFERENCES = (
    "The second image is another frame of the same video, and the third image is that frame, edited. "
    "Edit the first image alone, and give it exactly the look of the third."
)
"""Words put behind the prompt of a keyframe that is shown with the anchor."""


@dataclass(frozen=True)
class Options:
    """Options of the painter ``edit``, by diffusers' names where it has them.

    Raises ``RecipeError`` for values that cannot be.
    """

    model: str = "klein"
    """A name that ``restyle models list`` gives, a hub id (``owner/name``, ``owner/name@revision``), or a folder."""
    controls: Sequence[ControlSpec | Mapping[str, Any]] = ()
    """ControlNets, for image-to-image models that take them."""
    steps: int | None = None
    """Steps of the whole schedule; ``None``: what suits the model."""
    guidance_scale: float | None = None
    """Guidance scale, of the kind that the model has; ``None``: what suits the model."""
    strength: float | None = None
    """Part of the schedule that is painted of a keyframe that begins from its own picture, from 0 to 1; ``None``: what suits
    the model. Editors begin from noise: 1."""
    follow: float | None = None
    """Part of the schedule that is painted of a keyframe that begins from the painting before it, carried along the motion;
    1: it does not. ``None``: what suits the model."""
    consistency: str = "anchor"
    """``anchor``: keyframes follow the shot's first, and have the same noise; ``none``: each is painted alone."""
    reference_prompt: str = REFERENCES
    """Words put behind the prompt of keyframes that are shown with the anchor and its painting."""
    resolution: int | None = None
    """Side, in pixels, of a square of as many pixels as are painted, in the footage's shape; ``None``: 1024, which these models
    are made for; 0: the footage's own size."""
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
        object.__setattr__(self, "controls", tuple(control_spec(control) for control in self.controls))
        check_choice("consistency", self.consistency, CONSISTENCIES)
        check_choice("dtype", self.dtype, (None, "bfloat16", "float16", "float32"))
        check_range("steps", self.steps, 1, 1000)
        check_range("guidance_scale", self.guidance_scale, 0, 50)
        check_range("strength", self.strength, 0, 1)
        check_range("follow", self.follow, 0, 1)
        check_range("resolution", self.resolution, 0, 8192)
        if self.resolution and self.resolution < 64:
            raise RecipeError(f"painter option resolution is 0 or at least 64 pixels, got {self.resolution}")
        for name in ("strength", "follow"):
            if getattr(self, name) == 0:
                raise RecipeError(f"painter option {name} is more than 0: something has to be painted")

    @property
    def control_specs(self) -> tuple[ControlSpec, ...]:
        """The ControlNets."""
        return tuple(control for control in self.controls if isinstance(control, ControlSpec))
