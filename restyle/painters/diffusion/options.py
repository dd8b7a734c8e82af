"""Options of the diffusion painter: plain values, checked when built. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from interp.options import checked_options
from restyle.errors import RecipeError

__all__ = [
    "PRESETS",
    "RENAMED",
    "SCHEDULES",
    "ControlSpec",
    "LoraSpec",
    "Options",
    "Preset",
    "Schedule",
    "current_options",
    "no_inversion",
]

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
class Preset:
    """A distance of paintings from the footage."""

    strength: float
    """Part of the schedule that is painted: 0 leaves the footage as it is, 1 begins from noise alone."""
    controls: float
    """Factor of every ControlNet's weight."""


PRESETS: Mapping[str, Preset] = {
    "adhere": Preset(0.4, 1.1),
    "flex": Preset(0.6, 1.0),
    "reimagine": Preset(0.85, 0.8),
}


@dataclass(frozen=True)
class Schedule:
    """A way of sampling in few steps, for models that were distilled for it."""

    scheduler: str
    """Class of diffusers."""
    settings: Mapping[str, Any]
    steps: int
    """Steps of the whole schedule, of which the strength's part is made."""
    guidance_scale: float
    draws: bool = True
    """Whether each step adds noise of its own."""
    eta: float = 0.0
    """How much, where the scheduler lets one say."""

    def eta_of(self, steps: int) -> float:
        """The same, of so many steps: the only one has all of it."""
        return 1.0 if self.eta and steps == 1 else self.eta


TRAILING = {"timestep_spacing": "trailing"}
SCHEDULES: Mapping[str, Schedule] = {
    "lcm": Schedule("LCMScheduler", {}, 8, 1.5),
    "turbo": Schedule("EulerAncestralDiscreteScheduler", TRAILING, 4, 0.0),
    "lightning": Schedule("EulerDiscreteScheduler", TRAILING, 8, 0.0, draws=False),
    "hyper": Schedule("DDIMScheduler", {**TRAILING, "clip_sample": False}, 8, 0.0, draws=False),
    "tcd": Schedule("TCDScheduler", {}, 8, 0.0, eta=0.3),
}
"""As the models' authors sample: LCM (Luo et al. 2023), SDXL Turbo (Sauer et al. 2023), SDXL-Lightning (Lin et al. 2024),
Hyper-SD (Ren et al. 2024: DDIM for the LoRAs of N steps, TCD for that of any number), TCD (Zheng et al. 2024)."""


@dataclass(frozen=True)
class ControlSpec:
    """One ControlNet: the kind of map that it takes, and how much it counts."""

    kind: str
    model: str | None = None
    """Hub id, folder or file; ``None``: the one that suits the kind and the base model."""
    strength: float = 1.0
    start: float = 0.0
    """Part of the steps from which it counts."""
    end: float = 1.0


@dataclass(frozen=True)
class LoraSpec:
    """Trained changes to a model: hub id, folder or file, ``FILE`` within a hub id or folder, and how much they count."""

    source: str
    weight: float = 1.0
    file: str | None = None


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
    loras: str | Sequence[LoraSpec | Mapping[str, Any] | str] = ()
    """``SOURCE``, ``SOURCE:WEIGHT``, or tables of ``LoraSpec``'s fields."""
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
    weighting: str = "numbers"
    """How words are weighed: ``numbers``, ``(words:1.4)``; or ``compel``, its whole language, plus and minus, too."""
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
    """Long side, in pixels, at which is painted; ``None``: 768 for SD 1.5, 1216 for SDXL; 0: the footage's own."""
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
        put(self, "controls", tuple(_control(control) for control in self.controls))
        put(self, "loras", tuple(_lora(lora) for lora in ([self.loras] if isinstance(self.loras, str) else self.loras)))
        _check_choice("attention", self.attention, ATTENTION_MODES)
        _check_choice("layers", self.layers, LAYERS)
        _check_choice("preset", self.preset, tuple(PRESETS))
        _check_choice("start", self.start, STARTS)
        _check_choice("weighting", self.weighting, WEIGHTINGS)
        _check_choice("dtype", self.dtype, (None, "float16", "bfloat16", "float32"))
        _check_choice("schedule", self.schedule, (None, *SCHEDULES))
        for name in ("trajectories_until", "shape_until", "pixel_fusion", "colour_from", "strength", "style_weight"):
            _check_range(name, getattr(self, name), 0, 2 if name == "style_weight" else 1)
        _check_range("steps", self.steps, 1, 1000)
        _check_range("schedule_steps", self.schedule_steps, 1, 1000)
        if self.steps is not None and self.schedule_steps is not None:
            raise RecipeError(
                "painter options steps (those that are made) and schedule_steps (those of which the strength's part is made) "
                "say the same in two ways: leave one out"
            )
        _check_range("own_weight", self.own_weight, 0, 10)
        _check_range("guidance_scale", self.guidance_scale, 0, 50)
        _check_range("batch", self.batch, 1, 1000)
        _check_range("resolution", self.resolution, 0, 8192)
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


def _control(value: ControlSpec | Mapping[str, Any]) -> ControlSpec:
    spec = value if isinstance(value, ControlSpec) else _build(ControlSpec, value, "controls")
    if not 0 <= spec.start < spec.end <= 1:
        raise RecipeError(f"control {spec.kind!r} counts from its start to its end, within 0 to 1")
    return spec


def _lora(value: LoraSpec | Mapping[str, Any] | str) -> LoraSpec:
    if isinstance(value, LoraSpec):
        return value
    if isinstance(value, Mapping):
        return _build(LoraSpec, value, "loras")
    source, colon, weight = value.rpartition(":")
    try:
        return LoraSpec(source, float(weight)) if colon else LoraSpec(value)
    except ValueError:
        return LoraSpec(value)


def _build(kind: type, table: Mapping[str, Any], option: str) -> Any:
    known = [item.name for item in fields(kind)]
    for name in table:
        if name not in known:
            raise RecipeError(f"painter option {option} has no field {name!r}; it has: {', '.join(known)}")
    try:
        return kind(**table)
    except TypeError as error:
        raise RecipeError(f"painter option {option}: {error}") from None


def _check_choice(name: str, value: Any, known: Sequence[Any]) -> None:
    if value not in known:
        listed = ", ".join(str(choice) for choice in known if choice is not None)
        raise RecipeError(f"painter option {name} is one of {listed}; got {value!r}")


def _check_range(name: str, value: Any, least: float, most: float) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise RecipeError(f"painter option {name} is {least} to {most}, got {value!r}")
