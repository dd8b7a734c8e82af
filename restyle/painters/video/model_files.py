"""The models that the painter ``video`` knows, and their files on this machine. Imports neither torch nor diffusers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from controls.mediapipe_network import mediapipe_is_there
from restyle.errors import MissingExtraError, MissingModelError, RecipeError, show_path, why
from restyle.painters.networks.loras import lora_file
from restyle.painters.networks.pipeline_files import Catalogue, PipelineFiles, find_family, find_pipeline, find_table
from restyle.painters.networks.specs import LoraSpec
from restyle.painters.video.families import FAMILIES, family_of
from restyle.painters.video.families.base import Family
from restyle.painters.video.options import Options
from restyle.weights.catalogue import controlnet_for
from restyle.weights.digests import fingerprint
from restyle.weights.films import FILMS
from restyle.weights.finding import Wanted, find_all
from restyle.weights.folders import loaded_bytes, loaded_files
from restyle.weights.selection import INDEX, Selection
from restyle.weights.trusted import check_folder, read_table

__all__ = ["FilmFiles", "check_options", "find_model_files", "recognised"]

CATALOGUE = Catalogue(
    "video",
    {name: family.traits.pipeline for name, family in FAMILIES.items()},
    family_of,
    FILMS,
    sees=lambda name: FAMILIES[name].traits.sees,
)
CLASSES = {"motion adapter": "MotionAdapter", "ControlNet": "ControlNetModel"}
ADAPTED = "animatediff"  # the model that a motion adapter is put into, where it is named alone
DEFAULT = "vace"  # family of a model that is neither here nor may be fetched: it ends with that as its error


@dataclass(frozen=True)
class FilmFiles(PipelineFiles):
    """Folders of everything that is loaded: the model, and what is put into it."""

    parts: Mapping[str, Sequence[Path]]
    """By kind."""
    loras: Sequence[tuple[LoraSpec, Path]] = ()
    """Each with its file."""

    def weight_bytes(self, width: int) -> int:
        """See ``PipelineFiles``."""
        more = [file for folders in self.parts.values() for folder in folders for file in loaded_files(folder)]
        more += [file for _, file in self.loras]
        return super().weight_bytes(width) + loaded_bytes(more, width)

    def identity(self) -> Mapping[str, Any]:
        """See ``PipelineFiles``."""
        parts = {
            kind: [fingerprint(folder, loaded_files(folder)) for folder in folders]
            for kind, folders in self.parts.items()
        }
        loras = [[spec.weight, fingerprint(path, [path])] for spec, path in self.loras]
        return {**super().identity(), "parts": parts, "loras": loras}


def recognised(options: Options) -> tuple[Options, Family]:
    """The options, and the family of their model, of which no more than a small file is fetched. A motion adapter in place of
    the model is put into Stable Diffusion 1.5.

    Raises ``RecipeError``, and ``MissingModelError`` for a model that cannot be used.
    """
    if options.model not in FILMS:
        table = find_table(options.model, offline=options.offline)
        if table is not None and table.name != INDEX and _class_in(table) == CLASSES["motion adapter"]:
            if options.motion is not None:
                raise RecipeError(
                    f"model {options.model!r} is a motion adapter, and so is motion {options.motion!r}: leave one of them out"
                )
            options = replace(options, model=ADAPTED, motion=options.model)
    name = find_family(options.model, CATALOGUE, offline=options.offline)
    return options, FAMILIES[name or DEFAULT]


def check_options(options: Options, family: Family) -> None:
    """Raise ``RecipeError`` for options that a family does not go with."""
    traits, controls = family.traits, options.control_specs
    if traits.maps == "none" and controls:
        raise RecipeError(
            f"{traits.title} is led by the footage itself, and takes no control maps: leave --control out"
        )
    if traits.maps == "must" and not controls:
        example = next(iter(traits.kinds), "canny")
        raise RecipeError(f"{traits.title} is led by a control map: name one, such as --control {example}")
    if traits.kinds and any(spec.kind not in traits.kinds for spec in controls):
        kinds = ", ".join(spec.kind for spec in controls)
        raise RecipeError(f"{traits.title} is led by maps of {' or '.join(traits.kinds)}, got {kinds}")
    if not traits.weighed and any(spec.strength != 1 for spec in controls):
        raise RecipeError(f"{traits.title} holds on to a control map altogether: leave its strength out")
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
    if options.loras and not traits.loras:
        raise RecipeError(f"{traits.title} takes no LoRAs: leave the painter option loras out")
    if options.style is not None and not traits.references:
        raise RecipeError(f"{traits.title} is shown no pictures of a style: leave the painter option style out")
    if options.style is None and traits.character:
        raise RecipeError(f"{traits.title} has to be shown who is to be seen: --painter-option style=PICTURE")
    if traits.faces and not mediapipe_is_there():
        raise MissingExtraError(f"{traits.title}, which is shown faces,", "pose")
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
    specs = options.lora_specs
    wanted["LoRA"] = [Wanted(spec.source, "LoRA", Selection([spec.file] if spec.file else [])) for spec in specs]
    paths = iter(find_all([one for each in wanted.values() for one in each], offline=options.offline))
    parts = {kind: tuple(next(paths) for _ in each) for kind, each in wanted.items()}
    loras = [(spec, lora_file(spec, path)) for spec, path in zip(specs, parts.pop("LoRA"), strict=True)]
    for kind, folders in parts.items():
        for folder in folders:
            _check_part(folder, kind)
    return FilmFiles(files.model, files.family_name, files.selection, parts, loras)


def _class_in(config: Path) -> str:
    """The class that a network's configuration names. Raises ``OSError``, ``ValueError``."""
    return str(read_table(config).get("_class_name", "model of another kind"))


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
        found = _class_in(folder / "config.json")
    except (OSError, ValueError) as error:
        raise MissingModelError(f"{show_path(folder)} holds no {kind} ({why(error)})") from error
    if found != CLASSES[kind]:
        raise MissingModelError(f"{show_path(folder)} holds no {kind}: it is a {found!s:.60}")
