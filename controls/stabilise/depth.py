"""Depth that does not pump.

A depth network tells nearness up to a scale and a shift, and chooses both anew for every frame. Each frame's are found again
from its neighbours: what the same points, followed along the footage's motion, measure in both. All frames of a shot are
solved for together, so no error adds up along it, and the shot keeps the level that the detector gave it on the whole. What is
left (blotches that differ from frame to frame) is averaged along the motion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from controls.maps.pictures import grey_picture
from controls.stabilise.values import average_along_motion, warp_along
from controls.stabilise.window import Load, MapWindow, StabiliseOptions
from controls.types import ControlMap
from interp.types import Motion, Tracker

__all__ = [
    "LEAST_RANGE",
    "RANGE_SPREADS",
    "Levels",
    "Relation",
    "nearness",
    "relate",
    "solve_levels",
    "stabilise_depth",
    "with_nearness",
]

FITS = 6  # rounds of the robust fit
FEWEST = 64.0  # points' worth of confidence below which two frames are not compared
RANGE_SPREADS = 3.0  # of the spread between neighbours, beyond which a point is another surface
LEAST_RANGE = 0.01  # nearness


@dataclass(frozen=True)
class Relation:
    """``there = scale * here + shift`` for the points seen in both of two frames."""

    scale: float
    shift: float
    centre: float
    """Their mean nearness in *here*."""
    spread: float
    """Robust spread (a standard deviation) of what the fit leaves."""
    weight: float
    """0 where the frames could not be compared, else up to 1."""


@dataclass(frozen=True, eq=False)
class Levels:
    """Scale and shift of each frame: stabilised depth is ``scale * values + shift`` of the detector's."""

    scale: np.ndarray
    shift: np.ndarray


def relate(here: np.ndarray, there: np.ndarray, motion: Motion) -> Relation:
    """Fit nearness in ``there`` as a linear function of that in ``here`` (float32 H x W), iteratively reweighted.

    The slope is the ratio of both spreads (the reduced major axis), not least squares': there is noise in both frames, which
    would flatten the latter a little at each of a shot's steps.
    """
    h, w = motion.confidence.shape
    x = cv2.resize(here, (w, h), interpolation=cv2.INTER_AREA)
    y, confidence = warp_along(cv2.resize(there, (w, h), interpolation=cv2.INTER_AREA), motion)
    keep = confidence > 0.3
    x, y, confidence = x[keep].astype(np.float64), y[keep].astype(np.float64), confidence[keep].astype(np.float64)
    if confidence.sum() < FEWEST:
        return Relation(1.0, 0.0, 0.0, 0.0, 0.0)
    weight, scale, shift, left = confidence, 1.0, 0.0, 0.0
    for _ in range(FITS):
        share = weight / weight.sum()
        middle_x, middle_y = share @ x, share @ y
        spread_x, spread_y = np.sqrt(share @ (x - middle_x) ** 2), np.sqrt(share @ (y - middle_y) ** 2)
        scale = spread_y / spread_x if min(spread_x, spread_y) > 1e-4 else 1.0
        shift = middle_y - scale * middle_x
        rest = np.abs(y - scale * x - shift)
        left = 1.4826 * float(np.median(rest))
        weight = confidence / (1 + (rest / max(2 * left, 1e-4)) ** 2)
    return Relation(
        float(scale), float(shift), float(middle_x), left, float(min(1.0, confidence.sum() / (0.1 * h * w)))
    )


def solve_levels(relations: Sequence[Relation], gaps: Sequence[int], horizon: float) -> Levels:
    """Scale and shift for each of n frames from the n - 1 relations between neighbours, which are ``gaps`` frames apart.

    First the logarithms of the scales, then the levels of the points seen: each is the least-squares answer to "as the
    relations say, and, over more than ``horizon`` frames, as detected".
    """
    count = len(relations) + 1
    links = np.array([relation.weight / gap for relation, gap in zip(relations, gaps, strict=True)])
    hold = 1 / horizon**2
    steps = -np.log([relation.scale for relation in relations]) if relations else np.zeros(0)
    scale = np.exp(_solve(links, steps, hold, np.zeros(count)))
    # In stabilised units the points of a pair are to agree: scale1 * (s c + o) + shift1 = scale0 * c + shift0.
    there = np.array([relation.scale * relation.centre + relation.shift for relation in relations])
    here = np.array([relation.centre for relation in relations])
    steps = scale[:-1] * here - scale[1:] * there
    # Where the detector's own level is kept, it is that of the points seen, not of nearness 0.
    level = np.zeros(count)
    level[:-1] += here
    level[1:] += there
    level /= np.maximum(1, np.r_[np.ones(max(count - 1, 0)), 0] + np.r_[0, np.ones(max(count - 1, 0))])
    shift = _solve(links, steps, hold, level * (1 - scale))
    return Levels(scale, shift)


def _solve(links: np.ndarray, steps: np.ndarray, hold: float, wanted: np.ndarray) -> np.ndarray:
    """x that minimises sum links (x[t+1] - x[t] - steps[t])^2 + hold sum (x - wanted)^2: a tridiagonal system (Thomas)."""
    count = len(wanted)
    main = np.full(count, hold)
    main[:-1] += links
    main[1:] += links
    right = hold * wanted
    right[:-1] -= links * steps
    right[1:] += links * steps
    for t in range(1, count):
        factor = -links[t - 1] / main[t - 1]
        main[t] += factor * links[t - 1]
        right[t] -= factor * right[t - 1]
    solution = np.empty(count)
    for t in range(count - 1, -1, -1):
        solution[t] = (right[t] + (links[t] * solution[t + 1] if t + 1 < count else 0)) / main[t]
    return solution


def stabilise_depth(
    load: Load, frames: Sequence[int], tracker: Tracker, options: StabiliseOptions
) -> Iterator[tuple[int, ControlMap]]:
    """Yield stabilised depth maps. Raises ``ValueError`` for a map without float32 H x W ``values``."""
    if not frames:
        return
    relations: list[Relation] = []
    before = nearness(load(frames[0]))
    for a, b in pairwise(frames):
        after = nearness(load(b))
        relations.append(relate(before, after, tracker.motion(a, b)))
        before = after
    gaps = [b - a for a, b in pairwise(frames)]
    levels = solve_levels(relations, gaps, options.horizon)
    position = {frame: number for number, frame in enumerate(frames)}
    spread = float(np.median([relation.spread for relation in relations if relation.weight] or [0.0]))

    def levelled(frame: int) -> ControlMap:
        depth_map = load(frame)
        at = position[frame]
        return replace(
            depth_map, values=nearness(depth_map) * np.float32(levels.scale[at]) + np.float32(levels.shift[at])
        )

    window = MapWindow(levelled, frames, options.radius)
    for frame in frames:
        maps = window.around(frame)
        values = {number: each.values for number, each in maps.items() if each.values is not None}
        mean = average_along_motion(
            frame, values, tracker, options.radius, range_sigma=max(RANGE_SPREADS * spread, LEAST_RANGE)
        )
        yield frame, with_nearness(maps[frame], mean)


def with_nearness(depth_map: ControlMap, values: np.ndarray) -> ControlMap:
    """``depth_map`` with other values, and the picture that belongs to them (between the values that are black and white)."""
    black, white = float(depth_map.facts.get("black", 0.0)), float(depth_map.facts.get("white", 1.0))
    shown = (values - np.float32(black)) / np.float32(max(white - black, 1e-6))
    return replace(depth_map, picture=grey_picture(shown), values=values)


def nearness(depth_map: ControlMap) -> np.ndarray:
    """Return the map's values. Raises ``ValueError`` for a map without float32 H x W ``values``."""
    if depth_map.values is None or depth_map.values.ndim != 2:
        raise ValueError(f"stabilising depth needs values, float32 H x W; this map ({depth_map.kind}) has none")
    return depth_map.values
