"""Text and figures as a report letters them."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from html import escape
from typing import TypeVar

from restyle.quality.plots import RAISED
from restyle.quality.report_data import mean

__all__ = [
    "REASONS",
    "count",
    "duration",
    "figure",
    "image",
    "jpeg_size",
    "percent",
    "ranges",
    "spread",
    "text",
    "thousandths",
]

T = TypeVar("T")

REASONS = {
    "start": "shot begins",
    "coverage": "others explain too little",
    "max-gap": "longest gap",
    "end": "shot ends",
    "pinned": "asked for",
    "every": "regular step",
    "storyboard": "painted by hand",
    "repair": "repaired",
}
"""Why a frame was painted (``Keyframe.reason``), in words."""


def text(value: object) -> str:
    """Any value as text that is safe anywhere in HTML: markup escaped, control and direction characters made visible."""
    return escape("".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value)), quote=True)


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most ``most`` of the items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    if most == 1:
        return [items[0]]
    return [items[number * (len(items) - 1) // (most - 1)] for number in range(most)]


def figure(value: float | None) -> str:
    """A number with three significant digits; very small and very large ones as powers of ten."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0 or 0.01 <= abs(value) < 1000:
        return f"{value:.3g}"
    if 1000 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    mantissa, _, power = f"{value:.2e}".partition("e")
    return f"{mantissa}×10{str(int(power)).translate(RAISED)}"


def percent(share: float) -> str:
    """A share as percent: never rounded up to a hundred."""
    value = 100 * share
    return f"{math.floor(value * 10) / 10:g} %" if 99 <= value < 100 else f"{value:.0f} %"


def duration(seconds: float) -> str:
    """Seconds, or minutes and seconds, or hours and minutes."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole // 60 % 60:02d} min"


def ranges(frames: Sequence[int], most: int = 80) -> str:
    """Frame numbers with neighbours run together: ``3, 7–9``."""
    runs: list[list[int]] = []
    for frame in frames:
        if runs and frame == runs[-1][1] + 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    listed = ", ".join(f"{a:,}" if a == b else f"{a:,}–{b:,}" for a, b in runs[:most])
    return listed if len(runs) <= most else f"{listed} and more: {len(frames):,} in all, listed in report.json"


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from a JPEG's frame header (ITU-T T.81, B.2.2); ``None`` if there is none."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = (int.from_bytes(data[at + n : at + n + 2], "big") for n in (5, 7))
            return width, height
        at += 2 + length
    return None


def image(data: bytes, alt: str) -> str:
    """An ``img`` element that holds a JPEG."""
    size = jpeg_size(data)
    sides = f' width="{size[0]}" height="{size[1]}"' if size else ""
    return f'<img src="data:image/jpeg;base64,{base64.b64encode(data).decode()}" alt="{text(alt)}"{sides}>'


def thousandths(values: Sequence[float | None]) -> str:
    """The values' mean in thousandths."""
    average = mean(values)
    return "–" if average is None else f"{1000 * average:.3f}"


def count(number: int, noun: str) -> str:
    """``1 shot``, ``3 shots``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
