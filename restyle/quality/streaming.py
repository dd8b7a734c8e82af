"""The measures frame by frame, in flat memory: what the engine keeps for every frame of every job.

A ``Measurer`` holds two small pairs of pictures and nothing else: the frame before, and the shot's first. A window that starts
within a shot is measured from its own first frame on; ``Row.joined`` adds the figures of the pair across the border, which the
window before has measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import cv2
import numpy as np

from interp.pixels.sizes import size_within
from restyle.quality import measures
from restyle.quality.measures import Preset

__all__ = ["SMALL", "Measurer", "Row", "measuring_size"]

SMALL = 320  # long side, in pixels, at which the engine measures
LEAST_VISIBLE = 0.05  # share of the picture below which a pair has too little in common to be measured


@dataclass(frozen=True)
class Row:
    """The figures of one frame; ``None`` where there was nothing to measure. See ``measures`` for definitions."""

    frame: int
    warp_error: float | None = None
    """Of the result, between the frame before and this one."""
    source_warp_error: float | None = None
    """Of the source, over the same pixels: the floor."""
    long_range: float | None = None
    """Warp error of the result between the shot's first frame and this one."""
    source_long_range: float | None = None
    flicker: float | None = None
    t_of: float | None = None
    """In pixels of the measuring size; only if asked for."""
    sharpness: float | None = None
    source_sharpness: float | None = None
    structure: float | None = None
    edge_f1: float | None = None
    """Only if asked for."""
    visible: float | None = None
    """Share of the frame before that this frame shows too."""
    long_visible: float | None = None
    """The same for the shot's first frame. A small share means that the long-range figure speaks of little."""

    def joined(self, other: Row) -> Row:
        """This row with its gaps filled from another row of the same frame."""
        if other.frame != self.frame:
            raise ValueError(f"rows of one frame can be joined, got {self.frame} and {other.frame}")
        gaps = {name: getattr(other, name) for name, value in vars(self).items() if value is None}
        return replace(self, **gaps)

    def to_json(self) -> dict[str, Any]:
        """Plain values, figures to six significant digits."""
        return {
            name: value if value is None or name == "frame" else float(f"{value:.6g}")
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Row:
        """Read what ``to_json`` gave; other keys are left aside."""
        values: dict[str, Any] = {field.name: plain.get(field.name) for field in fields(cls)}
        return cls(**values)


def measuring_size(width: int, height: int, long_side: int | None = SMALL) -> tuple[int, int]:
    """Width and height at which footage of that size is measured: never enlarged, no side below 1."""
    return (width, height) if long_side is None else size_within(width, height, long_side)


class _Picture:
    """One picture at the measuring size, with what several measures need of it."""

    def __init__(self, small: np.ndarray) -> None:
        self.small = small
        self.unit = measures.to_unit(small)
        self.grey = measures.luma8(small)
        self.luma = measures.luma(small)


@dataclass(frozen=True)
class _Pair:
    source: _Picture
    output: _Picture


class Measurer:
    """Fed frame by frame, in order, with source and output pictures; gives each frame's ``Row``.

    ``long_side``: pictures are shrunk (area average) so that their longer side is at most this many pixels; ``None`` = full
    size. An output of another size than its source is brought to the measuring size of the source. ``preset``: of the
    DIS flow. The default is the cheapest; on real footage its floor is about twice that of ``"medium"`` (which
    ``quality.compare`` uses), so that ratios to the source's own figure come out too mild, never too harsh.
    ``long_range``, ``t_of``, ``edges``: measures that may be left out.
    """

    def __init__(
        self,
        *,
        long_side: int | None = SMALL,
        preset: Preset = "ultrafast",
        long_range: bool = True,
        t_of: bool = False,
        edges: bool = False,
    ) -> None:
        self._long_side = long_side
        self._preset: Preset = preset
        self._long_range, self._t_of, self._edges = long_range, t_of, edges
        self._first: _Pair | None = None
        self._last: _Pair | None = None

    def push(self, source: np.ndarray, output: np.ndarray, frame: int, *, shot_start: bool = False) -> Row:
        """Measure the next frame. ``shot_start``: a shot begins here, so that nothing is compared across the cut."""
        now = self._pair(source, output)
        figures: dict[str, float] = {
            "sharpness": measures.sharpness(now.output.luma),
            "source_sharpness": measures.sharpness(now.source.luma),
            "structure": measures.structure(now.source.luma, now.output.luma),
        }
        if self._edges:
            figures["edge_f1"] = measures.edge_f1(now.source.grey, now.output.grey)
        if shot_start:
            self._first, self._last = now, None
        if self._last is not None:
            figures |= self._short_range_figures(self._last, now)
        if self._long_range and self._first is not None and self._first is not now:
            figures |= self._long_range_figures(self._first, now, figures)
        self._last = now
        return Row(frame, **{name: None if math.isnan(value) else value for name, value in figures.items()})

    def _pair(self, source: np.ndarray, output: np.ndarray) -> _Pair:
        size = measuring_size(source.shape[1], source.shape[0], self._long_side)
        return _Pair(_Picture(_shrink(source, size)), _Picture(_shrink(output, size)))

    def _motion(self, here: _Pair, there: _Pair) -> tuple[np.ndarray, np.ndarray, float]:
        """The source's flow, bool h x w: what both show, and the share of that."""
        forward = measures.estimate_flow(here.source.grey, there.source.grey, preset=self._preset)
        backward = measures.estimate_flow(there.source.grey, here.source.grey, preset=self._preset)
        visible = ~measures.occlusion(forward, backward)
        return forward, visible, float(np.count_nonzero(visible) / visible.size)

    def _warp_errors(self, here: _Pair, there: _Pair, flow: np.ndarray, visible: np.ndarray) -> tuple[float, float]:
        """Of the result and of the source."""
        return (
            measures.warp_error(here.output.unit, there.output.unit, flow, visible),
            measures.warp_error(here.source.unit, there.source.unit, flow, visible),
        )

    def _short_range_figures(self, here: _Pair, there: _Pair) -> dict[str, float]:
        flow, visible, share = self._motion(here, there)
        figures = {
            "visible": share,
            "flicker": measures.flicker(here.source.unit, there.source.unit, here.output.unit, there.output.unit),
        }
        if share >= LEAST_VISIBLE:
            figures["warp_error"], figures["source_warp_error"] = self._warp_errors(here, there, flow, visible)
        if self._t_of:
            output_flow = measures.estimate_flow(here.output.grey, there.output.grey, preset=self._preset)
            figures["t_of"] = measures.t_of(flow, output_flow)
        return figures

    def _long_range_figures(self, first: _Pair, now: _Pair, short: Mapping[str, float]) -> dict[str, float]:
        """``short``: the figures against the frame before."""
        if first is self._last:  # the shot's second frame: the same pair
            same = {"long_range": "warp_error", "source_long_range": "source_warp_error", "long_visible": "visible"}
            return {name: short[other] for name, other in same.items() if other in short}
        flow, visible, share = self._motion(first, now)
        figures = {"long_visible": share}
        if share >= LEAST_VISIBLE:
            figures["long_range"], figures["source_long_range"] = self._warp_errors(first, now, flow, visible)
        return figures


def _shrink(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The picture at ``size`` (width, height), in its own depth; always a copy or the picture itself."""
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    half = (picture.shape[1] // 2, picture.shape[0] // 2)
    if half[0] >= size[0] and half[1] >= size[1] and picture.shape[1] % 2 == picture.shape[0] % 2 == 0:
        # by halves: OpenCV averages two by two six times as quickly as it averages anything else
        return _shrink(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), size)
    smaller = picture.shape[1] >= size[0] and picture.shape[0] >= size[1]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
