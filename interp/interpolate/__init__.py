"""Interpolation: new frames between two neighbouring ones. One interpolator a file."""

from interp.parts import PartTable

__all__ = ["INTERPOLATORS"]

INTERPOLATORS = PartTable(
    "interpolator",
    "restyle.interpolators",
    {
        "along-motion": "interp.interpolate.along_motion:AlongMotion",
        "cross-fade": "interp.interpolate.still:CrossFade",
        "hold": "interp.interpolate.still:Hold",
        "hybrid": "interp.interpolate.hybrid:Hybrid",
        "rife": "interp.interpolate.rife:Rife",
    },
    extras={"torch": "rife", "safetensors": "rife"},
)
