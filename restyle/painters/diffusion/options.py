"""Options of the diffusion painter: plain values, checked when built. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from interp.options import checked_options
from restyle.errors import RecipeError
from restyle.painters.diffusion.presets import PRESETS, SCHEDULES
from restyle.painters.networks.choices import check_choice, check_range
from restyle.painters.networks.specs import (
    ControlSpec,
    EmbeddingSpec,
    LoraSpec,
    StyleSpec,
    control_spec,
    embedding_spec,
    lora_spec,
    style_spec,
)

__all__ = ["RENAMED", "Options", "current_options", "no_inversion"]

ATTENTION_MODES = ("none", "anchor-previous", "joint", "trajectory", "woven")
LAYERS = ("decoder", "all")
STARTS = ("noise", "inversion")
WEIGHTINGS = ("numbers", "compel")
RENAMED: Mapping[str, str] = {
    "denoise": "strength",
    "guidance": "guidance_scale",
    "longest": "resolution",
    "look": "preset",
    "move_noise": "warp_noise",
    "trails_until": "trajectories_until",
}
"""Old name of an option -> its name now. Old ones still load."""


@dataclass(frozen=True)
class Options:
    """Options of the painter ``diffusion``, by diffusers' names where it has them.

    Raises ``RecipeError`` for values that cannot be.
    """

    model: str = "sd15"
    """A name that ``restyle models list`` gives, a hub id (``owner/name``, ``owner/name@revision``), a folder, or a
    ``.safetensors`` file."""
    config: str | None = None
    """Hub id or folder whose configuration a model of one file uses; ``None``: diffusers finds out."""
    controls: Sequence[ControlSpec | Mapping[str, Any]] = ()
    style: str | None = None
    """A picture whose style is taken, through an IP-Adapter."""
    style_weight: float = 0.6
    ip_adapter: str | None = None
    """Hub id or folder of the IP-Adapter; ``None``: the one that suits the base model."""
    styles: Sequence[StyleSpec | Mapping[str, Any]] = ()
    """Further pictures, through IP-Adapters of their own: tables of ``StyleSpec``'s fields."""
    loras: str | Sequence[LoraSpec | Mapping[str, Any] | str] = ()
    """``SOURCE``, ``SOURCE:WEIGHT``, or tables of ``LoraSpec``'s fields."""
    embeddings: str | Sequence[EmbeddingSpec | Mapping[str, Any] | str] = ()
    """Words that were trained (textual inversion): ``SOURCE``, or tables of ``EmbeddingSpec``'s fields."""
    vae: str | None = None
    schedule: str | None = None
    """``lcm``, ``turbo``, ``lightning``, ``hyper`` or ``tcd``, with a model or a LoRA that was distilled for it."""
    schedule_steps: int | None = None
    """Steps of the whole schedule that a model or a LoRA was distilled for (a LoRA of 4 steps: 4); the strength's part of them
    is made. ``None``: what suits the schedule."""
    steps: int | None = None
    """Steps that are really made, in place of the schedule's; ``None``: 20, or what the schedule has."""
    guidance_scale: float | None = None
    """Classifier-free guidance scale; at 1 or below none. ``None``: 7 for SD 1.5, 6 for SDXL, or what suits the schedule."""
    guidance_rescale: float = 0.0
    """How far, 0 to 1, guidance keeps the spread that the output has without it: models of zero terminal SNR paint too bright
    otherwise; published 0.7 (Lin et al. 2023, Common Diffusion Noise Schedules and Sample Steps are Flawed)."""
    weighting: str = "numbers"
    """How words are weighed: ``numbers``, ``(words:1.4)``; or ``compel``, its whole language, plus and minus, too."""
    clip_skip: int = 0
    """Last layers of the text encoders that are left out, for prompt and negative prompt; SDXL always leaves one out."""
    preset: str = "flex"
    """``adhere``, ``flex`` or ``reimagine``: how far paintings depart from the footage."""
    strength: float | None = None
    """Part of the schedule that is painted, in place of the preset's: 0 to 1."""
    start: str = "noise"
    """Starting point of the painting: ``noise``, mixed with the footage's picture, or its ``inversion`` (see ``inversion``)."""
    attention: str = "woven"
    """``none``, ``anchor-previous``, ``joint``, ``trajectory`` or ``woven``: see ``window``."""
    own_weight: float = 1.0
    """How much a keyframe's own tokens count in attention beside those of the others that it attends to; 0: not at all."""
    neighbours: bool = False
    """Keyframes between a window's ends attend along their trajectories to the keyframe before them, too."""
    disoccluded: bool = False
    """Keyframes between a window's ends (``woven``) attend also to what its last keyframe shows and its first does not."""
    layers: str = "decoder"
    """Blocks of the UNet in which keyframes attend to each other: the ``decoder``'s, or ``all``."""
    trajectories_until: float = 0.65
    """Part of the steps in which tokens attend along their trajectories."""
    warp_noise: bool = True
    """Noise moves with the footage."""
    shape_until: float = 0.2
    """Part of the steps in which shapes are taken from the keyframe before; 0: never."""
    pixel_fusion: float = 0.0
    """How far, in half to four fifths of the steps, keyframes are drawn towards the pixels of the window's ends, moved to where
    they lie: 0 to 1; published: 0.5."""
    colour_from: float = 0.8
    """Part of the steps from which colours are held to those of the window's first keyframe; 1: never."""
    resolution: int | None = None
    """Side, in pixels, of the square that has as many pixels as are painted, whatever the picture's shape; ``None``: 576 for
    SD 1.5, 1024 for SDXL; 0: the footage's own size."""
    batch: int | None = None
    """Keyframes painted at once; ``None``: as many as there is memory for."""
    device: str | None = None
    """``cuda``, one GPU of several (``cuda:1``), ``mps`` or ``cpu``; ``None``: the best there is."""
    dtype: str | None = None
    """``float16``, ``bfloat16`` or ``float32``; ``None``: what suits the device."""
    offload: bool | None = None
    """Keep in the device's memory only what is at work; ``None``: where it would not fit otherwise."""
    variant: str | None = None
    """Variant of the files, such as ``fp16``; ``None``: ``fp16`` where that is what is computed with and it is there."""
    allow_pickle: bool = False
    """Load weights that are not safetensors: whoever made such a file can run any program here."""
    offline: bool = False

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "controls", tuple(control_spec(control) for control in self.controls))
        put(self, "loras", tuple(lora_spec(lora) for lora in _several(self.loras)))
        put(self, "embeddings", tuple(embedding_spec(one) for one in _several(self.embeddings)))
        put(self, "styles", tuple(style_spec(style) for style in self.styles))
        check_choice("attention", self.attention, ATTENTION_MODES)
        check_choice("layers", self.layers, LAYERS)
        check_choice("preset", self.preset, tuple(PRESETS))
        check_choice("start", self.start, STARTS)
        check_choice("weighting", self.weighting, WEIGHTINGS)
        check_choice("dtype", self.dtype, (None, "float16", "bfloat16", "float32"))
        check_choice("schedule", self.schedule, (None, *SCHEDULES))
        for name in ("trajectories_until", "shape_until", "pixel_fusion", "colour_from", "strength", "style_weight"):
            check_range(name, getattr(self, name), 0, 2 if name == "style_weight" else 1)
        check_range("steps", self.steps, 1, 1000)
        check_range("schedule_steps", self.schedule_steps, 1, 1000)
        if self.steps is not None and self.schedule_steps is not None:
            raise RecipeError(
                "painter options steps (those that are made) and schedule_steps (those of which the strength's part is made) "
                "say the same in two ways: leave one out"
            )
        check_range("clip_skip", self.clip_skip, 0, 10)
        check_range("own_weight", self.own_weight, 0, 10)
        check_range("guidance_scale", self.guidance_scale, 0, 50)
        check_range("guidance_rescale", self.guidance_rescale, 0, 1)
        check_range("batch", self.batch, 1, 1000)
        check_range("resolution", self.resolution, 0, 8192)
        if self.resolution and self.resolution < 64:
            raise RecipeError(f"painter option resolution is 0 or at least 64 pixels, got {self.resolution}")
        if self.start == "inversion" and self.schedule is not None and SCHEDULES[self.schedule].draws:
            raise no_inversion(f"the schedule {self.schedule!r}")

    @property
    def denoising_strength(self) -> float:
        """Part of the schedule that is painted."""
        return PRESETS[self.preset].strength if self.strength is None else self.strength

    @property
    def control_kinds(self) -> tuple[str, ...]:
        """Kinds of the control maps that the ControlNets take."""
        return tuple(control.kind for control in self.controls if isinstance(control, ControlSpec))

    @property
    def all_styles(self) -> tuple[StyleSpec, ...]:
        """The style picture, and the further ones."""
        first = () if self.style is None else (StyleSpec(self.style, self.ip_adapter, weight=self.style_weight),)
        return (*first, *(style for style in self.styles if isinstance(style, StyleSpec)))


def current_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The options by the names that they have now, and a note on each that was renamed.

    Raises ``RecipeError`` where one is given by both names, ``ValueError`` for a value of another type than the option's.
    """
    current: dict[str, Any] = {}
    notes = []
    for name, value in options.items():
        new = RENAMED.get(name, name)
        if new != name:
            if new in options:
                raise RecipeError(f"painter option {name} is called {new} now, and both are given: leave {name} out")
            notes.append(f"painter option {name} is called {new} now")
        current[new] = value
    return (checked_options(Options, current) if notes else current), notes


def no_inversion(what: str) -> RecipeError:
    """The error for a scheduler that adds noise of its own."""
    return RecipeError(
        f"{what} adds noise in each step, which would cover what inversion found; "
        "leave the painter option start=inversion out, or take another schedule or model"
    )


def _several(values: Any) -> Sequence[Any]:
    return [values] if isinstance(values, str) else values
