"""The models that the painter ``video`` knows, and their files on this machine. Imports neither torch nor diffusers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restyle.errors import MissingModelError, RecipeError, show_path, why
from restyle.painters.networks.pipeline_files import Catalogue, PipelineFiles, find_pipeline, known_family
from restyle.painters.video.families import FAMILIES, family_of
from restyle.painters.video.families.base import Family
from restyle.painters.video.options import Options
from restyle.weights.catalogue import controlnet_for
from restyle.weights.digests import fingerprint
from restyle.weights.films import FILMS
from restyle.weights.finding import Wanted, find_all
from restyle.weights.folders import loaded_bytes, loaded_files
from restyle.weights.trusted import check_folder, read_table

__all__ = ["FilmFiles", "check_options", "family_named", "find_model_files"]

CATALOGUE = Catalogue("video", {name: family.traits.pipeline for name, family in FAMILIES.items()}, family_of, FILMS)
CLASSES = {"motion adapter": "MotionAdapter", "ControlNet": "ControlNetModel"}


@dataclass(frozen=True)
class FilmFiles(PipelineFiles):
    """Folders of everything that is loaded: the model, and what is put into it."""

    parts: Mapping[str, Sequence[Path]]
    """By kind."""

    def weight_bytes(self, width: int) -> int:
        """See ``PipelineFiles``."""
        more = [file for folders in self.parts.values() for folder in folders for file in loaded_files(folder)]
        return super().weight_bytes(width) + loaded_bytes(more, width)

    def identity(self) -> Mapping[str, Any]:
        """See ``PipelineFiles``."""
        parts = {
            kind: [fingerprint(folder, loaded_files(folder)) for folder in folders]
            for kind, folders in self.parts.items()
        }
        return {**super().identity(), "parts": parts}


def family_named(options: Options) -> Family | None:
    """The family, where it is known without a network (``pipeline_files.known_family``)."""
    name = known_family(options.model, CATALOGUE)
    return None if name is None else FAMILIES[name]


def check_options(options: Options, family: Family) -> None:
    """Raise ``RecipeError`` for options that a family does not go with."""
    traits, controls = family.traits, options.control_specs
    if not traits.controlnets:
        if len(controls) > 1:
            raise RecipeError(
                f"{traits.title} is led by one control map, got {', '.join(spec.kind for spec in controls)}: choose one"
            )
        if any(spec.model is not None for spec in controls):
            raise RecipeError(f"{traits.title} has no ControlNets: leave out the control's model")
        if any((spec.start, spec.end) != (0.0, 1.0) for spec in controls):
            raise RecipeError(f"{traits.title} holds on to a control map in all of its steps: leave out start and end")
    for name in ("motion", "strength"):
        if getattr(traits, name) is None and getattr(options, name) is not None:
            raise RecipeError(f"{traits.title} has no {name}: leave the painter option {name} out")
    if options.style is not None and not traits.references:
        raise RecipeError(f"{traits.title} is shown no pictures of a style: leave the painter option style out")
    steps = traits.steps if options.steps is None else options.steps
    strength = traits.strength if options.strength is None else options.strength
    if strength is not None and int(steps * strength) < 1:
        raise RecipeError(f"{steps} steps at strength {strength:g} are none: more of either")


def find_model_files(options: Options) -> FilmFiles:
    """Find, or fetch, everything. Raises as ``find_pipeline``, and ``RecipeError`` for options that do not go with it."""
    files = find_pipeline(options, CATALOGUE)
    family = FAMILIES[files.family_name]
    check_options(options, family)
    wanted: dict[str, list[Wanted]] = {"motion adapter": [], "ControlNet": []}
    if family.traits.motion is not None:
        wanted["motion adapter"] = [Wanted(options.motion or family.traits.motion, "motion adapter")]
    if family.traits.controlnets:
        wanted["ControlNet"] = [Wanted(_net(spec.kind, spec.model), "ControlNet") for spec in options.control_specs]
    paths = iter(find_all([one for each in wanted.values() for one in each], offline=options.offline))
    parts = {kind: tuple(next(paths) for _ in each) for kind, each in wanted.items()}
    for kind, folders in parts.items():
        for folder in folders:
            _check_part(folder, kind)
    return FilmFiles(files.model, files.family_name, files.selection, parts)


def _net(kind: str, model: str | None) -> str:
    source = model or controlnet_for(kind, "sd15")
    if source is None:
        raise RecipeError(f"no ControlNet is known for {kind} maps and Stable Diffusion 1.5: --control {kind}:model=ID")
    return source


def _check_part(folder: Path, kind: str) -> None:
    """Raise ``MissingModelError`` if a folder holds something else."""
    if not folder.is_dir():
        raise MissingModelError(f"{show_path(folder)} is a file: the painter 'video' takes folders in the hub's layout")
    check_folder(folder)
    try:
        found = read_table(folder / "config.json").get("_class_name", "model of another kind")
    except (OSError, ValueError) as error:
        raise MissingModelError(f"{show_path(folder)} holds no {kind} ({why(error)})") from error
    if found != CLASSES[kind]:
        raise MissingModelError(f"{show_path(folder)} holds no {kind}: it is a {found!s:.60}")
