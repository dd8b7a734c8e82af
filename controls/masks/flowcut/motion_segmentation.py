"""Motion segmentation: where an object ends, by what moves otherwise than its surroundings in the frames before and after.

For every pixel and a few frames near by there are two hypotheses: that the pixel moves as what is around the object does, and
that it moves as the object does. Whichever foretells the colours better is believed. Dense flow alone is blurred at an object's
edge, for many pixels; colours are not, so the edge is found where it is (layers of motion, as of Wang & Adelson, "Representing
moving images with layers", 1994, with colours for the proof).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from controls.masks.flowcut.frame_walk import FrameRun
from controls.masks.flowcut.params import MotionParams
from controls.masks.flowcut.region import Region, resample, sample_flow
from controls.masks.flowcut.similarity import fit_similarity_in, similarity_flow, thinned
from interp.flow.completion import complete_flow, fit_affine
from interp.types import Motion

__all__ = ["motion_evidence"]

SLIP = np.ones((3, 3), np.uint8)  # a hypothesis may be off by a pixel


@dataclass(frozen=True, eq=False)
class _Question:
    """Question about one frame of a run, which its neighbours answer."""

    run: FrameRun
    number: int
    region: Region
    allowed: np.ndarray
    """bool h x w: where the object may be."""
    params: MotionParams
    velocity: np.ndarray | None
    """The object's motion from one frame to the next (x, y), where it is known: it is followed, not prompted."""


def motion_evidence(
    run: FrameRun,
    number: int,
    region: Region,
    allowed: np.ndarray,
    params: MotionParams,
    *,
    velocity: np.ndarray | None = None,
) -> np.ndarray:
    """float32 h x w of the region in [-1, 1]: above 0 where the object's motion, below where another explains the frames
    better; near 0 where both do, or nothing moves.

    ``number``: of the frame, in the run's shot; ``allowed``: bool h x w, where the object may be; ``velocity``: how far it
    moves from one frame to the next (x, y), pixels of the region, where that is known: then fewer frames are looked at, and
    what moves in a third way is held to be something else, while without it that is held to be a part of the object.
    """
    if not allowed.any():
        return np.zeros(region.shape, np.float32)
    if region.grid[0] > run.grid[0]:
        small = _shrunk(region, run.grid)
        where = resample(allowed.astype(np.float32), region, small) > 0.5
        if not where.any():
            return np.zeros(region.shape, np.float32)
        slower = None if velocity is None else velocity * (run.grid[0] / region.grid[0])
        return resample(motion_evidence(run, number, small, where, params, velocity=slower), small, region)
    question = _Question(run, number, region, allowed, params, velocity)
    offsets = params.prompt_offsets if velocity is None else params.track_offsets
    numbers = (number + way * offset for offset in offsets for way in (-1, 1))
    comparisons = [_Comparison(question, there) for there in numbers if there in run]
    if not comparisons:
        return np.zeros(region.shape, np.float32)
    count = np.full(region.shape, np.float32(1e-6))
    total = np.zeros(region.shape, np.float32)
    for comparison in comparisons:
        total += np.where(comparison.outside, 0, comparison.background_misfit - comparison.own_misfit)
        count += ~comparison.outside
    moving = np.clip(total / count, 0, 1) * allowed
    share = params.limb_share
    if velocity is None:
        velocity, share = _velocity(comparisons, moving, params), params.part_share
    if velocity is not None:
        for comparison in comparisons:
            comparison.assume(velocity, share)
    total = np.sum([comparison.evidence(moving) for comparison in comparisons], axis=0)
    return (total / count).astype(np.float32)


def _velocity(comparisons: Sequence[_Comparison], moving: np.ndarray, params: MotionParams) -> np.ndarray | None:
    """Displacement of what moves otherwise from frame to frame (x, y), if that can be told."""
    if moving.max() < params.moving_evidence:
        return None
    estimates = [comparison.velocity(moving > 0.5 * moving.max(), moving) for comparison in comparisons]
    known = [estimate for estimate in estimates if estimate is not None]
    return np.median(known, axis=0) if len(known) >= 4 else None


def _shrunk(region: Region, grid: tuple[int, int]) -> Region:
    a, b = grid[0] / region.grid[0], grid[1] / region.grid[1]
    left, top = int(region.left * a), int(region.top * b)
    right, bottom = min(grid[0], int(np.ceil(region.right * a))), min(grid[1], int(np.ceil(region.bottom * b)))
    return Region(left, top, max(right, left + 1), max(bottom, top + 1), grid)


def _background_flows(question: _Question, motion: Motion) -> list[np.ndarray]:
    """Flows that what is behind the object may have, on the region: completed from all around, as most of the picture moves,
    and for a prompt as either side of the object does. Whatever is behind an object, one of these is near it."""
    region, allowed = question.region, question.allowed
    height, width = motion.flow.shape[:2]
    hidden = resample(allowed.astype(np.float32), region, Region(0, 0, width, height, (width, height)))
    trust = np.where(hidden > 0, np.float32(0), motion.confidence)
    flows = [complete_flow(motion.flow, motion.confidence, hidden, np.zeros_like(hidden))]
    if float(trust.mean()) > 0.005:
        flows.append(fit_affine(motion.flow, trust))
    if question.velocity is None:
        for side in _sides(question, (width, height)):
            beside = np.zeros_like(trust)
            beside[side] = trust[side]
            if (beside > 0.1).sum() >= 60:
                flows.append(fit_affine(motion.flow, beside))
    return [sample_flow(flow, region) for flow in flows]


def _sides(question: _Question, grid: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Rows and columns, on ``grid`` (width, height), of what lies above, below, left and right of the object."""
    region, share = question.region, question.params.side_share
    a, b = grid[0] / region.grid[0], grid[1] / region.grid[1]
    y, x = np.nonzero(question.allowed)
    left, right = int((x.min() + region.left) * a), int(np.ceil((x.max() + 1 + region.left) * a))
    top, bottom = int((y.min() + region.top) * b), int(np.ceil((y.max() + 1 + region.top) * b))
    wide, high = max(8, int(share * (right - left))), max(8, int(share * (bottom - top)))
    up, low = slice(max(0, top - high), max(0, top - 2)), slice(bottom + 2, bottom + high)
    before, after = slice(max(0, left - wide), max(0, left - 2)), slice(right + 2, right + wide)
    across, down = slice(max(0, left - wide), right + wide), slice(max(0, top - high), bottom + high)
    return [(up, across), (low, across), (down, before), (down, after)]


class _Comparison:
    """Both hypotheses, compared in one other frame."""

    def __init__(self, question: _Question, there: int) -> None:
        region, run, self._params = question.region, question.run, question.params
        motion = run.motion(question.number, there)
        self._region, self._steps = region, there - question.number
        self._own_share = np.float32(self._params.own_misfit_share if question.velocity is None else 1.0)
        self._background = _background_flows(question, motion)
        self._here = run.small(question.number).lab(region.grid)[region.slices]
        self._there = run.small(there).lab(region.grid)
        self._flow, self._confidence = sample_flow(motion.flow, region), sample_flow(motion.confidence, region)
        first, self.outside = self._misfit(self._background[0])
        self.background_misfit = _least([first, *(self._misfit(flow)[0] for flow in self._background[1:])])
        """How unlike (0 to 1) the frames are along the surroundings' motion."""
        self.own_misfit = self._own_share * self._misfit(self._flow)[0]
        """And along each pixel's own."""
        self._object_flow: np.ndarray | None = None
        self._moves_along = (
            _least([_distance(self._flow, flow) for flow in self._background]) > self._params.distinct_motion
        )

    def assume(self, velocity: np.ndarray, share: float) -> None:
        """Take it that the object moves by ``velocity`` a frame, and its parts otherwise by up to ``share`` of its motion
        against the surroundings."""
        self._object_flow = np.asarray(velocity, np.float32) * self._steps
        own = _least([_distance(flow, self._object_flow) for flow in self._background])
        self._moves_along = _distance(self._flow, self._object_flow) < 1 + np.float32(share) * own

    def velocity(self, where: np.ndarray, moving: np.ndarray) -> np.ndarray | None:
        """The object's motion from one frame to the next, as a rule in ``where``."""
        flow = self._whole_flow(moving)
        return None if flow is None else np.median(flow[where], axis=0) / self._steps

    def evidence(self, moving: np.ndarray) -> np.ndarray:
        """The better hypothesis, float32 h x w. ``moving``: h x w in [0, 1], where something moves otherwise; the object's
        motion as a whole is read off there."""
        flow = self._whole_flow(moving)
        if flow is None:
            difference = np.maximum(self.background_misfit - self.own_misfit, 0)
            return np.where(self.outside, np.float32(0), difference)
        misfit, outside = self._misfit(flow)
        misfit *= self._own_share
        separation = _least([_distance(flow, other) for other in self._background])
        if self._object_flow is None:
            others = self.background_misfit
        else:
            others = np.where(
                self._moves_along, self.background_misfit, np.minimum(self.background_misfit, self.own_misfit)
            )
            otherwise = np.maximum(separation, _distance(flow, self._flow))
            separation = np.where(self._moves_along, separation, otherwise)
        own = np.where(self._moves_along, np.minimum(misfit, self.own_misfit), misfit)
        distinct = np.clip(separation - self._params.distinct_motion, 0, 1)
        return np.where(self.outside | outside, np.float32(0), (others - own) * distinct)

    def _whole_flow(self, moving: np.ndarray) -> np.ndarray | None:
        """The flow of the object's motion as a whole, float32 h x w x 2."""
        weight = moving * self._confidence * self._moves_along * ~self.outside
        y, x = np.nonzero(weight > 0.02)
        if len(x) < 10:
            return None if self._object_flow is None else np.broadcast_to(self._object_flow, self._flow.shape)
        y, x = thinned(y, x)
        return similarity_flow(fit_similarity_in(self._region, y, x, self._flow, weight), self._region)

    def _misfit(self, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """0 where the two frames agree along ``flow``, to a pixel, toward 1 where they do not; and True where that leads out
        of the picture."""
        x, y, outside = self._region.outside(flow)
        warped = cv2.remap(self._there, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        off = np.maximum(cv2.erode(warped, SLIP) - self._here, self._here - cv2.dilate(warped, SLIP))
        off = np.maximum(off, 0)
        square = cv2.blur(np.einsum("ijk,ijk->ij", off, off), (3, 3)).reshape(off.shape[:2])
        return square / (square + np.float32(self._params.colour_scale**2)), outside


def _distance(flow: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Length of the difference of two flows, float32 h x w."""
    off = flow - other
    return np.sqrt(np.einsum("ijk,ijk->ij", off, off))


def _least(planes: Sequence[np.ndarray]) -> np.ndarray:
    least = planes[0]
    for plane in planes[1:]:
        least = np.minimum(least, plane)
    return least
