"""Where the weights that the options name lie on this machine, and what they are. Imports neither torch nor diffusers."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from restyle.errors import MissingModelError, RecipeError, show_path, why
from restyle.painters.diffusion.hub import find, is_hub_id, mark, pull_line, snapshot
from restyle.painters.diffusion.options import ControlSpec, LoraSpec, Options
from restyle.painters.diffusion.presets import IP_ADAPTERS, PRESETS, Family, controlnet_for
from restyle.painters.diffusion.selection import LORA, variant_of
from restyle.painters.diffusion.trusted import check_folder, read_table

__all__ = ["FAMILIES", "Places", "find_places", "tensor_names"]

FAMILIES: Mapping[Family, str] = {"sd15": "SD 1.5", "sdxl": "SDXL"}
"""As a person calls them."""
LARGEST_HEAD = 100_000_000  # bytes of names and places of tensors: what the format allows


@dataclass(frozen=True)
class Places:
    """Files and folders of everything that is loaded."""

    base: Path
    family: Family
    config: str | None
    """For a base of one file: where its configuration comes from."""
    vae: Path | None
    specs: tuple[ControlSpec, ...]
    """The ControlNets, each with its source."""
    controls: tuple[Path, ...]
    loras: tuple[tuple[LoraSpec, Path], ...]
    ip_adapter: tuple[Path, str, str] | None
    """Folder, folder within it, file."""
    schedule: str | None
    """The preset's."""

    @property
    def all(self) -> list[Path]:
        """Every one of them."""
        some = [self.base, *self.controls, *(place for _, place in self.loras)]
        some += [self.vae] if self.vae is not None else []
        return some + ([self.ip_adapter[0]] if self.ip_adapter is not None else [])

    def identity(self) -> Mapping[str, Any]:
        """What decides the weights: plain JSON."""
        return {
            "base": mark(self.base),
            "vae": None if self.vae is None else mark(self.vae),
            "controls": [mark(place) for place in self.controls],
            "loras": [[spec.weight, mark(place)] for spec, place in self.loras],
            "ip_adapter": None if self.ip_adapter is None else mark(self.ip_adapter[0] / self.ip_adapter[1]),
        }

    @staticmethod
    def variant(folder: Path, options: Options) -> str | None:
        """The variant of a base model's files: the one asked for, or ``fp16`` where a part has no other."""
        if options.variant is not None:
            return options.variant
        parts = [part for part in folder.iterdir() if part.is_dir()]
        return next((variant for part in parts if (variant := variant_of(part)) is not None), None)


def find_places(options: Options) -> Places:
    """Find, or fetch, everything that the options name. Raises ``MissingModelError``, ``RecipeError``, ``OutputError``."""
    preset = PRESETS.get(options.model)
    source = preset.model if preset else options.model
    if not preset and "/" not in source and not Path(source).expanduser().exists():
        raise RecipeError(
            f"there is no model {source!r}: give a folder, a .safetensors file, a hub id (owner/name), "
            f"or one of: {', '.join(PRESETS)}"
        )

    def found(what: str, wanted: str, **more: Any) -> Path:
        place = find(wanted, what, offline=options.offline, allow_pickle=options.allow_pickle, **more)
        if place.is_dir():
            check_folder(place)
        return place

    known = options.model if preset else None
    base = find(source, "model", offline=options.offline, variant=options.variant, name=known)
    if base.is_dir():
        check_folder(base)
    family = _family(base)
    specs, nets = [], []
    for spec in options.controls:
        assert isinstance(spec, ControlSpec)
        wanted = spec.model or controlnet_for(spec.kind, family)
        if wanted is None:
            raise RecipeError(
                f"no ControlNet is known for {spec.kind} maps and {FAMILIES[family]}; name one: "
                f"--control {spec.kind}:model=ID"
            )
        specs.append(replace(spec, model=wanted))
        nets.append(found("ControlNet", wanted))
        _check_kind(nets[-1], wanted)
    vae = options.vae or (preset.vae if preset else None)
    loras = []
    for lora in options.loras:
        assert isinstance(lora, LoraSpec)
        loras.append((lora, _lora(lora, found("LoRA", lora.source, files=[lora.file] if lora.file else []))))
    ip_adapter = None
    if options.style is not None:
        ip_adapter = _ip_adapter(options, family, found)
    return Places(
        base=base,
        family=family,
        config=None if base.is_dir() else _config(options, base, family),
        vae=None if vae is None else found("VAE", vae, name=None if options.vae else known),
        specs=tuple(specs),
        controls=tuple(nets),
        loras=tuple(loras),
        ip_adapter=ip_adapter,
        schedule=preset.schedule if preset else None,
    )


def _config(options: Options, base: Path, family: Family) -> str | None:
    """Of a model of one file: the folder or hub id of its configuration; ``None``: that of its family's first model, fetched.

    Raises ``MissingModelError``: offline, and not on this machine.
    """
    if options.config is not None and Path(options.config).expanduser().is_dir():
        check_folder(Path(options.config).expanduser())
        return str(Path(options.config).expanduser())
    if not options.offline:
        return options.config
    wanted = options.config or PRESETS[family].model
    folder = snapshot(wanted) if is_hub_id(wanted) else None
    if folder is None or not (folder / "model_index.json").is_file():
        raise MissingModelError(
            f"the configuration {wanted!r} of {show_path(base)} is not on this machine, and --offline fetches nothing: "
            f"{pull_line(wanted if options.config else family)}, or --painter-option config=FOLDER"
        )
    check_folder(folder)
    return str(folder)


def _check_kind(net: Path, source: str) -> None:
    """Raises ``RecipeError`` for a network that would load as a ControlNet and not work as one (unions of several)."""
    try:
        config = read_table(net / "config.json")
    except (OSError, ValueError):  # a file; or told when it is loaded
        return
    kind = config.get("_class_name", "ControlNetModel")
    if kind != "ControlNetModel":
        raise RecipeError(f"ControlNet {source!r} is a {kind}, which this painter does not use; take a ControlNetModel")


def _lora(spec: LoraSpec, place: Path) -> Path:
    """The one file that is meant. Raises ``MissingModelError`` (none), ``RecipeError`` (several)."""
    if place.is_file() or spec.file:
        return place if place.is_file() else place / str(spec.file)
    if (place / LORA).is_file():
        return place / LORA
    files = sorted(file for file in place.glob("*.safetensors"))
    if not files:
        raise MissingModelError(f"LoRA {spec.source!r}: there is no .safetensors file in {show_path(place)}")
    if len(files) > 1:
        listed = ", ".join(file.name for file in files[:8]) + (", ..." if len(files) > 8 else "")
        raise RecipeError(f"LoRA {spec.source!r} has several files; say which, as its field file: {listed}")
    return files[0]


def _ip_adapter(options: Options, family: Family, found: Any) -> tuple[Path, str, str]:
    known = IP_ADAPTERS[family]
    if options.ip_adapter is None:
        folder, inner, file = (
            found("IP-Adapter", known.hub_id, files=known.files, name=f"ip-adapter-{family}"),
            known.folder,
            known.file,
        )
    else:
        folder = found("IP-Adapter", options.ip_adapter)
        files = sorted(path for path in folder.rglob("*ip-adapter*.safetensors")) if folder.is_dir() else []
        if not files:
            raise MissingModelError(f"IP-Adapter: {show_path(folder)} has no file *ip-adapter*.safetensors")
        chosen = next((path for path in files if path.name == known.file), files[0])
        inner, file = chosen.parent.relative_to(folder).as_posix(), chosen.name
    encoder = folder / inner / "image_encoder"
    check_folder(encoder)
    ready = (encoder / "config.json").is_file() and bool([*encoder.glob("*.safetensors")])
    if not ready and not (options.allow_pickle and [*encoder.glob("*.bin")]):
        raise MissingModelError(
            f"IP-Adapter: {show_path(encoder)} has no image encoder (config.json and a .safetensors file)"
        )
    return folder, inner, file


def _family(base: Path) -> Family:
    """Of a folder by its UNet's configuration, of a file by the names of its tensors. Raises ``MissingModelError``."""
    if base.is_dir():
        if not (base / "model_index.json").is_file():
            raise MissingModelError(f"{show_path(base)} holds no diffusers model: it has no model_index.json")
        try:
            config = read_table(base / "unet" / "config.json")
        except (OSError, ValueError) as error:
            raise MissingModelError(
                f"{show_path(base)} holds no UNet ({why(error)}): SD 1.5 and SDXL have one"
            ) from error
        return "sdxl" if config.get("addition_embed_type") == "text_time" else "sd15"
    names = tensor_names(base)
    if not any(name.startswith("model.diffusion_model.input_blocks.") for name in names):
        raise MissingModelError(
            f"{show_path(base)} is no whole model of Stable Diffusion (a LoRA, a ControlNet or a VAE has an option of its own)"
        )
    return "sdxl" if any(name.startswith("conditioner.embedders.1") for name in names) else "sd15"


def tensor_names(path: Path) -> list[str]:
    """Names of the tensors in a safetensors file. Raises ``MissingModelError``."""
    try:
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            head = json.loads(file.read(length)) if length < min(path.stat().st_size, LARGEST_HEAD) else {}
        ends = [int(tensor["data_offsets"][1]) for name, tensor in head.items() if name != "__metadata__"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise MissingModelError(f"{show_path(path)} is no safetensors file ({why(error)})") from error
    if not ends or path.stat().st_size < 8 + length + max(ends):
        raise MissingModelError(f"{show_path(path)} is no safetensors file, or it is cut off; fetch it again")
    return [name for name in head if name != "__metadata__"]
