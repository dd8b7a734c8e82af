"""Differences where a result was to change nothing: outside of mattes, sample by sample, as the files hold them and in RGB."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from restyle.errors import FootageError, show_path
from restyle.footage import Footage, open_footage
from restyle.footage.colour import working_matrix
from restyle.footage.samples import outside_of_planes, planar
from restyle.progress import Meter, ProgressCallback
from restyle.quality.contact_sheet import Tile
from restyle.quality.measures import to_unit
from restyle.types import FootageSpec, Frame

__all__ = ["Channel", "Outside", "measure_outside"]

INSIDE = 0.25  # grey that stands for what may differ, on difference pictures
SHOWN = 0.8  # of white, at which the largest difference is shown


@dataclass
class Channel:
    """Differences of one kind of sample, over all frames."""

    name: str
    """``Y``, ``U``, ``V``, or ``RGB``."""
    white: int
    """The code value that stands for full scale: 255 in 8 bits; 1 for floats."""
    compared: int = 0
    """Samples outside."""
    differing: int = 0
    largest: float = 0.0
    """In code values."""
    total: float = 0.0

    @property
    def mean(self) -> float:
        """Mean absolute difference in code values; 0 over nothing."""
        return self.total / self.compared if self.compared else 0.0

    def add(self, difference: np.ndarray) -> None:
        """Count the absolute differences of one frame's samples."""
        self.compared += difference.size
        self.differing += int(np.count_nonzero(difference))
        if difference.size:
            self.largest = max(self.largest, float(difference.max()))
            self.total += float(difference.sum(dtype=np.float64))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "white": self.white,
            "compared": self.compared,
            "differing": self.differing,
            "largest": self.largest,
            "mean": self.mean,
        }


@dataclass
class Outside:
    """The result of ``measure_outside``."""

    margin: int
    frames: int = 0
    channels: list[Channel] = field(default_factory=list)
    """RGB as both decode, and the planes where both files hold the same kind."""
    findings: list[str] = field(default_factory=list)
    worst: int | None = None
    """The frame with the largest difference; ``None``: there is none anywhere."""
    tiles: list[Tile] = field(default_factory=list)
    """For a sheet: the worst frame (the first, where there is no difference) and its difference, and the largest difference of
    all frames, both made light enough to be seen; grey is what was not compared."""

    @property
    def same(self) -> bool:
        """True if every sample of the files' own kind is the same (of RGB, where they are not of one kind)."""
        own = [channel for channel in self.channels if channel.name != "RGB"] or self.channels
        return all(channel.differing == 0 for channel in own)

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {
            "schema": "restyle.outside",
            "version": 1,
            "frames": self.frames,
            "margin": self.margin,
            "same": self.same,
            "worst_frame": self.worst,
            "channels": [channel.to_json() for channel in self.channels],
            "findings": self.findings,
        }


def measure_outside(
    source_path: str | Path,
    result_path: str | Path,
    mattes: Iterable[np.ndarray],
    *,
    margin: int,
    rate: Fraction | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> Outside:
    """Compare a result with its source outside of ``mattes`` (float32 H x W in [0, 1], one a frame, 0 outside), from ``margin``
    pixels beyond them on, in flat memory.

    A sample of subsampled chroma counts as outside only if all samples of luma do for which it stands. Raises ``FootageError``
    for footage that cannot be read, of different sizes, or with fewer frames than the source; ``Cancelled``.
    """
    found = Outside(margin)
    meter = Meter(progress, cancel)
    with ExitStack() as stack:
        source = stack.enter_context(open_footage(source_path, rate=rate))
        result = stack.enter_context(open_footage(result_path, rate=rate))
        a, b = source.spec, result.spec
        if (a.width, a.height) != (b.width, b.height):
            raise FootageError(f"{show_path(result_path)} is {b.width}x{b.height}, its source {a.width}x{a.height}")
        reason = _unlike(a, b)
        if reason is not None:
            found.findings.append(f"compared in RGB alone: {reason}")
        comparison = _Comparison(found, a, planes=reason is None)
        meter.begin("analyse", a.frames)
        for here, there, matte in _in_step(stack, source, result, mattes):
            comparison.add(here, there, _grown(matte, margin))
            meter.step("measuring")
    if not found.frames:
        raise FootageError(f"{show_path(source_path)} has no frame to measure; give footage with a picture")
    found.tiles = comparison.tiles()
    return found


def _in_step(
    stack: ExitStack, source: Footage, result: Footage, mattes: Iterable[np.ndarray]
) -> Iterator[tuple[Frame, Frame, np.ndarray]]:
    a, b = (stack.enter_context(closing(each.frames(samples=True))) for each in (source, result))  # type: ignore[type-var]
    for here, matte in zip(a, mattes, strict=True):
        there = next(b, None)
        if there is None:
            raise FootageError(f"{show_path(result.spec.path)} ends before frame {here.index}, which its source has")
        yield here, there, matte


def _unlike(a: FootageSpec, b: FootageSpec) -> str | None:
    """Say why the samples of two files cannot be compared as they are; ``None``: they can."""
    kinds = planar(a.pixel_format), planar(b.pixel_format)
    if None in kinds or kinds[0] != kinds[1]:
        return f"the source holds {a.pixel_format}, the result {b.pixel_format}"
    if (a.rotation, a.mirrored) != (b.rotation, b.mirrored):
        return "one is stored turned, the other not"
    if working_matrix(a.colour, a.height) != working_matrix(b.colour, b.height) or a.colour.range != b.colour.range:
        return "their colour matrices or ranges differ"
    return None


def _grown(matte: np.ndarray, margin: int) -> np.ndarray:
    inside = (matte > 0).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    return cv2.dilate(inside, disc) if margin else inside


class _Comparison:
    """Differences added up frame by frame, and the pictures that show them."""

    def __init__(self, found: Outside, spec: FootageSpec, *, planes: bool) -> None:
        self._found, self._spec = found, spec
        self._rgb = Channel("RGB", {"uint8": 255, "uint16": 65535, "float32": 1}[spec.dtype])
        white = (1 << spec.bits) - 1
        self._planes = [Channel(name, white) for name in "YUV"] if planes else []
        found.channels = [*self._planes, self._rgb]
        self._most = np.zeros((spec.height, spec.width), np.float32)
        self._always = np.ones((spec.height, spec.width), bool)
        self._worst: tuple[float, int, np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None = None

    def add(self, here: Frame, there: Frame, inside: np.ndarray) -> None:
        """Compare one frame. ``inside``: uint8 H x W."""
        self._found.frames += 1
        outside = inside == 0
        scale = np.float32(self._rgb.white)
        difference = np.abs(to_unit(here.picture) - to_unit(there.picture))
        self._rgb.add(np.rint(difference[outside] * scale) if scale > 1 else difference[outside])
        spread = np.where(outside, difference.max(axis=2), np.float32(0))
        if self._planes:
            self._add_planes(here, there, inside)
        self._most = np.maximum(self._most, spread)
        self._always &= inside > 0
        worst = float(spread.max())
        if self._worst is None or worst > self._worst[0]:
            self._worst = worst, here.index, here.picture, there.picture, spread, outside
            self._found.worst = here.index if worst > 0 else None

    def _add_planes(self, here: Frame, there: Frame, inside: np.ndarray) -> None:
        spec = self._spec
        outside = outside_of_planes(
            inside.astype(np.float32),
            here.samples,
            rotation=spec.rotation,
            mirrored=spec.mirrored,
            fields=spec.field_order != "progressive",
        )
        for channel, own, other, where in zip(self._planes, here.samples, there.samples, outside, strict=True):
            channel.add(np.abs(own.astype(np.int32) - other)[where])

    def tiles(self) -> list[Tile]:
        """See ``Outside.tiles``."""
        assert self._worst is not None
        worst, frame, here, there, spread, outside = self._worst
        return [
            Tile(f"frame {frame}: footage, result", (to_unit(here), to_unit(there))),
            Tile(
                f"difference: in frame {frame}, and the largest of all frames ({_largest(worst, self._rgb.white)})",
                (_shown(spread, outside, worst), _shown(self._most, ~self._always, worst)),
            ),
        ]


def _largest(worst: float, white: int) -> str:
    return "none at all" if worst == 0 else f"white is {worst / SHOWN * white:.3g} of {white}"


def _shown(difference: np.ndarray, compared: np.ndarray, largest: float) -> np.ndarray:
    """A difference (float32 H x W) as a picture: black where there is none, grey where nothing was compared."""
    light = difference * np.float32(SHOWN / largest) if largest > 0 else difference
    flat = np.where(compared, light, np.float32(INSIDE)).astype(np.float32)
    return np.ascontiguousarray(np.repeat(flat[:, :, None], 3, axis=2))
