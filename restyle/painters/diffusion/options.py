"""What a person asks of the diffusion painter: plain values, checked when built. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from restyle.errors import RecipeError

__all__ = ["LOOKS", "SCHEDULES", "Attention", "ControlSpec", "LoraSpec", "Options", "Schedule"]

Attention = ("none", "anchor-previous", "joint", "trajectory", "woven")
LAYERS = ("decoder", "all")
STARTS = ("noise", "inversion")


@dataclass(frozen=True)
class Look:
    """How far paintings depart from the footage."""

    strength: float
    """Part of the schedule that is painted: 0 leaves the footage as it is, 1 begins from noise alone."""
    controls: float
    """Factor of every ControlNet's weight."""


LOOKS: Mapping[str, Look] = {
    "adhere": Look(0.4, 1.1),
    "flex": Look(0.6, 1.0),
    "reimagine": Look(0.85, 0.8),
}


@dataclass(frozen=True)
class Schedule:
    """A few-step way of sampling: what its models were distilled for."""

    scheduler: str
    """Class of diffusers."""
    settings: Mapping[str, Any]
    steps: int
    """Steps that are really made."""
    guidance: float
    draws: bool = True
    """Whether each step adds noise of its own."""


SCHEDULES: Mapping[str, Schedule] = {
    "lcm": Schedule("LCMScheduler", {}, 6, 1.5),
    "turbo": Schedule("EulerAncestralDiscreteScheduler", {"timestep_spacing": "trailing"}, 4, 0.0),
    "lightning": Schedule("EulerDiscreteScheduler", {"timestep_spacing": "trailing"}, 6, 0.0, draws=False),
    "hyper": Schedule("TCDScheduler", {}, 6, 0.0),
}


@dataclass(frozen=True)
class ControlSpec:
    """One ControlNet: the kind of map it looks at, and how much it counts."""

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
    """Options of the painter ``diffusion``. Raises ``RecipeError`` for values that cannot be."""

    model: str = "sd15"
    """A preset's name (see ``presets``), a hub id, a folder, or a ``.safetensors`` file."""
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
    """``lcm``, ``turbo``, ``lightning`` or ``hyper``, with a model or a LoRA that was distilled for it."""
    steps: int | None = None
    """Steps that are really made; ``None``: 20, or what suits the schedule."""
    guidance: float | None = None
    """Classifier-free guidance scale; at 1 or below none. ``None``: 7 for SD 1.5, 6 for SDXL, or what suits the schedule."""
    look: str = "flex"
    """``adhere``, ``flex`` or ``reimagine``: how far paintings depart from the footage."""
    denoise: float | None = None
    """Part of the schedule that is painted, in place of the look's: 0 to 1."""
    start: str = "noise"
    """What is painted from: ``noise``, mixed with the footage's picture, or its ``inversion`` (see ``inversion``)."""
    attention: str = "woven"
    """``none``, ``anchor-previous``, ``joint``, ``trajectory`` or ``woven``: see ``window``."""
    layers: str = "decoder"
    """Where keyframes look at each other: in the UNet's ``decoder``, or in ``all`` of its blocks."""
    trails_until: float = 0.65
    """Part of the steps in which tokens look along their paths."""
    move_noise: bool = True
    """Noise moves with the footage."""
    shape_until: float = 0.2
    """Part of the steps in which shapes are taken from the keyframe before; 0: never."""
    colour_from: float = 0.8
    """Part of the steps from which colours are held to the shot's anchor; 1: never."""
    longest: int | None = None
    """Long side, in pixels, at which is painted; ``None``: 768 for SD 1.5, 1216 for SDXL; 0: the footage's own."""
    batch: int | None = None
    """Keyframes painted at once; ``None``: as many as there is memory for."""
    device: str | None = None
    """``cuda``, ``mps`` or ``cpu``; ``None``: the best there is."""
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
        _one_of("attention", self.attention, Attention)
        _one_of("layers", self.layers, LAYERS)
        _one_of("look", self.look, tuple(LOOKS))
        _one_of("start", self.start, STARTS)
        _one_of("dtype", self.dtype, (None, "float16", "bfloat16", "float32"))
        _one_of("schedule", self.schedule, (None, *SCHEDULES))
        for name in ("trails_until", "shape_until", "colour_from", "denoise", "style_weight"):
            _between(name, getattr(self, name), 0, 2 if name == "style_weight" else 1)
        _between("steps", self.steps, 1, 1000)
        _between("guidance", self.guidance, 0, 50)
        _between("batch", self.batch, 1, 1000)
        _between("longest", self.longest, 0, 8192)
        if self.longest and self.longest < 64:
            raise RecipeError(f"painter option longest is 0 or at least 64 pixels, got {self.longest}")
        if self.start == "inversion" and self.schedule is not None and SCHEDULES[self.schedule].draws:
            raise no_inversion(f"the schedule {self.schedule!r}")

    @property
    def strength(self) -> float:
        """Part of the schedule that is painted."""
        return LOOKS[self.look].strength if self.denoise is None else self.denoise

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of control maps that are looked at."""
        return tuple(control.kind for control in self.controls if isinstance(control, ControlSpec))


def no_inversion(what: str) -> RecipeError:
    """For what samples with noise of its own."""
    return RecipeError(
        f"{what} adds noise in each step, which would cover what inversion found; "
        "leave the painter option start=inversion out, or take another schedule or model"
    )


def _control(given: ControlSpec | Mapping[str, Any]) -> ControlSpec:
    made = given if isinstance(given, ControlSpec) else _build(ControlSpec, given, "controls")
    if not 0 <= made.start < made.end <= 1:
        raise RecipeError(f"control {made.kind!r} counts from its start to its end, within 0 to 1")
    return made


def _lora(given: LoraSpec | Mapping[str, Any] | str) -> LoraSpec:
    if isinstance(given, LoraSpec):
        return given
    if isinstance(given, Mapping):
        return _build(LoraSpec, given, "loras")
    source, colon, weight = given.rpartition(":")
    try:
        return LoraSpec(source, float(weight)) if colon else LoraSpec(given)
    except ValueError:
        return LoraSpec(given)


def _build(kind: type, given: Mapping[str, Any], option: str) -> Any:
    known = [item.name for item in fields(kind)]
    for name in given:
        if name not in known:
            raise RecipeError(f"painter option {option} has no field {name!r}; it has: {', '.join(known)}")
    try:
        return kind(**given)
    except TypeError as error:
        raise RecipeError(f"painter option {option}: {error}") from None


def _one_of(name: str, value: Any, known: Sequence[Any]) -> None:
    if value not in known:
        listed = ", ".join(str(one) for one in known if one is not None)
        raise RecipeError(f"painter option {name} is one of {listed}; got {value!r}")


def _between(name: str, value: Any, least: float, most: float) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise RecipeError(f"painter option {name} is {least} to {most}, got {value!r}")
