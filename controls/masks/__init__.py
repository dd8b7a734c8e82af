"""Maskers, one a file; ``make_masker`` imports only the one that is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from controls.types import Masker

__all__ = ["MASKERS", "make_masker"]

MASKERS = {
    "flowcut": "controls.masks.flowcut:FlowCutMasker",
    "given": "controls.masks.given:GivenMasker",
    "sam2": "controls.masks.sam2:Sam2Masker",
}


def make_masker(name: str, options: Mapping[str, Any] | None = None) -> Masker:
    """Build a masker by name, with its keyword options.

    Raises ``ValueError`` that lists what there is (unknown name or option), ``ModuleNotFoundError`` where the package behind it
    is not installed, and whatever ValueError the masker's own checks raise.
    """
    if name not in MASKERS:
        raise ValueError(f"no masker {name!r}; there are: {', '.join(sorted(MASKERS))}")
    module, _, attribute = MASKERS[name].partition(":")
    part = getattr(import_module(module), attribute)
    known = list(inspect.signature(part).parameters)
    for option in options or {}:
        if option not in known:
            raise ValueError(f"masker {name!r} has no option {option!r}; it has: {', '.join(known) or 'none'}")
    made: Masker = part(**(options or {}))
    return made
