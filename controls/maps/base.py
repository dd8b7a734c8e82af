"""The protocol of detectors of control maps, and what each one declares of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from controls.types import ControlMap
from interp.carried import carried_file

__all__ = ["CarriedWeights", "Detector", "DetectorTraits", "PairDetector", "StabiliseMethod", "Weights"]

StabiliseMethod = Literal["depth", "edges", "lines", "normal", "pose", "none"]


@dataclass(frozen=True)
class Weights:
    """The trained numbers that a detector loads."""

    repository: str
    """Id on the model hub, ``owner/name``."""
    files: tuple[str, ...]
    """The files of it that are needed, by their path within the repository (or within a local folder)."""
    licence: str
    """Of the weights, which is not always the code's."""

    @property
    def fetch(self) -> str:
        """The line that fetches them into the hub's cache, where detectors look."""
        return f"hf download {self.repository} {' '.join(self.files)}"


@dataclass(frozen=True)
class CarriedWeights:
    """Weights inside another package, of which nothing else is used: it is not imported, and what it needs is not installed."""

    package: str
    """Its module."""
    file: str
    """The weights' path within it."""
    licence: str
    """Of the weights."""
    install: str
    """The line that brings it."""

    @property
    def path(self) -> Path | None:
        """The file, where it is installed."""
        return carried_file(self.package, self.file)


@dataclass(frozen=True)
class DetectorTraits:
    """Declaration of what a detector needs, gives, and is good for. Its own options are those of its constructor."""

    name: str
    """Its name in the registry: the kind, or ``kind-variant``."""
    kind: str
    """Kind of map, as ControlNets know it: ``canny``, ``softedge``, ``lineart``, ``depth``, ``normal``, ``pose`` ..."""
    about: str
    """One line: the method and its paper."""
    licence: str
    """Of the code that detects."""
    output: str
    """Meaning of the picture's values."""
    packages: tuple[str, ...] = ()
    """Modules beyond restyle's own needs that it imports."""
    extra: str | None = None
    """The extra of restyle that installs them."""
    weights: Weights | None = None
    """Weights that have to be fetched; ``None`` where none are needed or a package brings them."""
    carried: CarriedWeights | None = None
    """Weights that another package carries."""
    bundled: str | None = None
    """Models that come inside a package, in words."""
    multiple: int = 1
    """The sides of the picture that it looks at are multiples of this; it is resized there and back."""
    takes: Literal["picture", "pair"] = "picture"
    """``picture``: a frame alone, so that it serves keyframes; ``pair``: two neighbouring frames (``PairDetector``), so that
    every frame is needed."""
    stabilise_method: StabiliseMethod = "none"
    """Method of temporal stabilisation (``controls.stabilise``) that suits its maps."""
    controlnets: Mapping[str, str] = field(default_factory=dict)
    """Base model (``sd15``, ``sdxl``) -> hub id of the ControlNet that these maps are meant for."""

    def __post_init__(self) -> None:
        if self.packages and not self.extra:
            raise ValueError(f"{self.name}: packages {self.packages} need an extra that installs them")


@runtime_checkable
class Detector(Protocol):
    """Makes one frame's map from its picture. Keeps nothing from one picture to the next."""

    traits: DetectorTraits

    def detect(self, picture: np.ndarray) -> ControlMap:
        """The map of ``picture`` (H x W x 3 RGB, uint8, uint16 or float32 with 1 = white), of its size.

        Raises ``ValueError`` for an array of another shape or dtype.
        """
        ...


@runtime_checkable
class PairDetector(Protocol):
    """Makes one frame's map from it and its neighbour."""

    traits: DetectorTraits

    def detect_pair(self, here: np.ndarray, there: np.ndarray, *, backward: bool = False) -> ControlMap:
        """The map of ``here``; ``there`` is the next frame, or (``backward``) the one before it, as for a shot's last."""
        ...
