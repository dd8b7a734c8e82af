"""Distances from the footage, and ways of sampling, by name. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PRESETS", "SCHEDULES", "Preset", "Schedule"]


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
