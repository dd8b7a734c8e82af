"""Metadata that frames carry beside their pixels: HDR10's static one, which some encoders write anew, and what is left out."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import Any

from av.sidedata.sidedata import Type

from restyle.types import Hdr10

__all__ = ["HDR_CODECS", "hdr10_of", "hdr10_options", "left_out"]

HDR_CODECS = ("h264", "hevc", "av1")
"""Codecs whose packets carry it."""
_CHROMATICITY, _LUMINANCE = 50_000, 10_000
"""Parts of 1 in which SMPTE ST 2086 counts x and y, and candelas a square metre."""


_LEFT_OUT = {
    Type.DYNAMIC_HDR_PLUS: "HDR10+ metadata, frame by frame",
    Type.DYNAMIC_HDR_VIVID: "HDR Vivid metadata, frame by frame",
    Type.DOVI_METADATA: "Dolby Vision metadata, frame by frame",
    Type.DOVI_RPU_BUFFER: "Dolby Vision metadata, frame by frame",
    Type.A53_CC: "closed captions inside the pictures",
    Type.SPHERICAL: "a mapping to a sphere (360 degree video)",
    Type.STEREO3D: "two views in one picture (stereo 3D)",
}
"""Metadata that is not written anew, in words."""


def left_out(frame: Any) -> list[str]:
    """Note each thing that a decoded frame carries and results do not."""
    kinds = set(frame.side_data.keys())
    texts = dict.fromkeys(text for kind, text in _LEFT_OUT.items() if kind in kinds)
    return [f"the footage carries {text}; results carry none" for text in texts]


def hdr10_of(frame: Any) -> Hdr10 | None:
    """Read what a decoded frame tells of its mastering display and its light; ``None`` if nothing."""
    display: tuple[Fraction, ...] | None = None
    light: tuple[int, int] | None = None
    mastering = frame.side_data.get(Type.MASTERING_DISPLAY_METADATA)
    if mastering is not None and len(bytes(mastering)) >= 88:
        # AVMasteringDisplayMetadata: x and y of red, green, blue and white, least and most luminance, which of both are known
        values = struct.unpack("22i", bytes(mastering)[:88])
        if all(values[20:]) and all(values[1:20:2]):
            display = tuple(Fraction(*pair) for pair in zip(values[0:20:2], values[1:20:2], strict=True))
    level = frame.side_data.get(Type.CONTENT_LIGHT_LEVEL)
    if level is not None and len(bytes(level)) >= 8:
        most, average = struct.unpack("2I", bytes(level)[:8])
        light = (most, average)
    return Hdr10(display, light) if display or light else None


def hdr10_options(codec: str, hdr10: Hdr10) -> str:
    """Write the encoder's parameters, to be joined to others of ``x264-params``, ``x265-params`` or ``svtav1-params``."""
    parameters = []
    if hdr10.display is not None:
        red, green, blue, white = (hdr10.display[at : at + 2] for at in (0, 2, 4, 6))
        low, high = hdr10.display[8:]
        named = (("G", green), ("B", blue), ("R", red), ("WP", white), ("L", (high, low)))
        if codec == "av1":
            text = "".join(f"{name}({float(x):.6f},{float(y):.6f})" for name, (x, y) in named)
        else:
            text = "".join(
                f"{name}({round(x * scale)},{round(y * scale)})"
                for name, (x, y) in named
                for scale in (_LUMINANCE if name == "L" else _CHROMATICITY,)
            )
        parameters.append(("mastering-display" if codec in ("av1", "h264") else "master-display") + "=" + text)
    if hdr10.light is not None:
        parameters.append(
            {"av1": "content-light", "h264": "cll"}.get(codec, "max-cll") + f"={hdr10.light[0]},{hdr10.light[1]}"
        )
    return ":".join(parameters)
