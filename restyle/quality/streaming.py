"""The measures frame by frame, in flat memory: what the engine keeps for every frame of every job.

A ``Measurer`` holds two small pairs of pictures and nothing else: the frame before, and the shot's first. A window that starts
within a shot is measured from its own first frame on; ``Row.joined`` adds the figures of the pair across the border, which the
window before has measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from interp.pixels.sizes import size_within
from interp.structure import agreement, edges_of, gradients_of
from restyle.quality import measures, moving_structure
from restyle.quality.motion import KnownMotion, Preset, agreed_motion, estimate_flow, occlusion
from restyle.quality.moving_structure import Ceiling

__all__ = ["SMALL", "Measurer", "Row", "measuring_size"]

SMALL = 320  # long side, in pixels, at which the engine measures
LEAST_VISIBLE = 0.05  # share of the picture below which a pair has too little in common to be measured


@dataclass(frozen=True)
class Row:
    """The figures of one frame; ``None`` where there was nothing to measure. See ``measures`` for definitions."""

    frame: int
    warp_error: float | None = None
    """Of the result, between the frame before and this one, where the motion between them is known (``motion.KnownMotion``)."""
    source_warp_error: float | None = None
    """Of the source, over the same pixels: the floor."""
    painted_warp_error: float | None = None
    """Of the look painted frame by frame, over the same pixels; only where such paintings are at hand."""
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
    judged: float | None = None
    """Share of the frame before over which the warp error is taken."""
    long_visible: float | None = None
    """The same for the shot's first frame. A small share means that the long-range figure speaks of little."""
    moving_blocks: int | None = None
    """Blocks that move and have edges: see ``moving_structure``."""
    block_losses: tuple[tuple[int, int, float], ...] | None = None
    """(row, column, loss of structure) of those that lose something, the greatest first."""

    def joined(self, other: Row) -> Row:
        """This row with its gaps filled from another row of the same frame."""
        if other.frame != self.frame:
            raise ValueError(f"rows of one frame can be joined, got {self.frame} and {other.frame}")
        gaps = {name: getattr(other, name) for name, value in vars(self).items() if value is None}
        return replace(self, **gaps)

    def to_json(self) -> dict[str, Any]:
        """Plain values, figures to six significant digits."""
        return {
            name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Row:
        """Read what ``to_json`` gave; other keys are left aside."""
        values: dict[str, Any] = {field.name: plain.get(field.name) for field in fields(cls)}
        if values["block_losses"] is not None:
            values["block_losses"] = tuple((row, column, loss) for row, column, loss in values["block_losses"])
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

    @cached_property
    def gradients(self) -> np.ndarray:
        """For the structure of what moves."""
        return gradients_of(self.luma)


@dataclass(frozen=True)
class _Pair:
    source: _Picture
    output: _Picture
    painting: _Picture | None = None
    """Of this very frame."""


@dataclass(frozen=True)
class _PairMotion:
    forward: np.ndarray
    """Flow h x w x 2 from the first picture to the second."""
    backward: np.ndarray
    visible: np.ndarray
    """bool h x w, on the first picture's grid: what both show."""
    known: KnownMotion
    """What steadiness is judged along."""

    @property
    def share(self) -> float:
        """Share of the first picture that the second shows, too."""
        return float(np.count_nonzero(self.visible) / self.visible.size)


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
        self._ceiling = Ceiling()

    def push(
        self,
        source: np.ndarray,
        output: np.ndarray,
        frame: int,
        *,
        shot_start: bool = False,
        painted: bool = False,
        painting: np.ndarray | None = None,
        region: np.ndarray | None = None,
        motion: KnownMotion | None = None,
    ) -> Row:
        """Measure the next frame. ``shot_start``: a shot begins here, so that nothing is compared across the cut.

        ``motion``: true motion from the frame before, at the measuring size. Without it, it is what two estimators agree on.
        For the structure of what moves: ``painted``: the output is a painting; ``painting``: one of this very frame, to judge
        the output by; ``region``: float32 H x W, where the output may differ from the source, ``None`` everywhere.
        """
        now = self._pair(source, output, painting)
        figures: dict[str, float] = {
            "sharpness": measures.sharpness(now.output.luma),
            "source_sharpness": measures.sharpness(now.source.luma),
            "structure": measures.structure(now.source.luma, now.output.luma),
        }
        if self._edges:
            figures["edge_f1"] = measures.edge_f1(now.source.grey, now.output.grey)
        if shot_start:
            self._first, self._last, self._ceiling = now, None, Ceiling()
        moving: dict[str, Any] = {}
        if self._last is not None:
            between = self._motion(self._last, now, motion)
            figures |= self._short_range_figures(self._last, now, between)
            moving = self._structure_of_what_moves(now, between, frame, region)
            if painted and moving:
                moving["block_losses"] = ()  # a painting is what the look allows
        if self._long_range and self._first is not None and self._first is not now:
            figures |= self._long_range_figures(self._first, now, figures)
        if painted and painting is None:
            self._take_ceiling(now, region)
        self._last = now
        measured: dict[str, Any] = {name: None if math.isnan(value) else value for name, value in figures.items()}
        return Row(frame, **measured, **moving)

    def _pair(self, source: np.ndarray, output: np.ndarray, painting: np.ndarray | None) -> _Pair:
        size = measuring_size(source.shape[1], source.shape[0], self._long_side)
        beside = None if painting is None else _Picture(_shrink(painting, size))
        return _Pair(_Picture(_shrink(source, size)), _Picture(_shrink(output, size)), beside)

    def _motion(self, here: _Pair, there: _Pair, known: KnownMotion | None = None) -> _PairMotion:
        """The source's motion. ``known``: the true one."""
        a, b = here.source.grey, there.source.grey
        forward, backward = estimate_flow(a, b, preset=self._preset), estimate_flow(b, a, preset=self._preset)
        visible = ~occlusion(forward, backward)
        return _PairMotion(forward, backward, visible, known or agreed_motion(a, b, forward, visible))

    def _structure_of_what_moves(
        self, now: _Pair, motion: _PairMotion, frame: int, region: np.ndarray | None
    ) -> dict[str, Any]:
        """Fields of the row."""
        edges = edges_of(now.source.gradients)
        self._ceiling.carry(motion.backward)
        source, painting = now.source.gradients, now.painting
        ceiling = self._ceiling.at(edges) if painting is None else agreement(source, painting.gradients)
        if ceiling is None:
            return {}
        moving = moving_structure.moving_blocks(motion.backward, edges)
        moving &= moving_structure.restyled_blocks(region, edges.shape)
        follows = agreement(now.source.gradients, now.output.gradients)
        losses = moving_structure.block_losses(frame, moving, ceiling, follows)
        return {
            "moving_blocks": int(np.count_nonzero(moving)),
            "block_losses": tuple((block.row, block.column, round(block.loss, 3)) for block in losses),
        }

    def _take_ceiling(self, now: _Pair, region: np.ndarray | None) -> None:
        source, painting = now.source.gradients, now.output.gradients
        self._ceiling.paint(source, painting, moving_structure.restyled_blocks(region, edges_of(source).shape))

    def _short_range_figures(self, here: _Pair, there: _Pair, motion: _PairMotion) -> dict[str, float]:
        known = motion.known
        figures = {
            "visible": motion.share,
            "judged": known.share,
            "flicker": measures.flicker(here.source.unit, there.source.unit, here.output.unit, there.output.unit),
        }
        if known.share >= LEAST_VISIBLE:
            figures["warp_error"] = _warp_error(here.output, there.output, known)
            figures["source_warp_error"] = _warp_error(here.source, there.source, known)
            if here.painting is not None and there.painting is not None:
                figures["painted_warp_error"] = _warp_error(here.painting, there.painting, known)
        if self._t_of:
            output_flow = estimate_flow(here.output.grey, there.output.grey, preset=self._preset)
            figures["t_of"] = measures.t_of(motion.forward, output_flow)
        return figures

    def _long_range_figures(self, first: _Pair, now: _Pair, short: Mapping[str, float]) -> dict[str, float]:
        """``short``: the figures against the frame before."""
        if first is self._last:  # the shot's second frame: the same pair
            same = {"long_range": "warp_error", "source_long_range": "source_warp_error", "long_visible": "visible"}
            return {name: short[other] for name, other in same.items() if other in short}
        motion = self._motion(first, now)
        figures = {"long_visible": motion.share}
        if motion.known.share >= LEAST_VISIBLE:
            figures["long_range"] = _warp_error(first.output, now.output, motion.known)
            figures["source_long_range"] = _warp_error(first.source, now.source, motion.known)
        return figures


def _warp_error(here: _Picture, there: _Picture, motion: KnownMotion) -> float:
    return measures.warp_error(here.unit, there.unit, motion.flow, motion.known)


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
