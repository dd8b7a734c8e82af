"""Models that come inside packages of this machine, by name: nothing is fetched. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from restyle.errors import MissingModelError
from restyle.weights.catalogue import BaseModel

__all__ = ["PACKAGED", "PackagedModel"]


@dataclass(frozen=True, kw_only=True)
class PackagedModel(BaseModel):
    """A base model inside a package, in the hub's layout, with a ControlNet that may lie beside it.

    ``model``: the package as it is imported; it has the folder ``model``, and in that may be ``controlnet``.
    """

    name: str
    install: str
    """The command that installs the package."""
    controls: tuple[str, ...] = ()
    """Kinds of control maps that its ControlNet takes."""

    @property
    def folder(self) -> Path | None:
        """The model's folder; ``None`` where its package is not installed."""
        spec = find_spec(self.model)
        return None if spec is None or spec.origin is None else Path(spec.origin).parent / "model"

    @property
    def source(self) -> str:
        """The model's folder. Raises ``MissingModelError``."""
        folder = self.folder
        if folder is None:
            raise MissingModelError(f"model {self.name!r} comes in a package that is not installed: {self.install}")
        return str(folder)

    def controlnet_for(self, kind: str) -> str | None:
        """See ``BaseModel.controlnet_for``."""
        return str(Path(self.source) / "controlnet") if kind in self.controls else None


PACKAGED: Mapping[str, PackagedModel] = {
    "small": PackagedModel(
        model="restyle_small",
        family="sd15",
        licence="Apache-2.0",
        about="ours, trained from scratch on painted photographs: 0.04 GB, for a CPU",
        resolution=240,
        guidance_scale=3.0,
        steps=12,
        controls=("tile", "lineart"),
        name="small",
        install="pip install ./weights/small (in a checkout of restyle)",
    ),
}
