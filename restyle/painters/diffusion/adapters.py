"""LoRAs and IP-Adapters -> onto the networks of a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from interp.pixels.depth import to_uint8
from restyle.errors import MissingModelError, RecipeError, why
from restyle.painters.diffusion.model_files import ModelFiles
from restyle.painters.diffusion.options import Options
from restyle.painters.networks.errors import loading
from restyle.painters.style_pictures import read_style_picture
from restyle.weights.catalogue import FAMILIES
from restyle.weights.tensors import tensor_names

__all__ = ["add_loras", "add_style"]


def add_loras(pipe: Any, files: ModelFiles) -> list[str]:
    """Notes on those of which not all was taken. Raises ``RecipeError``, ``MissingModelError``."""
    names: list[str] = []
    notes = []
    family = FAMILIES[files.family]
    for number, (spec, path) in enumerate(files.loras):
        name = f"lora{number}"
        safe = {"use_safetensors": True} if path.suffix == ".safetensors" else {}
        try:
            pipe.load_lora_weights(
                str(path.parent), weight_name=path.name, adapter_name=name, local_files_only=True, **safe
            )
        except (RuntimeError, ValueError, KeyError) as error:
            reason = "its layers have other sizes" if "size mismatch" in str(error) else why(error)
            raise RecipeError(
                f"LoRA {spec.source!r} does not fit to the model: {reason}. Take one made for {family}"
            ) from error
        except OSError as error:
            raise MissingModelError(f"LoRA {spec.source!r} cannot be loaded: {why(error)}") from error
        networks = (getattr(pipe, part, None) for part in ("unet", "text_encoder", "text_encoder_2"))
        used = sum(
            name in getattr(layer, "lora_A", ()) for network in networks if network for layer in network.modules()
        )
        layers = _lora_layers(path)
        if not used or (layers is not None and 2 * used < layers):
            raise RecipeError(
                f"LoRA {spec.source!r} does not fit to the model: {used} of its {layers or 'many'} layers are there. "
                f"Take one made for {family}"
            )
        if layers is not None and used < layers:
            notes.append(f"LoRA {spec.source!r} fits in part: the model has {used} of its {layers} layers")
        names.append(name)
    if names:
        pipe.set_adapters(names, [spec.weight for spec, _ in files.loras])
    return notes


def _lora_layers(path: Path) -> int | None:
    """Number of layers that a LoRA changes, by its file; ``None`` where that is not known without running it."""
    if path.suffix != ".safetensors":
        return None
    names = tensor_names(path)
    return sum(name.endswith((".lora_A.weight", ".lora_down.weight", ".lora.down.weight")) for name in names) or None


def add_style(pipe: Any, options: Options, files: ModelFiles) -> Any:
    """The IP-Adapter, and the picture whose style is taken."""
    if options.style is None or files.ip_adapter is None:
        return None
    found = files.ip_adapter
    with loading("IP-Adapter", found.folder):
        pipe.load_ip_adapter(str(found.folder), subfolder=found.inner, weight_name=found.file, local_files_only=True)
    pipe.set_ip_adapter_scale(options.style_weight)
    picture = read_style_picture(Path(options.style))
    return Image.fromarray(to_uint8(picture))
