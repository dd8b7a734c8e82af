"""A comparison of two clips as a clip: both side by side, or with a wipe between them."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from fractions import Fraction
from itertools import count as numbers
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np

from interp.pixels.sizes import scaled_size
from restyle.errors import FootageError, RecipeError, show_path
from restyle.footage import ClipWriter, check_output, files_of, open_footage, plan_output, timing
from restyle.footage.colour import to_depth
from restyle.footage.numbering import is_pattern
from restyle.progress import Meter, ProgressCallback
from restyle.types import FootageSpec, Frame

__all__ = ["Layout", "write_comparison"]

Layout = Literal["wipe", "beside"]

SWEEP = 4  # seconds in which a wipe goes to the left and back
WIDEST = 4096  # pixels, of two pictures side by side: H.264's usual limit


def write_comparison(
    left: str | Path,
    right: str | Path,
    output: str | Path,
    *,
    layout: Layout = "wipe",
    wipe: float | None = None,
    starts: tuple[int, int] = (0, 0),
    rate: Fraction | None = None,
    quality: int | None = None,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> int:
    """Write footage and its result, or two results, as one clip of 8 bits, with the sound of ``left``; gives its frames.

    ``layout``: ``beside`` (side by side), or ``wipe``: ``left`` to the left of an edge, ``right`` to its right; the edge stands
    at ``wipe`` (a part of the width, in [0, 1]), or sweeps to and fro every four seconds. ``starts``: the first frame of each
    that is shown, where a result is of a part of its footage; the clip ends where the first of both does. ``rate``: of
    sequences of pictures. A right picture of another size is scaled to the left one's; two that would be too wide side by side
    are made smaller.

    Raises ``RecipeError``, ``FootageError``, ``OutputError``, ``OutputExistsError``, ``Cancelled``.
    """
    if layout not in get_args(Layout):
        raise RecipeError(f"a comparison is {' or '.join(get_args(Layout))}, got {layout!r}")
    if wipe is not None and not 0 <= wipe <= 1:
        raise RecipeError(f"a wipe stands between 0 and 1, got {wipe}")
    meter = Meter(progress, cancel)
    with ExitStack() as stack:
        first, second = (stack.enter_context(open_footage(clip, rate=_rate(clip, rate))) for clip in (left, right))
        pts, others = timing(left), timing(right)
        count = min(len(pts) - starts[0], len(others) - starts[1])
        if min(starts) < 0 or count < 1:
            raise FootageError(
                f"{show_path(left)} has {len(pts)} frames and {show_path(right)} {len(others)}: none to compare from frames "
                f"{starts[0]} and {starts[1]} on"
            )
        size = _size(first.spec, layout)
        shown = (2 * size[0], size[1]) if layout == "beside" else size
        spec = replace(
            first.spec,
            width=shown[0],
            height=shown[1],
            dtype="uint8",
            bits=8,
            pixel_format="yuv420p",
            has_alpha=False,
            hdr10=None,
        )
        out = plan_output(spec, output, codec="h264", quality=quality)
        check_output(first.spec, out, overwrite=overwrite, inputs=files_of(right))
        span = range(starts[0], starts[0] + count)
        lefts = stack.enter_context(closing(first.frames(span.start, span.stop, pts=pts)))
        rights = stack.enter_context(closing(second.frames(starts[1], starts[1] + count, pts=others)))
        meter.begin("render", count)
        with ClipWriter(out, spec, pts=pts, span=span, overwrite=overwrite) as clip:
            for frame, other, edge in zip(lefts, rights, _edges(wipe, spec.rate), strict=False):
                a = _fitted(frame.picture, size, first.spec)
                b = _fitted(other.picture, size, second.spec)
                picture = np.hstack([a, b]) if layout == "beside" else _wiped(a, b, edge)
                clip.write(Frame(frame.index, frame.pts, picture))
                meter.step(f"frame {frame.index}")
            meter.begin("finish", count)
    return count


def _rate(clip: str | Path, rate: Fraction | None) -> Fraction | None:
    """The rate, for footage that has none of its own."""
    return rate if Path(clip).is_dir() or is_pattern(Path(clip)) else None


def _size(spec: FootageSpec, layout: Layout) -> tuple[int, int]:
    """Width and height of either picture, both even."""
    scale = min(1.0, WIDEST / (2 * spec.width)) if layout == "beside" else 1.0
    width, height = scaled_size(spec.width, spec.height, scale)
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


def _fitted(picture: np.ndarray, size: tuple[int, int], spec: FootageSpec) -> np.ndarray:
    """The picture in 8 bits and of that size; a row or column too many is cut off."""
    plain = to_depth(picture, "uint8", transfer=spec.colour.transfer)
    height, width = plain.shape[:2]
    if 0 <= width - size[0] <= 1 and 0 <= height - size[1] <= 1:
        return np.ascontiguousarray(plain[: size[1], : size[0]])
    return cv2.resize(plain, size, interpolation=cv2.INTER_AREA if width > size[0] else cv2.INTER_CUBIC)


def _edges(wipe: float | None, rate: Fraction) -> Iterator[float]:
    """The edge's place in each frame, in parts of the width."""
    for number in numbers():
        yield 0.5 + 0.5 * math.cos(2 * math.pi * number / (SWEEP * float(rate))) if wipe is None else wipe


def _wiped(left: np.ndarray, right: np.ndarray, edge: float) -> np.ndarray:
    """The left picture up to the edge, the right one from there on, and a white line between them."""
    height, width = left.shape[:2]
    at, thick = round(edge * width), max(1, height // 360)
    wiped = right.copy()
    wiped[:, :at] = left[:, :at]
    if 0 < at < width:
        wiped[:, max(0, at - thick) : at + thick] = 255
    return wiped
