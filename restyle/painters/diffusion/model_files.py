"""Files of everything that the options name, on this machine. Imports neither torch nor diffusers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from restyle.errors import MissingModelError, RecipeError, show_path, why
from restyle.painters.diffusion.beforehand import check_base, check_controlnet, family_of
from restyle.painters.diffusion.options import ControlSpec, LoraSpec, Options
from restyle.weights.catalogue import BASE_MODELS, FAMILIES, IP_ADAPTERS, Family, controlnet_for
from restyle.weights.digests import fingerprint
from restyle.weights.finding import find_weights
from restyle.weights.hub import is_hub_id, pinned, pull_line, snapshot
from restyle.weights.selection import LORA, Selection, variant_of
from restyle.weights.tensors import tensor_names
from restyle.weights.trusted import check_folder, read_table

__all__ = ["ModelFiles", "find_model_files"]


@dataclass(frozen=True)
class ModelFiles:
    """Files and folders of everything that is loaded."""

    base: Path
    family: Family
    config: str | None
    """For a base of one file: where its configuration comes from."""
    vae: Path | None
    control_specs: tuple[ControlSpec, ...]
    """The ControlNets, each with its source."""
    controlnets: tuple[Path, ...]
    loras: tuple[tuple[LoraSpec, Path], ...]
    ip_adapter: tuple[Path, str, str] | None
    """Folder, folder within it, file."""
    schedule: str | None
    """The base model's own, where it is known by name."""
    resolution: int | None
    """As ``schedule``."""

    @property
    def all(self) -> list[Path]:
        """Every one of them."""
        paths = [self.base, *self.controlnets, *(path for _, path in self.loras)]
        paths += [self.vae] if self.vae is not None else []
        return paths + ([self.ip_adapter[0]] if self.ip_adapter is not None else [])

    def identity(self) -> Mapping[str, Any]:
        """Fingerprints of all weights: plain JSON."""
        return {
            "base": fingerprint(self.base),
            "vae": None if self.vae is None else fingerprint(self.vae),
            "controls": [fingerprint(path) for path in self.controlnets],
            "loras": [[spec.weight, fingerprint(path)] for spec, path in self.loras],
            "ip_adapter": None if self.ip_adapter is None else fingerprint(self.ip_adapter[0] / self.ip_adapter[1]),
        }

    @staticmethod
    def variant(folder: Path, options: Options) -> str | None:
        """The variant of a base model's files: the one asked for, or ``fp16`` where a part has no other."""
        if options.variant is not None:
            return options.variant
        parts = [part for part in folder.iterdir() if part.is_dir()]
        return next((variant for part in parts if (variant := variant_of(part)) is not None), None)


def find_model_files(options: Options) -> ModelFiles:
    """Find, or fetch, everything that the options name. Raises ``MissingModelError``, ``RecipeError``, ``OutputError``."""
    known = BASE_MODELS.get(options.model)
    source = known.model if known else options.model
    if not known and "/" not in source and not Path(source).expanduser().exists():
        raise RecipeError(
            f"there is no model {source!r}: give a folder, a .safetensors file, a hub id (owner/name), "
            f"or one of: {', '.join(BASE_MODELS)}"
        )

    name = options.model if known else None
    coming = check_base(source, options)
    for control in options.controls:
        assert isinstance(control, ControlSpec)
        net = control.model or (controlnet_for(control.kind, coming) if coming else None)
        if net is not None:
            check_controlnet(net, coming, options)
    base = find_weights(source, "model", Selection(variant=options.variant), offline=options.offline, name=name)
    if base.is_dir():
        check_folder(base)
    family = _family(base)
    specs, nets = _controlnets(options, family)
    vae = options.vae or (known.vae if known else None)
    loras = []
    for lora in options.loras:
        assert isinstance(lora, LoraSpec)
        path = _find_part(options, lora.source, "LoRA", files=[lora.file] if lora.file else [])
        loras.append((lora, _lora_file(lora, path)))
    return ModelFiles(
        base=base,
        family=family,
        config=None if base.is_dir() else _config(options, base, family),
        vae=None if vae is None else _find_part(options, vae, "VAE", name=None if options.vae else name),
        control_specs=tuple(specs),
        controlnets=tuple(nets),
        loras=tuple(loras),
        ip_adapter=None if options.style is None else _ip_adapter(options, family),
        schedule=known.schedule if known else None,
        resolution=known.resolution if known else None,
    )


def _find_part(options: Options, source: str, kind: str, *, files: Sequence[str] = (), name: str | None = None) -> Path:
    """A part beside the base model, its folder checked."""
    path = find_weights(
        source, kind, Selection(files), offline=options.offline, allow_pickle=options.allow_pickle, name=name
    )
    if path.is_dir():
        check_folder(path)
    return path


def _controlnets(options: Options, family: Family) -> tuple[list[ControlSpec], list[Path]]:
    """The ControlNets with their sources, and where they lie. Raises ``RecipeError``, ``MissingModelError``."""
    specs, nets = [], []
    for spec in options.controls:
        assert isinstance(spec, ControlSpec)
        source = spec.model or controlnet_for(spec.kind, family)
        if source is None:
            raise RecipeError(
                f"no ControlNet is known for {spec.kind} maps and {FAMILIES[family]}; name one: "
                f"--control {spec.kind}:model=ID"
            )
        specs.append(replace(spec, model=source))
        nets.append(_find_part(options, source, "ControlNet"))
        _check_class(nets[-1], source)
    return specs, nets


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


def _check_class(net: Path, source: str) -> None:
    """Raises ``RecipeError`` for a network that would load as a ControlNet and not work as one (unions of several)."""
    try:
        config = read_table(net / "config.json")
    except (OSError, ValueError):  # a file; or it fails when it is loaded
        return
    name = config.get("_class_name", "ControlNetModel")
    if name != "ControlNetModel":
        raise RecipeError(f"ControlNet {source!r} is a {name}, which this painter does not use; take a ControlNetModel")


def _lora_file(spec: LoraSpec, path: Path) -> Path:
    """The one file that is meant. Raises ``MissingModelError`` (none), ``RecipeError`` (several)."""
    if path.is_file() or spec.file:
        return path if path.is_file() else path / str(spec.file)
    if (path / LORA).is_file():
        return path / LORA
    files = sorted(file for file in path.glob("*.safetensors"))
    if not files:
        raise MissingModelError(f"LoRA {spec.source!r}: there is no .safetensors file in {show_path(path)}")
    if len(files) > 1:
        listed = ", ".join(file.name for file in files[:8]) + (", ..." if len(files) > 8 else "")
        raise RecipeError(f"LoRA {spec.source!r} has several files; say which, as its field file: {listed}")
    return files[0]


def _ip_adapter(options: Options, family: Family) -> tuple[Path, str, str]:
    known = IP_ADAPTERS[family]
    if options.ip_adapter is None:
        folder = _find_part(options, known.hub_id, "IP-Adapter", files=known.files, name=f"ip-adapter-{family}")
        inner, file = known.folder, known.file
    else:
        folder = _find_part(options, options.ip_adapter, "IP-Adapter")
        files = sorted(path for path in folder.rglob("*ip-adapter*.safetensors")) if folder.is_dir() else []
        if not files:
            raise MissingModelError(f"IP-Adapter: {show_path(folder)} has no file *ip-adapter*.safetensors")
        best = next((path for path in files if path.name == known.file), files[0])
        inner, file = best.parent.relative_to(folder).as_posix(), best.name
    encoder = folder / inner / "image_encoder"
    check_folder(encoder)
    ready = (encoder / "config.json").is_file() and bool([*encoder.glob("*.safetensors")])
    if not ready and not (options.allow_pickle and [*encoder.glob("*.bin")]):
        raise MissingModelError(
            f"IP-Adapter: {show_path(encoder)} has no image encoder (config.json and a .safetensors file)"
        )
    return folder, inner, file


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
        return family_of(config)
    names = tensor_names(base)
    if not any(name.startswith("model.diffusion_model.input_blocks.") for name in names):
        raise MissingModelError(
            f"{show_path(base)} is no whole model of Stable Diffusion (a LoRA, a ControlNet or a VAE has an option of its own)"
        )
    return "sdxl" if any(name.startswith("conditioner.embedders.1") for name in names) else "sd15"
