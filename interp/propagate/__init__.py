"""Propagation: paintings of keyframes carried along the footage's motion to the frames between. One filler a file."""

from interp.parts import PartTable

__all__ = ["FILLERS"]

FILLERS = PartTable(
    "filler",
    "restyle.fillers",
    {
        "along-motion": "interp.propagate.along_motion:AlongMotionFiller",
        "hold": "interp.propagate.hold:HoldFiller",
        "hybrid": "interp.propagate.hybrid:HybridFiller",
        "rife": "interp.propagate.rife:RifeFiller",
    },
    extras={"torch": "rife", "safetensors": "rife"},
)
