"""Every model that is known by name, and whether it is on this machine: what ``restyle models`` lists. Fetches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from controls.maps import kinds
from controls.masks.sam2.weights import FILES, HUB
from restyle.errors import RecipeError
from restyle.weights.catalogue import BASE_MODELS, FAMILIES, IP_ADAPTERS, LICENCES, SAM2
from restyle.weights.editors import EDITORS
from restyle.weights.films import FILMS
from restyle.weights.folders import lacking, loaded_files
from restyle.weights.hub import cache_folder, cached, is_hub_id, pull_line, snapshot
from restyle.weights.packaged import PACKAGED, PackagedModel
from restyle.weights.pipelines import KnownPipeline
from restyle.weights.selection import ALL, Selection

__all__ = ["Model", "known_models", "resolve"]


@dataclass(frozen=True)
class Model:
    """One repository on the hub, or one model in a package, under the name that ``restyle models`` knows it by."""

    name: str
    hub_id: str
    kind: str
    """Kind of model, in words."""
    about: str
    licence: str
    family: str | None = None
    files: tuple[str, ...] = ()
    """All files that are needed of it; empty: those that its layout asks for."""
    extra: str = "diffusion"
    """The extra that installs what uses it."""
    layout: Selection = ALL
    """Parts that are not needed of it."""
    packaged: PackagedModel | None = None
    """The package that it comes in, in place of the hub."""

    @property
    def selection(self) -> Selection:
        """The part of the repository that is wanted."""
        return replace(self.layout, files=self.files)

    @property
    def folder(self) -> Path | None:
        """Its folder on this machine. Raises ``MissingExtraError``."""
        if self.packaged is not None:
            return self.packaged.folder
        return cached(self.hub_id, self.selection)

    @property
    def lack(self) -> str | None:
        """Name what is missing of one that is here in part."""
        if self.packaged is not None:
            return None
        folder = snapshot(self.hub_id)
        if folder is not None:
            return lacking(folder, self.selection)
        parts = [*(cache_folder(self.hub_id) / "blobs").glob("*.part")]
        return "what an unfinished fetch has left out" if parts else None

    @property
    def size(self) -> int:
        """Bytes on this machine."""
        folder = self.folder
        if folder is None:
            return 0
        return sum(file.stat().st_size for file in loaded_files(folder, self.selection))

    @property
    def line(self) -> str:
        """The command that fetches it."""
        if self.packaged is not None:
            return self.packaged.install
        return pull_line(self.name) if self.name != self.hub_id else pull_line(self.hub_id, self.selection)

    def to_json(self) -> dict[str, Any]:
        """Plain values, without what is on this machine."""
        return {
            "name": self.name,
            "hub_id": self.hub_id,
            "what": self.kind,
            "about": self.about,
            "licence": self.licence,
            "family": self.family,
            "files": list(self.files),
            "pull": self.line,
        }


def _pipelines(known: Mapping[str, KnownPipeline]) -> list[Model]:
    return [
        Model(
            name,
            each.model,
            "model",
            f"{each.about}, {each.fetched} GB",
            each.licence,
            each.family,
            layout=each.selection,
        )
        for name, each in known.items()
    ]


def known_models() -> Mapping[str, Sequence[Model]]:
    """All of them, by kind."""
    bases = [
        Model(name, base.model, "model", base.about, base.licence, base.family, layout=base.selection)
        for name, base in BASE_MODELS.items()
    ]
    packaged = [
        Model(name, one.model, "model", one.about, one.licence, one.family, packaged=one)
        for name, one in PACKAGED.items()
    ]
    editors, films = (_pipelines(known) for known in (EDITORS, FILMS))
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
    kinds_of: dict[str, list[str]] = {}
    for kind, facts in kinds().items():
        for family, hub_id in facts.controlnets.items():
            kinds_of.setdefault(hub_id, []).append(kind)
            about = f"{', '.join(kinds_of[hub_id])} maps, {FAMILIES.get(family, family)}"  # type: ignore[call-overload]
            nets[hub_id] = Model(hub_id, hub_id, "ControlNet", about, LICENCES[hub_id], family)
    maskers = [
        Model(name, hub_id, "masker", SAM2[name], "Apache-2.0", files=FILES, extra="sam2")
        for name, hub_id in HUB.items()
    ]
    return {
        "models": bases,
        "packaged": packaged,
        "editors": editors,
        "video": films,
        "controlnets": list(nets.values()),
        "ip_adapters": adapters,
        "maskers": maskers,
    }


def resolve(name: str, files: Sequence[str] = ()) -> list[Model]:
    """The repositories that a name or an id stands for: a base model with its VAE, or one alone. Raises ``RecipeError``."""
    if not files:
        known = {model.name: model for group in known_models().values() for model in group}
        if name in known:
            vae = BASE_MODELS[name].vae if name in BASE_MODELS else None
            more = [Model(vae, vae, "VAE", f"goes with {name}", LICENCES[vae])] if vae else []
            return [known[name], *more]
    if not is_hub_id(name):
        raise RecipeError(
            f"there is no model {name!r}: give an id on the model hub (owner/name), or one of: "
            f"{', '.join([*BASE_MODELS, *PACKAGED, *EDITORS, *(f'ip-adapter-{family}' for family in IP_ADAPTERS), *HUB])}"
        )
    return [Model(name, name, "model", "", "see its page", files=tuple(files))]
