"""A memory for feed-forward style networks: each keyframe's painting held to the one before it.

A feed-forward network has none: a small change of the picture, or of its overall brightness, moves its brush marks and shifts
its colours. So each keyframe after a shot's first builds on the one before:

1. paint it afresh;
2. match the fresh painting's colours to the painting before it, moved along the footage's motion, by one robust affine map a
   channel, fitted where the motion is certain. Through that chain the colours are held to the shot's anchor, its first
   keyframe, for as long as the keyframes still show much of the same;
3. keep the moved painting where it is explained, the fresh one where it is not. Colours pass softly from the one to the
   other, brush marks within a few pixels: two sets of marks laid over each other are mud;
4. let go of what the network painted round something that has moved away since (its halo, the bright rim of a dark figure):
   near pixels that are not explained, where the two paintings' colours disagree, the fresh one is right. So it is where the
   motion would pull marks out of shape, and, a few cells at a time, where they have been moved often enough;
5. give back the fine detail that moving cost: the fresh painting tells, cell by cell, how much the style has;
6. let go where the footage changed and no motion says so (an eye that closes, a mouth that speaks, a hand that turns): block by
   block, where the held painting follows the footage's edges less than the fresh one does, the fresh one is right.

The idea of a painting's own past as its prior is Ruder, Dosovitskiy & Brox's ("Artistic style transfer for videos and spherical
images", 2018); there it is trained into the network, here it goes round any network. Feeding the moved painting, or its brush
marks, back into these networks was tried too: the look drifted, and no more marks fell into place.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from interp.pixels.depth import to_unit
from interp.structure import LEAST_EDGES, agreement, edges_of, gradients_of
from interp.types import Motion
from interp.warp import resize_confidence, resize_flow, undistorted, warp

__all__ = ["CELL", "Previous", "cell_of", "colour_map", "first_ages", "hold_to_previous"]

CELL = 32  # pixels that are painted: side of the cells in which colours and fine detail are compared; a few brush marks wide
SEEN_IN_BOTH = 0.6  # confidence from which a pixel counts as seen in both keyframes
SHARED = (0.15, 0.6)  # share of such pixels from which colours are matched a little, and fully
MARKS = (0.45, 0.75)  # confidence over which brush marks change from the fresh painting's to the moved one's
LASTS = 6  # keyframes for which brush marks are moved on; each move blurs, and sharpening makes up for only so much
MOST_GAIN = 1.25  # of contrast, in matching colours
# Least and most of its own fine detail that is added to a painting. A move costs no more than 0.4; where more is missing, the
# fresh painting has other marks, and blowing up the old ones would make them ripple.
DETAIL = (-0.2, 0.4)
LET_GO = 0.1  # of agreement with the footage's edges that holding may cost a block
FINE = 8  # values to a block's side, in which soft edges are drawn
HALO = (0.07, 0.22)  # difference of colour, of 1, over which paint is let go beside what is not explained


@dataclass(frozen=True)
class Previous:
    """The keyframe before."""

    picture: np.ndarray
    """The footage's."""
    painting: np.ndarray
    ages: np.ndarray
    """Of its marks, float32, a number a cell: how many times they were moved."""
    by_hand: bool = False
    """Whether it, or one before it in the shot, was painted by a person."""


def cell_of(scale: float) -> int:
    """Side of the cells, in pixels, of a picture that is painted at ``scale`` pixels to one of its own."""
    return max(8, round(CELL / scale))


def first_ages(height: int, width: int, cell: int = CELL) -> np.ndarray:
    """float32, a number a cell: as if marks had been painted at different keyframes, so that they are never all renewed at
    once. The same for every picture of one size."""
    cells = (max(1, height // cell), max(1, width // cell))
    return np.random.default_rng(0).integers(0, LASTS, cells).astype(np.float32)


def hold_to_previous(
    fresh: np.ndarray, picture: np.ndarray, before: Previous, motion: Motion, hold: float, cell: int = CELL
) -> tuple[np.ndarray, np.ndarray]:
    """The fresh painting (float32 in [0, 1]) of ``picture`` (the footage's), held to the painting before it where ``motion`` is
    certain; and the ages of its marks. ``cell``: of ``cell_of``."""
    height, width = fresh.shape[:2]
    moved = warp(to_unit(before.painting), motion.flow, interpolation="cubic")
    confidence = resize_confidence(cv2.multiply(motion.confidence, undistorted(motion.flow)), width, height)
    fresh = _match_colours(fresh, moved, confidence, cell)
    difference = cv2.subtract(moved, fresh)
    cells = (max(1, width // cell), max(1, height // cell))
    tint = _area(difference, cells)
    cell_confidence = _area(confidence, cells)
    keep = _not_halo(cell_confidence, tint)
    older = warp(before.ages, resize_flow(motion.flow, *cells), interpolation="nearest")
    older = older.reshape(before.ages.shape) + 1
    young = (older < LASTS + 0.5).astype(np.float32)
    keep_marks = keep * cv2.blur(young, (3, 3)).reshape(young.shape) if min(young.shape) > 2 else keep * young
    marks = cv2.multiply(confidence, _linear(keep_marks, (width, height)))
    marks = _ramp(marks, *MARKS) * np.float32(hold**0.25)  # marks want one or the other; colours are mixed by ``hold``
    colour = _ramp(cell_confidence * keep, 0.2, 0.7) * np.float32(hold)
    held = difference  # in place: a picture of floats is large
    held -= _linear(tint, (width, height))
    held *= marks[:, :, None]
    held += fresh
    held += _linear(tint * colour[:, :, None], (width, height))
    kept = cell_confidence * keep_marks > (MARKS[0] + MARKS[1]) / 2
    held = _match_detail(held, fresh, cell).clip(0, 1)
    changed = _changed(picture, fresh, held, before, motion)
    if changed is None:
        return held, np.where(kept, older, np.float32(0))
    held += _linear(changed, (width, height))[:, :, None] * (fresh - held)
    kept &= _area(changed, cells).reshape(kept.shape) < 0.5
    return held, np.where(kept, older, np.float32(0))


def _changed(
    picture: np.ndarray, fresh: np.ndarray, held: np.ndarray, before: Previous, motion: Motion
) -> np.ndarray | None:
    """Find where the held painting follows the footage's edges less than the fresh one does: soft, float32 h x w in [0, 1],
    some pixels a block; ``None`` where there are no such places."""
    gradients = gradients_of(_luma(to_unit(picture)))
    follows, wanted = (agreement(gradients, gradients_of(_luma(each))) for each in (held, fresh))
    if before.by_hand:  # it need not follow the footage: what counts is whether it follows less than it did
        earlier = (warp(gradients_of(_luma(to_unit(each))), motion.flow) for each in (before.picture, before.painting))
        wanted = np.minimum(wanted, agreement(*earlier))
    lost = (edges_of(gradients) > LEAST_EDGES) & (wanted - follows > LET_GO)
    if not lost.any():
        return None
    rows, columns = lost.shape
    fine = cv2.resize(lost.astype(np.float32), (columns * FINE, rows * FINE), interpolation=cv2.INTER_NEAREST)
    return cv2.GaussianBlur(fine, (0, 0), FINE / 4)


def _not_halo(cell_confidence: np.ndarray, tint: np.ndarray) -> np.ndarray:
    """Cell by cell, how much of the moved painting may stay: 0 where it is a halo of what is no longer beside it."""
    beside = cv2.blur(cv2.dilate(1 - cell_confidence, np.ones((5, 5), np.uint8)), (3, 3)).reshape(cell_confidence.shape)
    return 1 - _ramp(beside, 0.05, 0.3) * _ramp(np.abs(tint).max(axis=2), *HALO)


def _match_colours(fresh: np.ndarray, like: np.ndarray, confidence: np.ndarray, cell: int) -> np.ndarray:
    """``fresh`` with each channel's mean and contrast brought to ``like``'s, over the pixels that both surely show.

    Means and contrasts are taken from small pictures, so that brush marks out of step do not count as contrast. Places whose
    colours differ in another way than most (a pane that flipped from white to yellow, a halo) weigh little: iteratively
    reweighted, Geman-McClure style. The fewer pixels are shared, the less is changed.
    """
    small = (max(1, fresh.shape[1] // cell), max(1, fresh.shape[0] // cell))
    matrix = colour_map(
        _area(fresh, small).reshape(-1, 3), _area(like, small).reshape(-1, 3), _area(confidence, small).ravel()
    )
    if matrix is None:
        return fresh
    matched = cv2.transform(fresh, matrix)
    return np.clip(matched, 0, 1, out=matched)


def colour_map(colours: np.ndarray, wanted: np.ndarray, weight: np.ndarray) -> np.ndarray | None:
    """Fit the affine map, 3 x 4, that brings each channel's mean and contrast of ``colours`` to those of ``wanted`` (both N x
    3, float32 in [0, 1]), over those of a ``weight`` (N, in [0, 1]) above ``SEEN_IN_BOTH``; the fewer they are, the nearer it
    is to leaving them. ``None``: leave them."""
    weight = np.where(weight > SEEN_IN_BOTH, weight, np.float32(0))
    shared = weight > 0
    trust = float(_ramp(np.asarray(shared.mean(), np.float32), *SHARED))
    if trust == 0:
        return None
    a, b = colours[shared], wanted[shared]
    gains, shifts = [], []
    for channel in range(3):
        gain, shift = _fit(a[:, channel].astype(np.float64), b[:, channel].astype(np.float64), weight[shared])
        gains.append(1 + trust * (gain - 1))
        shifts.append(trust * shift)
    return np.hstack([np.diag(gains), np.array(shifts)[:, None]]).astype(np.float32)


def _fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Gain and shift that bring ``x`` to ``y``.

    The gain is the ratio of the spreads (a regression on noisy ``x`` would take contrast away), believed only as far as the two
    vary together: a mixture of two paintings has less contrast than either, and following it would grey a long shot out.
    """
    w = weight.astype(np.float64)
    gain, shift = 1.0, 0.0
    for _ in range(4):
        mean_x, mean_y = np.average(x, weights=w), np.average(y, weights=w)
        spread_x, spread_y = np.average((x - mean_x) ** 2, weights=w), np.average((y - mean_y) ** 2, weights=w)
        both = np.average((x - mean_x) * (y - mean_y), weights=w)
        agree = min(1.0, both * both / (spread_x * spread_y + 1e-9)) if both > 0 else 0.0
        ratio = np.clip(np.sqrt((spread_y + 1e-3) / (spread_x + 1e-3)), 1 / MOST_GAIN, MOST_GAIN)
        gain = float(ratio) ** (agree * agree)
        shift = float(mean_y - gain * mean_x)
        off = np.abs(gain * x + shift - y)
        limit = max(0.01, 2 * float(np.median(off)))
        w = weight * np.minimum(1, limit / np.maximum(off, 1e-6)) ** 2
    return gain, shift


def _match_detail(painting: np.ndarray, fresh: np.ndarray, cell: int) -> np.ndarray:
    """``painting`` with its fine detail brought, cell by cell, to the energy (of the Laplacian) of ``fresh``'s.

    Adding t times its own fine detail f to a painting p gives it the energy <p + tf, p + tf>: a quadratic, solved for t.
    """
    height, width = painting.shape[:2]
    cells = (max(1, width // cell), max(1, height // cell))
    fine = cv2.subtract(painting, cv2.GaussianBlur(painting, (7, 7), 1.2))
    of_painting, of_fine, of_fresh = (_edges(picture) for picture in (painting, fine, fresh))
    square = _area(cv2.multiply(of_fine, of_fine), cells) + np.float32(1e-4)
    cross = _area(cv2.multiply(of_painting, of_fine), cells)
    missing = _area(cv2.multiply(of_fresh, of_fresh), cells) - _area(cv2.multiply(of_painting, of_painting), cells)
    share = (np.sqrt(np.maximum(cross * cross + square * missing, 0)) - cross) / square
    share = cv2.blur(np.clip(share, *DETAIL), (3, 3)).reshape(share.shape)
    fine *= _linear(share, (width, height))[:, :, None]
    fine += painting
    return fine


def _luma(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def _edges(picture: np.ndarray) -> np.ndarray:
    return cv2.Laplacian(_luma(picture), cv2.CV_32F)


def _area(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _linear(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)


def _ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, smooth between; float32."""
    t = np.clip((values - np.float32(low)) * np.float32(1 / (high - low)), 0, 1, dtype=np.float32)
    return t * t * (3 - 2 * t)
