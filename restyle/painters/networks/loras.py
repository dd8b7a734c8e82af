"""LoRAs: the files that are meant, and these on the networks of a pipeline. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from restyle.errors import MissingModelError, RecipeError, show_path, why
from restyle.painters.networks.specs import LoraSpec
from restyle.weights.selection import LORA
from restyle.weights.tensors import tensor_names

__all__ = ["add_loras", "lora_file", "one_file"]

DOWN = (".lora_A.weight", ".lora_down.weight", ".lora.down.weight", "_lora.down.weight")
"""Ends of the names of what a LoRA has once for each layer that it changes."""

NETWORKS = (
    "unet",
    "transformer",
    "transformer_2",
    "text_encoder",
    "text_encoder_2",
)  # of a pipeline: what LoRAs change


def lora_file(spec: LoraSpec, path: Path) -> Path:
    """The one file that is meant. Raises ``MissingModelError`` (none), ``RecipeError`` (several)."""
    if (path / LORA).is_file() and not spec.file:
        return path / LORA
    return one_file("LoRA", spec.source, spec.file, path, (".safetensors",))


def one_file(kind: str, source: str, file: str | None, path: Path, kinds: tuple[str, ...]) -> Path:
    """The one file of a folder that is meant, by its name or because there is no other. Raises as ``lora_file``."""
    if path.is_file() or file:
        return path if path.is_file() else path / str(file)
    files = sorted(each for each in path.glob("*") if each.suffix in kinds)
    if not files:
        raise MissingModelError(f"{kind} {source!r}: there is no {' or '.join(kinds)} file in {show_path(path)}")
    if len(files) > 1:
        listed = ", ".join(each.name for each in files[:8]) + (", ..." if len(files) > 8 else "")
        raise RecipeError(f"{kind} {source!r} has several files; say which, as its field file: {listed}")
    return files[0]


def add_loras(pipe: Any, loras: Sequence[tuple[LoraSpec, Path]], made_for: str) -> list[str]:
    """Notes on those of which not all was taken. ``made_for``: a model that one has to be made for, in words.

    Raises ``RecipeError``, ``MissingModelError``.
    """
    names: list[str] = []
    notes = []
    for number, (spec, path) in enumerate(loras):
        name = f"lora{number}"
        safe = {"use_safetensors": True} if path.suffix == ".safetensors" else {}
        try:
            pipe.load_lora_weights(
                str(path.parent), weight_name=path.name, adapter_name=name, local_files_only=True, **safe
            )
        except (RuntimeError, ValueError, KeyError) as error:
            reason = "its layers have other sizes" if "size mismatch" in str(error) else why(error)
            raise RecipeError(
                f"LoRA {spec.source!r} does not fit to the model: {reason}. Take one made for {made_for}"
            ) from error
        except OSError as error:
            raise MissingModelError(f"LoRA {spec.source!r} cannot be loaded: {why(error)}") from error
        networks = (getattr(pipe, part, None) for part in NETWORKS)
        used = sum(
            name in getattr(layer, "lora_A", ()) for network in networks if network for layer in network.modules()
        )
        layers = _layers(path)
        if not used or (layers is not None and 2 * used < layers):
            raise RecipeError(
                f"LoRA {spec.source!r} does not fit to the model: {used} of its {layers or 'many'} layers are there. "
                f"Take one made for {made_for}"
            )
        if layers is not None and used < layers:
            notes.append(f"LoRA {spec.source!r} fits in part: the model has {used} of its {layers} layers")
        names.append(name)
    if names:
        pipe.set_adapters(names, [spec.weight for spec, _ in loras])
    return notes


def _layers(path: Path) -> int | None:
    """Number of layers that a LoRA changes, by its file; ``None`` where that is not known without running it."""
    if path.suffix != ".safetensors":
        return None
    return sum(name.endswith(DOWN) for name in tensor_names(path)) or None
