"""Pictures and facts for a report, from the engine's own types."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np

from interp.pixels.depth import to_uint8
from interp.pixels.sizes import shrunk
from restyle.types import FootageSpec

__all__ = ["CARD_SIDE", "PAIR_SIDE", "facts_of", "jpeg_of", "overlay_matte"]

CARD_SIDE = 288  # long side of a contact sheet's picture, in pixels
PAIR_SIDE = 960  # long side of a before/after picture


def jpeg_of(picture: np.ndarray, *, long_side: int = PAIR_SIDE, quality: int = 80) -> bytes:
    """A picture (H x W x 3 RGB, any depth) as JPEG, shrunk so that its longer side is at most ``long_side`` pixels."""
    bgr = cv2.cvtColor(to_uint8(shrunk(picture, long_side)), cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
    if not done:
        raise ValueError(f"a picture of {picture.shape} cannot be a JPEG")
    return data.tobytes()


def overlay_matte(picture: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """The picture in grey, and in magenta where the matte (float32 H x W in [0, 1]) is: uint8 H x W x 3."""
    grey = cv2.cvtColor(cv2.cvtColor(to_uint8(picture), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB).astype(np.float32)
    share = np.float32(0.55) * matte[:, :, None]
    return np.rint(grey + share * (np.array([230, 30, 160], np.float32) - grey)).astype(np.uint8)


def facts_of(
    source: FootageSpec,
    output: FootageSpec,
    *,
    frames: tuple[int | None, int | None] = (None, None),
    seconds: tuple[Fraction | float | None, Fraction | float | None] = (None, None),
) -> list[tuple[str, str, str]]:
    """Rows of a report's facts table: what, footage in, footage out.

    ``frames``, ``seconds``: counted, in and out; without them what the headers tell.
    """
    sides = [_facts(spec, n, s) for spec, n, s in zip((source, output), frames, seconds, strict=True)]
    return [(what, sides[0][what], sides[1][what]) for what in sides[0]]


def _facts(spec: FootageSpec, frames: int | None, seconds: Fraction | float | None) -> dict[str, str]:
    count = spec.frames if frames is None else frames
    if seconds is None and count is not None:
        seconds = count / spec.rate
    tags = spec.colour
    colour = " / ".join(tag or "–" for tag in (tags.primaries, tags.transfer, tags.matrix))
    colour_range = {"tv": "limited range", "pc": "full range", None: ""}.get(tags.range, tags.range)
    rate = f"{float(spec.rate):.3f}".rstrip("0").rstrip(".")
    exact = f" ({spec.rate})" if spec.rate.denominator != 1 else ""
    size = f"{spec.width} × {spec.height}"
    if spec.pixel_aspect != 1:
        size += f", pixel aspect {spec.pixel_aspect.numerator}:{spec.pixel_aspect.denominator}"
    if spec.mirrored:
        size += ", mirrored"
    if spec.field_order != "progressive":
        size += f", interlaced, {spec.field_order} field first"
    if spec.rotation:
        size += f", turned {spec.rotation}°"
    return {
        "File": spec.path,
        "Size": size,
        "Frames": "unknown" if count is None else f"{count:,}",
        "Rate": f"{rate} fps{exact}" + (", variable" if spec.variable_rate else ""),
        "Duration": "unknown" if seconds is None else f"{float(seconds):.3f} s",
        "Timecode": spec.timecode or "–",
        "Codec": f"{spec.codec}, {spec.pixel_format}, {spec.bits} bit" + (", alpha" if spec.has_alpha else ""),
        "Colour": (colour if colour != "– / – / –" else "untagged") + (f", {colour_range}" if colour_range else ""),
        "Audio": {0: "none", 1: "1 stream"}.get(spec.audio_streams, f"{spec.audio_streams} streams"),
    }
