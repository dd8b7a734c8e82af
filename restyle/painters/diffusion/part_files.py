"""The files that are meant of what stands beside the base model: LoRAs, IP-Adapters. Imports neither torch nor diffusers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from restyle.errors import MissingModelError, RecipeError, show_path
from restyle.painters.diffusion.options import LoraSpec, Options
from restyle.weights.catalogue import IP_ADAPTERS, Family
from restyle.weights.finding import Wanted
from restyle.weights.folders import loaded_files
from restyle.weights.selection import LORA, Selection
from restyle.weights.trusted import check_folder

__all__ = ["IPAdapterFiles", "ip_adapter_files", "ip_adapter_wanted", "lora_file"]


@dataclass(frozen=True)
class IPAdapterFiles:
    """An IP-Adapter on this machine."""

    folder: Path
    inner: str
    """Folder within it."""
    file: str
    """Within the inner one, beside ``image_encoder``."""

    def files(self, *, allow_pickle: bool) -> list[Path]:
        """Everything that is loaded."""
        inner = self.folder / self.inner
        return [inner / self.file, *loaded_files(inner / "image_encoder", allow_pickle=allow_pickle)]


def lora_file(spec: LoraSpec, path: Path) -> Path:
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


def ip_adapter_wanted(options: Options, family: Family) -> Wanted:
    """The IP-Adapter that is asked for, or its family's."""
    if options.ip_adapter is not None:
        return Wanted(options.ip_adapter, "IP-Adapter", allow_pickle=options.allow_pickle)
    known = IP_ADAPTERS[family]
    return Wanted(known.hub_id, "IP-Adapter", Selection(known.files), options.allow_pickle, f"ip-adapter-{family}")


def ip_adapter_files(options: Options, family: Family, folder: Path) -> IPAdapterFiles:
    """The file that is meant of an IP-Adapter's folder, and its encoder. Raises ``MissingModelError``."""
    known = IP_ADAPTERS[family]
    inner, file = known.folder, known.file
    if options.ip_adapter is not None:
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
    return IPAdapterFiles(folder, inner, file)
