"""Warp the two neighbouring paintings along the footage's own motion, and put them together.

What is known and what follows from it:

- The in-between's own source frame is at hand, so motion is measured, not guessed: each painting is pulled once, at full
  size, through the flow composed from neighbour to neighbour. Its texture moves exactly as the footage does.
- Time and confidence (occlusion, colour) decide how much each side counts; both masks are soft and follow the motion.
- Two paintings' textures never align perfectly, so a cross-fade and the resampling lose fine detail. How much is measured, cell
  by cell, against the paintings' own detail moved along, and given back (the variance-preserving idea of Heitz & Neyret,
  "High-Performance By-Example Noise using a Histogram-Preserving Blending Operator", 2018, closed over what was lost).
- What neither painting explains is not smeared: it gets the look of the neighbourhood (``interp.propagate.repair``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from interp.pixels.depth import white_of
from interp.propagate.repair import transfer_look
from interp.types import Gap, Motion, Propagated
from interp.warp import (
    LARGEST,
    blend,
    resize_confidence,
    resize_flow,
    upsample_twofold,
    warp,
    warp_upsampled,
)

__all__ = ["AlongMotionFiller"]

CELL = 24  # pixels: side of the cells in which detail is measured
DETAIL_SIGMA = 1.0
FINE_BYTES = (
    32 << 20
)  # paintings up to this size are held twice as fine, to be moved sharply at the cost of linear sampling
REACH = 1.4  # the sharpening below lifts the energy of real paintings' detail by 1/1.4 of its gain
DOUBT = 0.02  # confidence (squared) below which it prefers neither painting: time decides, and photometric similarity
LEAST_SIMILARITY = 0.02  # how little a painting counts that is not even similar


@dataclass(frozen=True)
class _Warped:
    """One painting, warped to the in-between."""

    picture: np.ndarray
    detail: np.ndarray
    """float32: energy of the painting's own fine detail, warped along, one value a cell."""
    confidence: np.ndarray
    """float32 h x w in [0, 1], as ``similarity``: of the motion."""
    similarity: np.ndarray


@dataclass(frozen=True)
class Blended:
    """Both of them blended."""

    picture: np.ndarray
    confidence: np.ndarray
    """float32 h x w in [0, 1]: of the better of the two motions, for each pixel."""
    usable: np.ndarray
    """The same, or photometric similarity where that is higher."""


class AlongMotionFiller:
    """The default filler.

    ``detail``: share of the paintings' own fine detail (its energy) that an in-between has at least; what it has is left as it
    is, for sharpening also sharpens what does not fit together. 0: none is given back. ``repair``: below this confidence,
    the look is carried over from the neighbourhood instead; 0 switches that off. Deterministic.
    """

    name = "along-motion"

    def __init__(self, detail: float = 0.8, repair: float = 0.25) -> None:
        if not 0 <= detail <= 1 or not 0 <= repair < 1:
            raise ValueError(f"detail is 0 to 1 and repair 0 to below 1, got {detail} and {repair}")
        self._detail = detail
        self._repair = repair

    def propagate(self, gap: Gap) -> Iterator[Propagated]:
        """Yield one in-between for each position of ``gap.inner``, ascending."""
        last = len(gap.frames) - 1
        ends = [(gap.left, 0), (gap.right, last)]
        details = [None if painting is None else _energy(painting) for painting, _ in ends]
        if not gap.inner:
            return
        fines = [_fine(painting) for painting, _ in ends]
        for position in gap.inner:
            warped: list[_Warped | None] = []
            for (painting, end), detail, fine in zip(ends, details, fines, strict=True):
                if painting is None or detail is None:
                    warped.append(None)
                else:
                    motion = gap.tracker.motion(gap.first + position, gap.first + end)
                    warped.append(_warp_painting(painting, fine, detail, motion))
            blended = self._blend(gap.frames[position], warped[0], warped[1], position / max(1, last))
            picture = self._repaired(gap, position, blended) if self._repair else blended.picture
            yield Propagated(picture, float(blended.confidence.mean()))

    def _repaired(self, gap: Gap, position: int, blended: Blended) -> np.ndarray:
        """The picture, repaired where neither painting explains it."""
        return transfer_look(gap.frames[position], blended.picture, blended.usable, self._repair)

    def _blend(self, source: np.ndarray, left: _Warped | None, right: _Warped | None, time: float) -> Blended:
        height, width = source.shape[:2]
        if left is not None and right is not None:
            confidence = cv2.max(left.confidence, right.confidence)
            similarity = cv2.max(left.similarity, right.similarity)
            share = _share(left, right, time)
            picture = blend(left.picture, right.picture, resize_confidence(share, width, height))
            cells = cv2.resize(share, left.detail.shape[1::-1], interpolation=cv2.INTER_AREA)
            detail = right.detail + cells * (left.detail - right.detail)
        else:
            only = left or right
            if only is None:
                raise ValueError("a gap has a painting at one end at least")
            confidence, similarity, picture, detail = only.confidence, only.similarity, only.picture, only.detail
        if self._detail:
            picture = _restore_detail(picture, detail * np.float32(self._detail))
        return Blended(picture, confidence, cv2.max(confidence, similarity))


def _fine(painting: np.ndarray | None) -> np.ndarray | None:
    """The painting on a grid twice as fine; ``None`` where there is none, or where that would take too much memory."""
    small = painting is not None and painting.nbytes <= FINE_BYTES and 2 * max(painting.shape) < LARGEST
    return upsample_twofold(painting) if painting is not None and small else None


def _warp_painting(painting: np.ndarray, fine: np.ndarray | None, detail: np.ndarray, motion: Motion) -> _Warped:
    """``fine``: of ``_fine``; ``detail``: of ``_energy``."""
    moved = warp(detail, resize_flow(motion.flow, detail.shape[1], detail.shape[0]))
    sharp = warp(painting, motion.flow, interpolation="cubic") if fine is None else warp_upsampled(fine, motion.flow)
    similarity = motion.confidence if motion.similarity is None else motion.similarity
    return _Warped(sharp, moved, motion.confidence, similarity)


def _share(left: _Warped, right: _Warped, time: float) -> np.ndarray:
    """Weight of the left painting, float32 in [0, 1]: by time where both motions are certain, by confidence elsewhere,
    and where neither is by photometric similarity."""
    weight_left, weight_right = _weight(left, 1 - time), _weight(right, time)
    return cv2.GaussianBlur(weight_left / (weight_left + weight_right), (0, 0), 1.5)


def _weight(warped: _Warped, nearness: float) -> np.ndarray:
    """Weight of a painting on its own. ``nearness``: in time, 0 to 1."""
    doubtful = np.float32(DOUBT) * (warped.similarity + np.float32(LEAST_SIMILARITY))
    return (warped.confidence * warped.confidence + doubtful) * np.float32(nearness)


def _energy(picture: np.ndarray) -> np.ndarray:
    """Fine detail (squared Laplacian of luma), averaged over cells of about ``CELL`` pixels: float32, one value a cell."""
    height, width = picture.shape[:2]
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    edges = cv2.Laplacian(luma, cv2.CV_32F if luma.dtype != np.uint8 else cv2.CV_16S)
    cells = (max(1, width // CELL), max(1, height // CELL))
    square = cv2.multiply(edges, edges, dtype=cv2.CV_32F)
    return cv2.resize(square, cells, interpolation=cv2.INTER_AREA)


def _restore_detail(picture: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Raise fine detail, cell by cell, to ``energy``."""
    have = _energy(picture)
    floor = np.float32(1e-6) * np.float32(white_of(picture.dtype)) ** 2 + 1e-12
    gain = (np.sqrt((energy + floor) / (have + floor)) - 1) * np.float32(REACH)
    gain = np.clip(gain, 0, 1.5).astype(np.float32)
    if float(gain.max()) < 0.02:
        return picture
    gain = cv2.resize(cv2.blur(gain, (3, 3)), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return blend(picture, cv2.GaussianBlur(picture, (5, 5), DETAIL_SIGMA), 1 + gain)
