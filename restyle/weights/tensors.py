"""The head of a safetensors file: names and sizes of its tensors, and whether it is whole."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from restyle.errors import MissingModelError, show_path, why

__all__ = ["tensor_bytes", "tensor_names", "tensor_shapes"]

LARGEST_HEAD = 100_000_000  # bytes of names and places of tensors: what the format allows


def tensor_names(path: Path) -> list[str]:
    """Names of the tensors in a safetensors file. Raises ``MissingModelError``."""
    return list(_tensors(path))


def tensor_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the tensors in a safetensors file, by name. Raises ``MissingModelError``."""
    return {name: tuple(tensor["shape"]) for name, tensor in _tensors(path).items()}


def tensor_bytes(path: Path, width: int) -> int:
    """Bytes that the tensors take once they are loaded, ``width`` to a number. Raises ``MissingModelError``."""
    return sum(prod(shape) for shape in tensor_shapes(path).values()) * width


def _tensors(path: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            head = json.loads(file.read(length)) if length < min(path.stat().st_size, LARGEST_HEAD) else {}
        tensors = {name: tensor for name, tensor in head.items() if name != "__metadata__"}
        ends = [int(tensor["data_offsets"][1]) for tensor in tensors.values()]
        for tensor in tensors.values():
            prod(tensor["shape"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise MissingModelError(f"{show_path(path)} is no safetensors file ({why(error)})") from error
    if not ends or path.stat().st_size < 8 + length + max(ends):
        raise MissingModelError(f"{show_path(path)} is no safetensors file, or it is cut off; fetch it again")
    return tensors
