"""Keyframes' maps that agree with one another, though many frames lie between them.

Frames that are painted have others between them that are not, and those need no map. So a keyframe's map is put right by the
keyframes beside it alone, along the motion of the frames between, and never by more than ``NEIGHBOURS`` that come after it: a
keyframe that is added later in a shot does not change what was painted before.

Depth keeps the level of the keyframes before it, where motion explains enough of the picture, and is averaged with those on
both sides; edges have hysteresis along motion; joints that are missed in one keyframe are bridged if those beside it are near.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from controls.maps.base import Steadier
from controls.maps.steady import Load, SteadyOptions
from controls.maps.steady_depth import APART, LEAST_APART, Relation, nearness, relate, with_nearness
from controls.maps.steady_edges import edges_at, lines_of
from controls.maps.steady_pose import steady_pose
from controls.maps.steady_values import averaged
from controls.types import ControlMap
from interp.types import Tracker

__all__ = ["STEADIED", "looked_ahead", "steady_between", "steady_keys"]

NEIGHBOURS = 2  # keyframes on each side
MEMORY = 240.0  # frames after which depth has all but let go of the level before
BRIDGE = SteadyOptions(radius=0)  # of joints: none is moved that was seen
STEADIED: frozenset[Steadier] = frozenset({"depth", "edges", "pose"})
"""The ways of steadying that do a keyframe good; soft lines and normals are left as they are detected (averaged over so long a
motion, thin lines lose more than they gain)."""


def looked_ahead(keys: Sequence[int], frame: int) -> Sequence[int]:
    """Those of a shot's ``keys`` (ascending) after ``frame`` that bear on its map; so do all that come before it."""
    first = bisect_right(keys, frame)
    near = bisect_right(keys, frame + BRIDGE.bridge + 1)
    return keys[first : max(first + NEIGHBOURS, near)]


def steady_keys(
    load: Load, keys: Sequence[int], tracker: Tracker, *, how: Steadier
) -> Iterator[tuple[int, ControlMap]]:
    """Yield (key, steadied map) for each of ``keys``, ascending and of one shot.

    ``load``: key -> its map as detected; asked for each once, in order, and never for more than the next few. ``tracker``:
    motion between any two of the shot's frames. Raises ``ValueError`` as ``steady``.
    """
    if how == "depth":
        return _depth(load, keys, tracker)
    if how == "edges":
        return _edges(load, keys, tracker)
    if how == "pose":
        return steady_pose(load, keys, BRIDGE)
    return ((key, load(key)) for key in keys)


def steady_between(
    frame: int, made: ControlMap, near: Mapping[int, ControlMap], tracker: Tracker, *, how: Steadier
) -> ControlMap:
    """``made``, the map as detected of a frame that is no keyframe, put right by the steadied maps of keyframes near it."""
    if not near:
        return made
    radius = _radius(frame, near)
    if how == "depth":
        closest = min(near, key=lambda key: (abs(key - frame), key))
        values = nearness(made)
        relation = relate(values, nearness(near[closest]), tracker.between(frame, closest))
        kept = relation.weight * np.exp(-abs(closest - frame) / MEMORY)
        scale = relation.scale**kept
        level = relation.centre + kept * ((relation.scale - 1) * relation.centre + relation.shift)
        level -= scale * relation.centre
        own = values * np.float32(scale) + np.float32(level)
        return _averaged(frame, {frame: replace(made, values=own), **near}, tracker, relation.spread)
    if how == "edges":
        before = max((key for key in near if key < frame), default=None)
        drawn = None if before is None else (before, lines_of(near[before]))
        return edges_at(frame, {frame: made, **near}, tracker, radius, drawn=drawn)
    if how == "pose":
        maps = {frame: made, **near}
        return dict(steady_pose(lambda number: maps[number], sorted(maps), BRIDGE))[frame]
    return made


def _depth(load: Load, keys: Sequence[int], tracker: Tracker) -> Iterator[tuple[int, ControlMap]]:
    raw: dict[int, np.ndarray] = {}
    held: dict[int, ControlMap] = {}
    levels = dict.fromkeys(keys[:1], (1.0, 0.0))
    spreads: dict[int, float] = {}
    for number, key in enumerate(keys):
        for place in range(number + NEIGHBOURS + 1):
            if place >= len(keys) or keys[place] in held or place < number - NEIGHBOURS:
                continue
            here = keys[place]
            found = load(here)
            raw[here] = nearness(found)
            if place:
                before = keys[place - 1]
                relation = relate(raw[before], raw[here], tracker.between(before, here))
                levels[here] = _next_level(levels[before], relation, here - before)
                if relation.weight:
                    spreads[here] = relation.spread * levels[here][0]
            scale, shift = levels[here]
            held[here] = replace(found, values=raw[here] * np.float32(scale) + np.float32(shift))
        for gone in [other for other in held if other < keys[max(0, number - NEIGHBOURS)]]:
            del held[gone], raw[gone]
            spreads.pop(gone, None)
        yield key, _averaged(key, held, tracker, float(np.median([*spreads.values()] or [0.0])))


def _next_level(before: tuple[float, float], relation: Relation, gap: int) -> tuple[float, float]:
    """Scale and shift of a keyframe's nearness from those of the one before: as the relation of both says, but for what is
    forgotten of it, which goes back to the detector's own (1, 0)."""
    kept = relation.weight * float(np.exp(-gap / MEMORY))
    scale = (before[0] / relation.scale) ** kept
    there = relation.scale * relation.centre + relation.shift
    wanted = kept * (before[0] * relation.centre + before[1]) + (1 - kept) * there
    return scale, wanted - scale * there


def _averaged(frame: int, maps: Mapping[int, ControlMap], tracker: Tracker, spread: float) -> ControlMap:
    values = {number: nearness(made) for number, made in maps.items()}
    mean = averaged(frame, values, tracker, _radius(frame, maps), apart=max(APART * spread, LEAST_APART))
    return with_nearness(maps[frame], mean)


def _edges(load: Load, keys: Sequence[int], tracker: Tracker) -> Iterator[tuple[int, ControlMap]]:
    held: dict[int, ControlMap] = {}
    drawn: tuple[int, np.ndarray] | None = None
    for number, key in enumerate(keys):
        around = keys[max(0, number - NEIGHBOURS) : number + NEIGHBOURS + 1]
        for here in around:
            if here not in held:
                held[here] = load(here)
        for gone in [other for other in held if other < around[0]]:
            del held[gone]
        made = edges_at(key, held, tracker, _radius(key, held), drawn=drawn)
        drawn = (key, lines_of(made))
        yield key, made


def _radius(frame: int, maps: Mapping[int, ControlMap]) -> int:
    """Over how many frames those around a frame weigh: the nearest half, the farthest hardly."""
    away = [abs(number - frame) for number in maps if number != frame]
    return max(max(away), 2 * min(away)) if away else 0
