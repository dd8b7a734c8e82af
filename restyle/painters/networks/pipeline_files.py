"""Family and files of a model that diffusers has a pipeline for, on this machine. Imports neither torch nor diffusers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from restyle.errors import MissingModelError, RecipeError, show_path, why
from restyle.weights.digests import fingerprint
from restyle.weights.finding import Wanted, find_all
from restyle.weights.folders import loaded_bytes, loaded_files
from restyle.weights.hub import fetch_first, is_hub_id, pinned, snapshot
from restyle.weights.pipelines import UNUSED, KnownPipeline, unused_parts
from restyle.weights.selection import INDEX, Selection
from restyle.weights.trusted import check_folder, check_index, read_table

__all__ = [
    "Catalogue",
    "PipelineFiles",
    "PipelineOptions",
    "check_diffusers",
    "find_family",
    "find_pipeline",
    "find_table",
    "known_family",
]


class PipelineOptions(Protocol):
    """The options that say which model it is."""

    @property
    def model(self) -> str:
        """A known name, a hub id, or a folder."""

    @property
    def variant(self) -> str | None:
        """Variant of the files."""

    @property
    def offline(self) -> bool:
        """Nothing may be fetched."""


@dataclass(frozen=True)
class Catalogue:
    """Models that a painter can use."""

    painter: str
    pipelines: Mapping[str, str]
    """Family -> the class of diffusers that its ``model_index.json`` names."""
    family_of: Callable[[Mapping[str, Any]], str | None]
    """Table of a ``model_index.json`` -> family; ``None``: of none of these."""
    known: Mapping[str, KnownPipeline]
    """Models by short names."""
    sees: Callable[[str], bool] = lambda family: False
    """Whether models of a family see pictures by an image encoder of their own."""


@dataclass(frozen=True)
class PipelineFiles:
    """Folder of everything that is loaded."""

    model: Path
    family_name: str
    selection: Selection

    def weight_bytes(self, width: int) -> int:
        """Bytes of all weights that are loaded, ``width`` to a number."""
        return loaded_bytes(self._files(), width)

    def largest_bytes(self, width: int) -> int:
        """Bytes of those of the largest network."""
        parts: dict[Path, list[Path]] = {}
        for file in self._files():
            parts.setdefault(file.parent, []).append(file)
        return max(loaded_bytes(files, width) for files in parts.values())

    @property
    def unused_parts(self) -> list[str]:
        """Parts that the model's index names, and that are not loaded."""
        return [name for name in check_index(self.model / INDEX) if name in self.selection.unused]

    def identity(self) -> Mapping[str, Any]:
        """Fingerprints of all files that are loaded: plain JSON."""
        return {"family": self.family_name, "model": fingerprint(self.model, self._files())}

    def _files(self) -> list[Path]:
        return loaded_files(self.model, self.selection)


def known_family(model: str, catalogue: Catalogue) -> str | None:
    """Name of the family, by a name that is known or a folder: what is told without a network, and always the same; ``None``:
    the model is on the hub, and its family is not known before it is looked at."""
    known = catalogue.known.get(model)
    if known is not None:
        return known.family
    folder = Path(model).expanduser()
    try:
        return catalogue.family_of(read_table(folder / INDEX)) if folder.is_dir() else None
    except (OSError, ValueError):  # said when the model is found
        return None


def find_table(source: str, *, offline: bool) -> Path | None:
    """The small file that says what a folder, or a repository on the hub, holds: its ``model_index.json``, or the
    ``config.json`` of a single network. Of the hub it is looked for on this machine, then fetched; ``None``: there is none, or
    it may not be fetched. Raises as ``hub.fetch_first``."""
    names = (INDEX, "config.json")
    folder: Path | None = Path(source).expanduser()
    if folder is not None and not folder.is_dir():
        if not is_hub_id(source):
            return None
        hub_id, selection = pinned(source)
        folder = snapshot(hub_id, selection.revision)
        if not offline and (folder is None or not any((folder / name).is_file() for name in names)):
            return fetch_first(hub_id, names, revision=selection.revision)
    return None if folder is None else next((folder / name for name in names if (folder / name).is_file()), None)


def find_pipeline(
    options: PipelineOptions, catalogue: Catalogue, *, before: Callable[[str], None] = lambda family: None
) -> PipelineFiles:
    """Find, or fetch, the model: nothing, unless it is one that can be used.

    ``before``: called with the name of the family before anything is fetched but its index; may raise.

    Raises ``MissingModelError`` (also where diffusers is too old for it), ``RecipeError``, ``OutputError``.
    """
    family = find_family(options.model, catalogue, offline=options.offline)  # before tens of gigabytes are fetched
    if family is not None:
        before(family)
    unused = UNUSED if family is None else unused_parts(sees=catalogue.sees(family))
    selection = Selection(variant=options.variant, unused=unused)
    known = catalogue.known.get(options.model)
    wanted = Wanted(known.model if known else options.model, "model", selection, name=options.model if known else None)
    (folder,) = find_all([wanted], offline=options.offline)
    check_folder(folder)
    return PipelineFiles(folder, _check_family(folder / INDEX, options.model, catalogue), selection)


def find_family(model: str, catalogue: Catalogue, *, offline: bool) -> str | None:
    """Name of the family of a known name, a folder or a hub id, of which no more than a small file is fetched; ``None``: it is
    not on this machine, and nothing may be fetched. Raises ``RecipeError``, ``MissingModelError`` for what cannot be used."""
    known = catalogue.known.get(model)
    if known is not None:
        check_diffusers(catalogue.pipelines[known.family], model)
        return known.family
    folder = Path(model).expanduser()
    if "/" not in model and not folder.exists():
        raise RecipeError(
            f"there is no model {model!r} of the painter {catalogue.painter!r}: give a folder, a hub id (owner/name), "
            f"or one of: {', '.join(catalogue.known)}"
        )
    if folder.is_file():
        raise RecipeError(
            f"model {model!r} is a file: the painter {catalogue.painter!r} takes folders in the hub's layout"
        )
    table = find_table(model, offline=offline)
    if table is None and (folder.is_dir() or (is_hub_id(model) and not offline)):
        holder = show_path(folder) if folder.is_dir() else f"{model!r} on the model hub"
        raise MissingModelError(f"{holder} holds no diffusers model: it has no {INDEX}")
    if table is None:  # said when it is looked for
        return None
    if table.name == INDEX:
        check_index(table)
    return _check_family(table.with_name(INDEX), model, catalogue)


def _check_family(index: Path, model: str, catalogue: Catalogue) -> str:
    """Name of the family of a ``model_index.json``."""
    if not index.is_file():
        raise MissingModelError(f"{show_path(index.parent)} holds no diffusers model: it has no {INDEX}")
    try:
        table = read_table(index)
    except (OSError, ValueError) as error:
        raise MissingModelError(f"{show_path(index)} cannot be read ({why(error)})") from error
    name = catalogue.family_of(table)
    if name is None:
        kind = str(table.get("_class_name", "model of another kind"))
        other = "; the painter 'diffusion' takes it" if kind.startswith("StableDiffusion") else ""
        raise MissingModelError(
            f"model {model!r} is a {kind:.60}, which the painter {catalogue.painter!r} does not use{other}. "
            f"It takes: {', '.join(dict.fromkeys(catalogue.pipelines.values()))}"
        )
    check_diffusers(catalogue.pipelines[name], model)
    return name


def check_diffusers(pipeline: str, model: str) -> None:
    """Raise ``MissingModelError`` where the diffusers that is installed has no such pipeline. It is not imported."""
    if f'"{pipeline}"' not in _diffusers_names():
        raise MissingModelError(
            f"model {model!r} needs a newer diffusers than {version('diffusers')}, one that has {pipeline}: "
            "pip install --upgrade diffusers"
        )


@lru_cache(maxsize=1)
def _diffusers_names() -> str:
    """The text in which diffusers names its classes."""
    spec = find_spec("diffusers")
    return "" if spec is None or spec.origin is None else Path(spec.origin).read_text(encoding="utf-8")
