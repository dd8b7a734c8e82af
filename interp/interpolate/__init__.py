"""Interpolators: new pictures between two neighbouring frames, one kind a file, made by name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from interp.options import checked_options
from interp.types import Interpolator

__all__ = ["INTERPOLATORS", "make_interpolator"]

INTERPOLATORS = {
    "along-motion": "interp.interpolate.along_motion:AlongMotion",
    "cross-fade": "interp.interpolate.still:CrossFade",
    "hold": "interp.interpolate.still:Hold",
    "hybrid": "interp.interpolate.hybrid:Hybrid",
    "rife": "interp.interpolate.rife:Rife",
}


def make_interpolator(name: str, **options: Any) -> Interpolator:
    """Build an interpolator by name. Raises ``ValueError`` (unknown name or option), and what it raises itself:
    ``interp.errors.MissingPackageError``, ``interp.errors.MissingWeightsError``."""
    if name not in INTERPOLATORS:
        raise ValueError(f"unknown interpolator {name!r}; there are: {', '.join(INTERPOLATORS)}")
    module, _, attribute = INTERPOLATORS[name].partition(":")
    try:
        part = getattr(import_module(module), attribute)
        interpolator: Interpolator = part(**checked_options(part, options))
    except TypeError as error:
        raise ValueError(f"interpolator {name!r} takes no such option: {error}") from error
    return interpolator
