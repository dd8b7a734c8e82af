"""The family and the files of the model that the options name, on this machine. Imports neither torch nor diffusers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restyle.errors import MissingModelError, RecipeError, show_path, why
from restyle.painters.edit.families import FAMILIES, family_of
from restyle.painters.edit.families.base import Family, Traits
from restyle.painters.edit.options import Options
from restyle.painters.networks.pipeline_files import Catalogue, PipelineFiles, find_pipeline
from restyle.painters.networks.pipeline_files import known_family as name_of_family
from restyle.painters.networks.specs import ControlSpec
from restyle.weights.digests import fingerprint
from restyle.weights.editors import EDITORS
from restyle.weights.finding import Wanted, find_all
from restyle.weights.folders import loaded_files
from restyle.weights.trusted import check_folder, read_table

__all__ = ["ModelFiles", "find_model_files", "known_family"]

CATALOGUE = Catalogue("edit", {name: family.traits.pipeline for name, family in FAMILIES.items()}, family_of, EDITORS)


@dataclass(frozen=True)
class ModelFiles(PipelineFiles):
    """The model's folder, and those of its ControlNets."""

    control_specs: tuple[ControlSpec, ...] = ()
    controlnets: tuple[Path, ...] = ()
    """Folders, one for each."""

    def identity(self) -> Mapping[str, Any]:
        """See ``PipelineFiles.identity``."""
        nets = [fingerprint(path, loaded_files(path)) for path in self.controlnets]
        return {"family": self.family_name, "model": fingerprint(self.model, super()._files()), "controls": nets}

    def _files(self) -> list[Path]:
        return [*super()._files(), *(file for path in self.controlnets for file in loaded_files(path))]


def known_family(options: Options) -> Family | None:
    """The family, where it is known without a network (``pipeline_files.known_family``)."""
    name = name_of_family(options.model, CATALOGUE)
    return None if name is None else FAMILIES[name]


def find_model_files(options: Options) -> ModelFiles:
    """Find, or fetch, the model and its ControlNets, these first.

    Raises as ``find_pipeline``, and ``RecipeError`` for options and ControlNets that it does not go with.
    """
    nets: list[Path] = []

    def before(family: str) -> None:
        traits = FAMILIES[family].traits
        _check_controls(options, traits)
        wanted = [Wanted(str(spec.model), "ControlNet") for spec in options.control_specs]
        nets.extend(find_all(wanted, offline=options.offline))
        for spec, path in zip(options.control_specs, nets, strict=True):
            _check_net(spec, path, traits)

    found = find_pipeline(options, CATALOGUE, before=before)
    files = ModelFiles(found.model, found.family_name, found.selection, options.control_specs, tuple(nets))
    traits = FAMILIES[files.family_name].traits
    follow = traits.follow if options.follow is None else options.follow
    if options.steps == 1 and follow < 1 and options.consistency != "none":
        raise RecipeError(
            f"{traits.title} begins a keyframe from the painting before it, which takes 2 steps at least: leave the painter "
            "option steps=1 out, or give follow=1 (from noise)"
        )
    return files


def _check_controls(options: Options, traits: Traits) -> None:
    """Raise ``RecipeError`` for ControlNets that the family cannot take."""
    specs = options.control_specs
    if specs and traits.controlnet is None:
        raise RecipeError(
            f"{traits.title} takes no ControlNets, for it is shown the picture itself: leave --control out, or take an "
            "image-to-image model (flux, qwen-image, z-image)"
        )
    if len(specs) > traits.controlnets:
        raise RecipeError(f"{traits.title} takes {traits.controlnets} ControlNet at once, {len(specs)} are given")
    for spec in specs:
        if spec.model is None:
            raise RecipeError(
                f"no ControlNet is known for {spec.kind} maps and {traits.title}; name one: --control {spec.kind}:model=ID"
            )
        if traits.controlnets == 1 and (spec.start, spec.end) != (0.0, 1.0):
            raise RecipeError(
                f"{traits.title}'s ControlNet counts in all steps: leave start and end of {spec.kind} out"
            )


def _check_net(spec: ControlSpec, path: Path, traits: Traits) -> None:
    """Raise ``RecipeError`` for a folder that holds no ControlNet of the family."""
    if path.is_dir():
        check_folder(path)
    try:
        kind = read_table(path / "config.json").get("_class_name")
    except (OSError, ValueError) as error:
        raise MissingModelError(
            f"ControlNet {spec.model!r} is no folder in the hub's layout: {show_path(path)} has no config.json that can be "
            f"read ({why(error)})"
        ) from error
    if kind != traits.controlnet:
        raise RecipeError(
            f"ControlNet {spec.model!r} ({spec.kind}) is a {kind}, and {traits.title} takes a {traits.controlnet}"
        )
