"""Files of everything that the options name, on this machine. Imports neither torch nor diffusers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from restyle.errors import MissingModelError, RecipeError, show_path, why
from restyle.painters.diffusion.beforehand import check_base, check_controlnet
from restyle.painters.diffusion.control_kinds import check_control, family_of_control
from restyle.painters.diffusion.options import Options
from restyle.painters.diffusion.part_files import (
    StyleFiles,
    check_encoders,
    embedding_file,
    style_files,
    style_wanted,
)
from restyle.painters.networks.loras import lora_file
from restyle.painters.networks.specs import ControlSpec, EmbeddingSpec, LoraSpec
from restyle.weights.catalogue import BASE_MODELS, FAMILIES, UNUSED, BaseModel, Family, controlnet_for
from restyle.weights.digests import fingerprint
from restyle.weights.finding import Wanted, find_all
from restyle.weights.folders import loaded_bytes, loaded_files
from restyle.weights.hub import is_hub_id, pinned, pull_line, snapshot
from restyle.weights.packaged import PACKAGED, PackagedModel
from restyle.weights.selection import ALL, Selection
from restyle.weights.tensors import tensor_names
from restyle.weights.trusted import check_folder, read_table

__all__ = ["ModelFiles", "find_model_files"]


@dataclass(frozen=True)
class ModelFiles:
    """Files and folders of everything that is loaded."""

    base: Path
    selection: Selection
    """What is loaded of ``base``."""
    family: Family
    config: str | None
    """For a base of one file: where its configuration comes from."""
    vae: Path | None
    control_specs: tuple[ControlSpec, ...]
    """The networks that take control maps, each with its source."""
    controlnets: tuple[Path, ...]
    """Of each; of a union of several the same again."""
    loras: tuple[tuple[LoraSpec, Path], ...]
    embeddings: tuple[tuple[EmbeddingSpec, Path], ...]
    styles: tuple[StyleFiles, ...]
    schedule: str | None
    """The base model's own, where it is known by name."""
    resolution: int | None
    """As ``schedule``."""
    guidance_scale: float | None = None
    """As ``schedule``."""
    steps: int | None = None
    """As ``schedule``."""
    allow_pickle: bool = False

    def weight_bytes(self, width: int) -> int:
        """Bytes of all weights that are loaded, ``width`` to a number."""
        files = [*self._files(self.base, self.selection), *(path for _, path in (*self.loras, *self.embeddings))]
        files += [file for path in dict.fromkeys(self.controlnets) for file in self._files(path)]
        files += [] if self.vae is None else self._files(self.vae)
        files += [file for number, style in enumerate(self.styles) for file in style.files[: None if not number else 1]]
        return loaded_bytes(files, width)

    def identity(self) -> Mapping[str, Any]:
        """Fingerprints of all files that are loaded: plain JSON."""
        return {
            "base": fingerprint(self.base, self._files(self.base, self.selection)),
            "vae": None if self.vae is None else fingerprint(self.vae, self._files(self.vae)),
            "controls": [fingerprint(path, self._files(path)) for path in self.controlnets],
            "loras": [[spec.weight, fingerprint(path, [path])] for spec, path in self.loras],
            "embeddings": [[spec.token, fingerprint(path, [path])] for spec, path in self.embeddings],
            "styles": [style.identity() for style in self.styles],
        }

    def _files(self, path: Path, selection: Selection = ALL) -> list[Path]:
        return loaded_files(path, selection, allow_pickle=self.allow_pickle)


def find_model_files(options: Options) -> ModelFiles:
    """Find, or fetch, everything that the options name: nothing, unless all of it fits together and on the disk.

    Raises ``MissingModelError``, ``RecipeError``, ``OutputError``.
    """
    known = BASE_MODELS.get(options.model) or PACKAGED.get(options.model)
    source = known.source if known else options.model
    if not known and "/" not in source and not Path(source).expanduser().exists():
        raise RecipeError(
            f"there is no model {source!r}: give a folder, a .safetensors file, a hub id (owner/name), "
            f"or one of: {', '.join([*BASE_MODELS, *PACKAGED])}"
        )
    name = options.model if known else None
    vae = options.vae or (known.vae if known else None)
    selection = Selection(variant=options.variant, unused=UNUSED, replaced=("vae",) if vae else ())
    base_wanted = Wanted(source, "model", selection, name=name)
    family = check_base(source, selection, options)
    if family is None:  # it is here, or nothing is fetched
        (base,) = find_all([base_wanted], offline=options.offline)
        if base.is_dir():
            check_folder(base)
        family = _family(base)
    specs = [_with_source(spec, family, known) for spec in options.controls if isinstance(spec, ControlSpec)]
    for spec in specs:
        check_controlnet(str(spec.model), family, options)
    loras = [spec for spec in options.loras if isinstance(spec, LoraSpec)]
    words = [spec for spec in options.embeddings if isinstance(spec, EmbeddingSpec)]
    styles, trusting = options.all_styles, options.allow_pickle
    wanted = {"model": [base_wanted]}
    wanted["VAE"] = [] if vae is None else [_part(options, vae, "VAE", name=None if options.vae else name)]
    wanted["ControlNet"] = [_part(options, str(spec.model), "ControlNet") for spec in specs]
    wanted["LoRA"] = [_part(options, spec.source, "LoRA", _only(spec.file)) for spec in loras]
    wanted["embedding"] = [_part(options, spec.source, "embedding", _only(spec.file)) for spec in words]
    wanted["IP-Adapter"] = [style_wanted(spec, family, allow_pickle=trusting) for spec in styles]
    found = _find(wanted, offline=options.offline)
    for spec, net in zip(specs, found["ControlNet"], strict=True):
        check_control(net, spec)
    (base,) = found["model"]
    adapters = [
        style_files(spec, family, folder, allow_pickle=trusting)
        for spec, folder in zip(styles, found["IP-Adapter"], strict=True)
    ]
    check_encoders(adapters)
    return ModelFiles(
        base=base,
        selection=selection,
        family=_family(base),
        config=None if base.is_dir() else _config(options, base, family),
        vae=next(iter(found["VAE"]), None),
        control_specs=tuple(specs),
        controlnets=tuple(found["ControlNet"]),
        loras=tuple((spec, lora_file(spec, path)) for spec, path in zip(loras, found["LoRA"], strict=True)),
        embeddings=tuple(
            (spec, embedding_file(spec, path, allow_pickle=trusting))
            for spec, path in zip(words, found["embedding"], strict=True)
        ),
        styles=tuple(adapters),
        schedule=known.schedule if known else None,
        resolution=known.resolution if known else None,
        guidance_scale=known.guidance_scale if known else None,
        steps=known.steps if known else None,
        allow_pickle=trusting,
    )


def _only(file: str | None) -> Selection:
    return Selection([file] if file else [])


def _part(options: Options, source: str, kind: str, selection: Selection = ALL, name: str | None = None) -> Wanted:
    return Wanted(source, kind, selection, options.allow_pickle, name)


def _find(wanted: Mapping[str, list[Wanted]], *, offline: bool) -> dict[str, list[Path]]:
    """Files and folders of all of them, by kind; folders checked."""
    paths = iter(find_all([one for kind in wanted.values() for one in kind], offline=offline))
    found = {kind: [next(paths) for _ in each] for kind, each in wanted.items()}
    for path in (path for each in found.values() for path in each if path.is_dir()):
        check_folder(path)
    return found


def _with_source(spec: ControlSpec, family: Family, known: BaseModel | None) -> ControlSpec:
    """The ControlNet, with the one that suits where none is named. Raises ``RecipeError``."""
    source = spec.model or (known.controlnet_for(spec.kind) if known else controlnet_for(spec.kind, family))
    if source is None and isinstance(known, PackagedModel):
        others = f", but one of: {', '.join(known.controls)}" if known.controls else ""
        raise RecipeError(f"the model {known.name!r} takes no {spec.kind} maps{others}")
    if source is None:
        raise RecipeError(
            f"no ControlNet is known for {spec.kind} maps and {FAMILIES[family]}; name one: --control {spec.kind}:model=ID"
        )
    return replace(spec, model=source)


def _config(options: Options, base: Path, family: Family) -> str | None:
    """The folder or hub id of the configuration of a model of one file; ``None``: that of its family's first model, fetched.

    Raises ``MissingModelError``: offline, and not on this machine.
    """
    if options.config is not None and Path(options.config).expanduser().is_dir():
        check_folder(Path(options.config).expanduser())
        return str(Path(options.config).expanduser())
    if not options.offline:
        return options.config
    wanted = options.config or BASE_MODELS[family].model
    hub_id, selection = pinned(wanted)
    folder = snapshot(hub_id, selection.revision) if is_hub_id(wanted) else None
    if folder is None or not (folder / "model_index.json").is_file():
        raise MissingModelError(
            f"the configuration {wanted!r} of {show_path(base)} is not on this machine, and --offline fetches nothing: "
            f"{pull_line(wanted if options.config else family)}, or --painter-option config=FOLDER"
        )
    check_folder(folder)
    return str(folder)


def _family(base: Path) -> Family:
    """A folder's family by its UNet's configuration, a file's by the names of its tensors. Raises ``MissingModelError``."""
    if base.is_dir():
        if not (base / "model_index.json").is_file():
            raise MissingModelError(f"{show_path(base)} holds no diffusers model: it has no model_index.json")
        try:
            config = read_table(base / "unet" / "config.json")
        except (OSError, ValueError) as error:
            raise MissingModelError(
                f"{show_path(base)} holds no UNet ({why(error)}): SD 1.5 and SDXL have one"
            ) from error
        return family_of_control(config)
    names = tensor_names(base)
    if not any(name.startswith("model.diffusion_model.input_blocks.") for name in names):
        raise MissingModelError(
            f"{show_path(base)} is no whole model of Stable Diffusion (a LoRA, a ControlNet or a VAE has an option of its own)"
        )
    return "sdxl" if any(name.startswith("conditioner.embedders.1") for name in names) else "sd15"
