"""The family and the files of the model that the options name, on this machine. Imports neither torch nor diffusers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from restyle.errors import MissingModelError, RecipeError, show_path, why
from restyle.painters.edit.families import FAMILIES, family_of
from restyle.painters.edit.families.base import Family
from restyle.painters.edit.options import Options
from restyle.weights.digests import fingerprint
from restyle.weights.editors import EDITORS, UNUSED
from restyle.weights.finding import Wanted, find_all, find_weights
from restyle.weights.folders import loaded_bytes, loaded_files
from restyle.weights.hub import cached, is_hub_id, pinned
from restyle.weights.selection import INDEX, Selection
from restyle.weights.trusted import check_folder, check_index, read_table

__all__ = ["ModelFiles", "find_model_files", "known_family"]


@dataclass(frozen=True)
class ModelFiles:
    """Folders of everything that is loaded."""

    model: Path
    family_name: str
    selection: Selection

    @property
    def family(self) -> Family:
        """Its adapter."""
        return FAMILIES[self.family_name]

    def weight_bytes(self, width: int) -> int:
        """Bytes of all weights that are loaded, ``width`` to a number."""
        return loaded_bytes(self._files(), width)

    def largest_bytes(self, width: int) -> int:
        """Bytes of those of the largest network."""
        parts: dict[Path, list[Path]] = {}
        for file in self._files():
            parts.setdefault(file.parent, []).append(file)
        return max(loaded_bytes(files, width) for files in parts.values())

    def identity(self) -> Mapping[str, Any]:
        """Fingerprints of all files that are loaded: plain JSON."""
        return {"family": self.family_name, "model": fingerprint(self.model, self._files())}

    def _files(self) -> list[Path]:
        return loaded_files(self.model, self.selection)


def known_family(options: Options) -> Family | None:
    """The family, by a name that is known or a folder: what is told without a network, and always the same; ``None``: the model
    is on the hub, and its family is not known before it is looked at."""
    known = EDITORS.get(options.model)
    if known is not None:
        return FAMILIES[known.family]
    folder = Path(options.model).expanduser()
    try:
        name = family_of(read_table(folder / INDEX)) if folder.is_dir() else None
    except (OSError, ValueError):  # said when the model is found
        return None
    return None if name is None else FAMILIES[name]


def find_model_files(options: Options) -> ModelFiles:
    """Find, or fetch, the model: nothing, unless it is one that can be used.

    Raises ``MissingModelError`` (also where diffusers is too old for it), ``RecipeError``, ``OutputError``.
    """
    known = EDITORS.get(options.model)
    source = known.model if known else options.model
    if not known and "/" not in source and not Path(source).expanduser().exists():
        raise RecipeError(
            f"there is no model {source!r} of the painter 'edit': give a folder, a hub id (owner/name), "
            f"or one of: {', '.join(EDITORS)}"
        )
    if Path(source).expanduser().is_file():
        raise RecipeError(f"model {source!r} is a file: the painter 'edit' takes folders in the hub's layout")
    selection = Selection(variant=options.variant, unused=UNUSED)
    on_hub = not options.offline and is_hub_id(source) and cached(*pinned(source, selection)) is None
    if on_hub:  # its family is looked at before tens of gigabytes are fetched
        index = find_weights(source, "model", Selection([INDEX]), offline=False) / INDEX
        check_index(index)
        _check_family(index, options)
    wanted = Wanted(source, "model", selection, name=options.model if known else None)
    (folder,) = find_all([wanted], offline=options.offline)
    check_folder(folder)
    files = ModelFiles(folder, _check_family(folder / INDEX, options), selection)
    traits = files.family.traits
    follow = traits.follow if options.follow is None else options.follow
    if options.steps == 1 and follow < 1 and options.consistency != "none":
        raise RecipeError(
            f"{traits.title} begins a keyframe from the painting before it, which takes 2 steps at least: leave the painter "
            "option steps=1 out, or give follow=1 (from noise)"
        )
    return files


def _check_family(index: Path, options: Options) -> str:
    """Name of the family of a ``model_index.json``."""
    if not index.is_file():
        raise MissingModelError(f"{show_path(index.parent)} holds no diffusers model: it has no {INDEX}")
    try:
        table = read_table(index)
    except (OSError, ValueError) as error:
        raise MissingModelError(f"{show_path(index)} cannot be read ({why(error)})") from error
    name = family_of(table)
    if name is None:
        kind = str(table.get("_class_name", "model of another kind"))
        other = "; the painter 'diffusion' takes it" if kind.startswith("StableDiffusion") else ""
        raise MissingModelError(
            f"model {options.model!r} is a {kind:.60}, which the painter 'edit' does not use{other}. "
            f"It takes: {', '.join(dict.fromkeys(family.traits.pipeline for family in FAMILIES.values()))}"
        )
    check_diffusers(FAMILIES[name].traits.pipeline, options.model)
    return name


def check_diffusers(pipeline: str, model: str) -> None:
    """Raise ``MissingExtraError`` where the diffusers that is installed has no such pipeline. It is not imported."""
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
