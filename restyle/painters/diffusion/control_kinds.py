"""Networks that take control maps, by their configurations: ControlNets, unions of several, T2I-Adapters. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restyle.errors import RecipeError
from restyle.painters.networks.specs import ControlSpec
from restyle.weights.catalogue import Family
from restyle.weights.tensors import tensor_names
from restyle.weights.trusted import read_table

__all__ = ["CONTROLNET", "T2I_ADAPTER", "UNION", "check_control", "family_of_control", "network_class", "union_type"]

CONTROLNET = "ControlNetModel"
UNION = "ControlNetUnionModel"
T2I_ADAPTER = "T2IAdapter"
UNION_TYPES: Mapping[str, int] = {
    "pose": 0,
    "depth": 1,
    "softedge": 2,
    "canny": 3,
    "lineart": 3,
    "normal": 4,
    "tile": 6,
}
"""First word of a kind of map -> its place among those that a union takes, as the first one's author (xinsir) numbers them."""


def network_class(path: Path) -> str:
    """Name of a network's class: by its folder's configuration; of one file that of a ControlNet."""
    try:
        return str(read_table(path / "config.json").get("_class_name", CONTROLNET))
    except (OSError, ValueError):  # a file; or it fails when it is loaded
        return CONTROLNET


def family_of_control(config: Mapping[str, Any]) -> Family:
    """Family of the models that a network is made for, by its configuration; of a UNet, too."""
    xl = config.get("addition_embed_type") == "text_time" or config.get("adapter_type") == "full_adapter_xl"
    return "sdxl" if xl else "sd15"


def union_type(kind: str) -> int | None:
    """Place of a kind of map among those that a union takes; ``None``: it takes none of that kind."""
    return UNION_TYPES.get(kind.partition("-")[0])


def check_control(path: Path, spec: ControlSpec) -> None:
    """Raises ``RecipeError`` for a network of a class that is not known, or a union that does not take that kind of map."""
    name = network_class(path)
    if name not in (CONTROLNET, UNION, T2I_ADAPTER):
        raise RecipeError(
            f"ControlNet {spec.model!r} is a {name:.60}, which this painter does not use; "
            f"take a {CONTROLNET}, {UNION} or {T2I_ADAPTER}"
        )
    if path.suffix == ".safetensors" and any("control_add_embedding" in tensor for tensor in tensor_names(path)):
        raise RecipeError(
            f"ControlNet {spec.model!r} is a union of several, in one file: give its folder, with config.json"
        )
    if name == UNION:
        place, count = union_type(spec.kind), int(read_table(path / "config.json").get("num_control_type", 6))
        if place is None or place >= count:
            raise RecipeError(
                f"ControlNet {spec.model!r} is a union of {count} kinds, and takes no {spec.kind} maps; take another for these"
            )
