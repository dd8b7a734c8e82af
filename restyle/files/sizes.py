"""Sizes as people write them."""

from __future__ import annotations

import re

from restyle.errors import RecipeError

__all__ = ["parse_size"]

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def parse_size(text: str) -> int:
    """Bytes of a size as a person writes it: ``500M``, ``1.5G``, ``20GB``. Raises ``RecipeError``."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if match is None:
        raise RecipeError(f"a size is such as 500M, 8G or 1.5T, got {text!r}")
    return int(float(match[1]) * UNITS[match[2].upper()])
