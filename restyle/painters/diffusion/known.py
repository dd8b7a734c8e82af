"""Every model that is known by name, and whether it is on this machine: what ``restyle models`` lists. Fetches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restyle.errors import RecipeError
from restyle.painters.diffusion.fetching import store_of
from restyle.painters.diffusion.hub import cached, is_hub_id, pull_line, size_of, snapshot
from restyle.painters.diffusion.places import FAMILIES
from restyle.painters.diffusion.presets import IP_ADAPTERS, LICENCES, PRESETS
from restyle.painters.diffusion.selection import lacking

__all__ = ["Model", "listed", "resolve"]


@dataclass(frozen=True)
class Model:
    """One repository on the hub, under the name that ``restyle models`` knows it by."""

    name: str
    hub_id: str
    what: str
    about: str
    licence: str
    family: str | None = None
    files: tuple[str, ...] = ()
    """All that is needed of it; empty: what its layout asks for."""

    @property
    def folder(self) -> Path | None:
        """Where it is on this machine. Raises ``MissingExtraError``."""
        return cached(self.hub_id, self.files)

    @property
    def lack(self) -> str | None:
        """What is not here of one that is here in part."""
        folder = snapshot(self.hub_id)
        if folder is not None:
            return lacking(folder, self.files)
        parts = [*(store_of(self.hub_id) / "blobs").glob("*.part")]
        return "what an unfinished fetch has left out" if parts else None

    @property
    def size(self) -> int:
        """Bytes on this machine."""
        folder = self.folder
        if folder is None:
            return 0
        return sum(size_of(folder / file) for file in self.files) if self.files else size_of(folder)

    @property
    def line(self) -> str:
        """The command that fetches it."""
        named = self.name != self.hub_id
        return pull_line(self.name) if named else pull_line(self.hub_id, self.files)

    def to_json(self) -> dict[str, Any]:
        """Plain values, without what is on this machine."""
        names = ("name", "hub_id", "what", "about", "licence", "family")
        return {name: getattr(self, name) for name in names} | {"files": list(self.files), "pull": self.line}


def listed() -> Mapping[str, Sequence[Model]]:
    """All of them, by what they are."""
    from controls.maps import kinds

    bases = [
        Model(name, preset.model, "model", preset.about, preset.licence, preset.family)
        for name, preset in PRESETS.items()
    ]
    adapters = [
        Model(
            f"ip-adapter-{family}",
            known.hub_id,
            "IP-Adapter",
            f"the style of a picture, {FAMILIES[family]}",
            known.licence,
            family,
            known.files,
        )
        for family, known in IP_ADAPTERS.items()
    ]
    nets: dict[str, Model] = {}
    shown: dict[str, list[str]] = {}
    for kind, facts in kinds().items():
        for family, hub_id in facts.controlnets.items():
            shown.setdefault(hub_id, []).append(kind)
            about = f"{', '.join(shown[hub_id])} maps, {FAMILIES.get(family, family)}"  # type: ignore[call-overload]
            nets[hub_id] = Model(hub_id, hub_id, "ControlNet", about, LICENCES[hub_id], family)
    return {"models": bases, "controlnets": list(nets.values()), "ip_adapters": adapters}


def resolve(name: str, files: Sequence[str] = ()) -> list[Model]:
    """What a name or an id stands for: a preset with its VAE, or one repository. Raises ``RecipeError``."""
    if not files:
        known = {model.name: model for group in listed().values() for model in group}
        if name in known:
            vae = PRESETS[name].vae if name in PRESETS else None
            more = [Model(vae, vae, "VAE", f"goes with {name}", LICENCES[vae])] if vae else []
            return [known[name], *more]
    if not is_hub_id(name):
        raise RecipeError(
            f"there is no model {name!r}: give an id on the model hub (owner/name), or one of: "
            f"{', '.join([*PRESETS, *(f'ip-adapter-{family}' for family in IP_ADAPTERS)])}"
        )
    return [Model(name, name, "model", "", "see its page", files=tuple(files))]
