"""Warp the two neighbouring paintings along the footage's own motion, and put them together.

What is known and what follows from it:

- The in-between's own source frame is at hand, so motion is measured, not guessed: each painting is pulled once, at full
  size, through the flow composed from neighbour to neighbour. Its texture moves exactly as the footage does.
- Time and confidence (occlusion, colour) decide how much each side counts; both masks are soft and follow the motion.
- Two paintings' textures never align perfectly, so a cross-fade and the resampling lose fine detail. How much is measured, cell
  by cell, against the paintings' own detail moved along, and given back (the variance-preserving idea of Heitz & Neyret,
  "High-Performance By-Example Noise using a Histogram-Preserving Blending Operator", 2018, closed over what was lost).
- What neither side explains is not smeared: the look is carried over from the explained neighbourhood by a local affine model
  painting = a * source + b (as in He, Sun & Tang, "Guided Image Filtering", 2010), so that structure follows the source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from interp.pixels.depth import quantise, white_of
from interp.pixels.sizes import size_within
from interp.types import Gap, Motion, Propagated
from interp.warp import LARGEST, mix, resize_confidence, resize_flow, resize_part, twice, warp, warp_twice

__all__ = ["AlongMotionFiller"]

CELL = 24  # pixels: side of the cells in which detail is measured
DETAIL_SIGMA = 1.0
FINE_BYTES = (
    32 << 20
)  # paintings up to this size are held twice as fine, to be moved sharply at the cost of linear sampling
REACH = 1.4  # the sharpening below lifts the energy of real paintings' detail by 1/1.4 of its gain
PATCH = 96  # pixels: about the side of the patches in which the look is carried over
MODEL_SIDE = 160  # pixels: long side at which the local affine model is fitted
DOUBT = 0.02  # confidence (squared) below which no side is preferred for it: time decides, and which side is alike
LEAST_ALIKE = 0.02  # how little a side that is not even alike counts


@dataclass(frozen=True)
class _Side:
    """One painting, pulled to the in-between."""

    picture: np.ndarray
    detail: np.ndarray
    """float32: energy of the painting's own fine detail, moved along, one value a cell."""
    confidence: np.ndarray
    similarity: np.ndarray


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
        for place in gap.inner:
            sides: list[_Side | None] = []
            for (painting, end), detail, fine in zip(ends, details, fines, strict=True):
                if painting is None or detail is None:
                    sides.append(None)
                else:
                    motion = gap.tracker.motion(gap.first + place, gap.first + end)
                    sides.append(_pull(painting, fine, detail, motion))
            picture, sure, known = self._join(gap.frames[place], sides[0], sides[1], place / max(1, last))
            if self._repair:
                picture = self._mend(gap, place, picture, known)
            yield Propagated(picture, float(sure.mean()))

    def _mend(self, gap: Gap, place: int, picture: np.ndarray, known: np.ndarray) -> np.ndarray:
        """``picture``, repaired where neither painting explains it. ``known``: float32 h x w, how far each place is."""
        return _carry_over(gap.frames[place], picture, known, self._repair)

    def _join(
        self, source: np.ndarray, left: _Side | None, right: _Side | None, time: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The picture, how surely each place is explained, and how far it can be used (float32 h x w)."""
        height, width = source.shape[:2]
        if left is not None and right is not None:
            sure = cv2.max(left.confidence, right.confidence)
            similarity = cv2.max(left.similarity, right.similarity)
            of_left = _share(left, right, time)
            share = resize_confidence(of_left, width, height)
            picture = mix(left.picture, right.picture, share)
            cells = cv2.resize(of_left, left.detail.shape[1::-1], interpolation=cv2.INTER_AREA)
            detail = right.detail + cells * (left.detail - right.detail)
        else:
            side = left or right
            if side is None:
                raise ValueError("a gap has a painting at one end at least")
            sure, similarity, picture, detail = side.confidence, side.similarity, side.picture, side.detail
        if self._detail:
            picture = _give_back(picture, detail * np.float32(self._detail))
        return picture, sure, cv2.max(sure, similarity)


def _fine(painting: np.ndarray | None) -> np.ndarray | None:
    """The painting twice as fine; ``None`` where there is none, or where that would take too much memory."""
    small = painting is not None and painting.nbytes <= FINE_BYTES and 2 * max(painting.shape) < LARGEST
    return twice(painting) if painting is not None and small else None


def _pull(painting: np.ndarray, fine: np.ndarray | None, detail: np.ndarray, motion: Motion) -> _Side:
    moved = warp(detail, resize_flow(motion.flow, detail.shape[1], detail.shape[0]))
    sharp = warp(painting, motion.flow, interpolation="cubic") if fine is None else warp_twice(fine, motion.flow)
    return _Side(sharp, moved, motion.confidence, motion.confidence if motion.similarity is None else motion.similarity)


def _share(left: _Side, right: _Side, time: float) -> np.ndarray:
    """How much the left painting counts, float32 in [0, 1]: by time where both are sure, by confidence elsewhere, and where
    neither is by which still looks like the footage."""
    of_left, of_right = _weight(left, 1 - time), _weight(right, time)
    return cv2.GaussianBlur(of_left / (of_left + of_right), (0, 0), 1.5)


def _weight(side: _Side, near: float) -> np.ndarray:
    """How much a painting counts on its own. ``near``: how near it is in time, 0 to 1."""
    known = side.confidence * side.confidence + np.float32(DOUBT) * (side.similarity + np.float32(LEAST_ALIKE))
    return known * np.float32(near)


def _energy(picture: np.ndarray) -> np.ndarray:
    """Fine detail (squared Laplacian of luma), averaged over cells of about ``CELL`` pixels: float32, one value a cell."""
    height, width = picture.shape[:2]
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    edges = cv2.Laplacian(luma, cv2.CV_32F if luma.dtype != np.uint8 else cv2.CV_16S)
    cells = (max(1, width // CELL), max(1, height // CELL))
    square = cv2.multiply(edges, edges, dtype=cv2.CV_32F)
    return cv2.resize(square, cells, interpolation=cv2.INTER_AREA)


def _give_back(picture: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Raise fine detail, cell by cell, to the energy that is wanted."""
    have = _energy(picture)
    floor = np.float32(1e-6) * np.float32(white_of(picture.dtype)) ** 2 + 1e-12
    gain = (np.sqrt((wanted + floor) / (have + floor)) - 1) * np.float32(REACH)
    gain = np.clip(gain, 0, 1.5).astype(np.float32)
    if float(gain.max()) < 0.02:
        return picture
    gain = cv2.resize(cv2.blur(gain, (3, 3)), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(picture, (5, 5), DETAIL_SIGMA)
    return _extrapolate(picture, soft, gain)


def _extrapolate(picture: np.ndarray, soft: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """``picture + gain * (picture - soft)``, clipped to the depth."""
    if picture.dtype == np.uint8:
        return cv2.blendLinear(picture, soft, 1 + gain, -gain)
    base = picture.astype(np.float32)
    sharp = base + gain[:, :, None] * (base - soft)
    return quantise(sharp, picture.dtype)


def _carry_over(source: np.ndarray, picture: np.ndarray, sure: np.ndarray, limit: float) -> np.ndarray:
    """Where confidence lies below ``limit``: the look of the explained neighbourhood, fitted locally to the source."""
    height, width = source.shape[:2]
    lost = np.clip((limit - sure) * np.float32(1 / limit), 0, 1)
    lost = cv2.GaussianBlur(lost, (0, 0), 2.0).reshape(sure.shape)
    if float((lost > 0.1).mean()) < 2e-4:
        return picture
    model = _local_model(source, picture, sure)
    picture = picture.copy()
    for left, top, across, down in _patches(lost, width, height):
        part = np.s_[top : top + down, left : left + across]
        box = (left, top, left + across, top + down)
        luma = cv2.cvtColor(np.ascontiguousarray(source[part]), cv2.COLOR_RGB2GRAY)
        luma = luma.astype(np.float32).reshape(down, across, 1)
        enlarged = resize_part(model, width, height, box)
        carried = luma * enlarged[:, :, :3]
        carried += enlarged[:, :, 3:]
        old = picture[part].astype(np.float32)
        carried -= old
        carried *= resize_part(lost, width, height, box).reshape(down, across, 1)
        carried += old
        picture[part] = quantise(carried, picture.dtype)
    return picture


def _patches(lost: np.ndarray, width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Where, in a picture of width x height, something is lost: (left, top, across, down) of places that do not overlap."""
    rows, columns = (max(1, round(side / PATCH)) for side in (height, width))
    down, right = (np.linspace(0, side, count + 1).astype(int) for side, count in ((height, rows), (width, columns)))
    scale_y, scale_x = lost.shape[0] / height, lost.shape[1] / width
    for top, bottom in pairwise(down):
        band = lost[max(0, int(top * scale_y) - 1) : int(np.ceil(bottom * scale_y)) + 1].max(axis=0) > 0.02
        run: int | None = None
        for edge, end in pairwise(right):
            hit = bool(band[max(0, int(edge * scale_x) - 1) : int(np.ceil(end * scale_x)) + 1].any())
            if hit and run is None:
                run = int(edge)
            if run is not None and (not hit or end == width):
                stop = int(end) if hit else int(edge)
                yield run, int(top), stop - run, int(bottom - top)
                run = None


def _local_model(source: np.ndarray, picture: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """``picture ~ slope * luma(source) + offset`` round every point, from confident pixels only: float32 h x w x 6, the slopes
    of the three channels and their offsets."""
    height, width = source.shape[:2]
    size = size_within(width, height, MODEL_SIDE)
    guide = cv2.cvtColor(cv2.resize(source, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY).astype(np.float32)
    look = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = cv2.resize(sure, size, interpolation=cv2.INTER_AREA)
    weight = weight * weight + np.float32(1e-4)
    white = white_of(source.dtype)
    weight = weight.reshape(size[1], size[0], 1)
    shade = guide.reshape(weight.shape)
    sums = np.concatenate(
        [weight, weight * shade, weight * shade * shade, look * weight, look * (weight * shade)], axis=2
    )
    reach = (max(3, max(size) // 8 | 1),) * 2
    for _ in range(2):  # twice a box is nearly a bell
        sums = cv2.merge([cv2.blur(plane, reach, borderType=cv2.BORDER_REPLICATE) for plane in cv2.split(sums)])
    mass = sums[:, :, 0:1]
    mean = sums[:, :, 1:2] / mass
    variance = np.maximum(sums[:, :, 2:3] / mass - mean * mean, 0)
    mean_look = sums[:, :, 3:6] / mass
    covariance = sums[:, :, 6:9] / mass - mean * mean_look
    slope = covariance / (variance + (0.03 * white) ** 2)
    return np.concatenate([slope, mean_look - slope * mean], axis=2)
