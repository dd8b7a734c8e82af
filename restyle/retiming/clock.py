"""Clocks of retimed footage: when each frame is shown, exactly, in fractions of a second. Pure arithmetic."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from restyle.errors import RecipeError
from restyle.types import FootageSpec

__all__ = ["count", "drawings", "frame_times", "instants", "parse_rate", "parse_slow"]

MOST_SLOW = 1000


def count(duration: Fraction, rate: Fraction) -> int:
    """Count the frames of ``rate`` that begin within ``duration`` seconds: at least one, and never a frame too long."""
    return max(1, math.ceil(duration * rate))


def instants(
    first: int, begin: Fraction, end: Fraction, rate: Fraction, slow: Fraction
) -> Iterator[tuple[int, Fraction]]:
    """Output frames, numbered from ``first`` on, whose instants on the footage's own clock lie before ``end``; and where within
    ``begin`` to ``end`` they lie, 0 to below 1. Output frame n is shown n / (``rate`` * ``slow``) seconds after the footage's
    first. Walking the footage's frames one after the other gives every output frame once."""
    number = first
    while Fraction(number) / (rate * slow) < end:
        yield number, (Fraction(number) / (rate * slow) - begin) / (end - begin)
        number += 1


def frame_times(spec: FootageSpec, ticks: Sequence[int], length: Fraction) -> tuple[list[Fraction], Fraction]:
    """Times at which the frames are shown, in seconds from the first one on, and for how long all of them are.

    ``ticks``: their presentation times; ``length``: from the first one's to the end of the last. At a constant rate the rate
    tells instead: containers round their stamps (Matroska to milliseconds), and frames that are only nearly in time would all
    have to be interpolated.
    """
    if spec.variable_rate:
        return [(tick - ticks[0]) * spec.time_base for tick in ticks], length
    return [number / spec.rate for number in range(len(ticks))], len(ticks) / spec.rate


def drawings(times: Sequence[Fraction], end: Fraction, rate: Fraction) -> list[int]:
    """Choose the frames to keep of a footage whose pictures were drawn at ``rate`` a second and repeated: those on screen at
    each drawing's instant. ``times``: of all frames, ascending from 0; ``end``: of the last one. Strictly ascending numbers."""
    drawn: list[int] = []
    frame = 0
    for number in range(count(end, rate)):
        instant = number / rate
        while frame + 1 < len(times) and times[frame + 1] <= instant:
            frame += 1
        if not drawn or drawn[-1] != frame:
            drawn.append(frame)
    return drawn


def parse_rate(value: str | float | Fraction, name: str) -> Fraction:
    """Frames a second: a number or a fraction; 23.976 means 24000/1001. ``name``: of the option. Raises ``RecipeError``."""
    try:
        rate = Fraction(value)
    except (ValueError, ZeroDivisionError, TypeError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise RecipeError(f"{name} is a number or a fraction such as 24, 23.976 or 30000/1001, got {value!r}")
    nominal = round(rate)
    exact = Fraction(nominal * 1000, 1001)
    meant = nominal in (24, 30, 48, 60, 120) and rate != nominal and abs(rate - exact) < Fraction(1, 200)
    return exact if meant else rate


def parse_slow(text: str | float | Fraction) -> Fraction:
    """Read a factor of slow motion: ``"4x"``, ``4``, ``"2.5x"``, ``"3/2"``; below 1 is faster. Raises ``RecipeError``."""
    plain = re.sub(r"\s*[x×]$", "", str(text).strip().lower())
    try:
        value = Fraction(plain)
    except (ValueError, ZeroDivisionError):
        raise RecipeError(f"slow motion is given as a factor such as 4x or 2.5x, got {str(text)!r}") from None
    if not Fraction(1, MOST_SLOW) <= value <= MOST_SLOW:
        raise RecipeError(f"slow motion is 1/{MOST_SLOW} to {MOST_SLOW} times, got {str(text)!r}")
    return value
