"""The head of a safetensors file: names of its tensors, and whether it is whole."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from restyle.errors import MissingModelError, show_path, why

__all__ = ["tensor_names"]

LARGEST_HEAD = 100_000_000  # bytes of names and places of tensors: what the format allows


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
