"""The family and the files of the model that the options name, on this machine. Imports neither torch nor diffusers."""

from __future__ import annotations

from restyle.errors import RecipeError
from restyle.painters.edit.families import FAMILIES, family_of
from restyle.painters.edit.families.base import Family
from restyle.painters.edit.options import Options
from restyle.painters.networks.pipeline_files import Catalogue, PipelineFiles, find_pipeline
from restyle.painters.networks.pipeline_files import known_family as name_of_family
from restyle.weights.editors import EDITORS

__all__ = ["find_model_files", "known_family"]

CATALOGUE = Catalogue("edit", {name: family.traits.pipeline for name, family in FAMILIES.items()}, family_of, EDITORS)


def known_family(options: Options) -> Family | None:
    """The family, where it is known without a network (``pipeline_files.known_family``)."""
    name = name_of_family(options.model, CATALOGUE)
    return None if name is None else FAMILIES[name]


def find_model_files(options: Options) -> PipelineFiles:
    """Find, or fetch, the model. Raises as ``find_pipeline``, and ``RecipeError`` for options that it does not go with."""
    files = find_pipeline(options, CATALOGUE)
    traits = FAMILIES[files.family_name].traits
    follow = traits.follow if options.follow is None else options.follow
    if options.steps == 1 and follow < 1 and options.consistency != "none":
        raise RecipeError(
            f"{traits.title} begins a keyframe from the painting before it, which takes 2 steps at least: leave the painter "
            "option steps=1 out, or give follow=1 (from noise)"
        )
    return files
