"""Keyframes' maps that agree with one another, though many frames lie between them.

Frames that are painted have others between them that are not, and those need no map. So a keyframe's map is put right by the
keyframes beside it alone, along the motion of the frames between, and never by more than ``NEIGHBOURS`` that come after it: a
keyframe that is added later in a shot does not change what was painted before.

Depth keeps the level of the keyframes before it, where motion explains enough of the picture, and is averaged with those on
both sides; faint edges are drawn where the others have them, and none is taken away (so far along, motion misleads about what
moves by itself, and outlines would break); joints that are missed in one keyframe are bridged if those beside it are near.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from controls.maps.base import StabiliseMethod
from controls.stabilise.depth import LEAST_RANGE, RANGE_SPREADS, Relation, nearness, relate, with_nearness
from controls.stabilise.edges import edge_strength, stabilise_edge_map
from controls.stabilise.pose import stabilise_pose
from controls.stabilise.values import average_along_motion
from controls.stabilise.window import Load, StabiliseOptions
from controls.types import ControlMap
from interp.types import Tracker

__all__ = ["KEYFRAME_METHODS", "keyframes_ahead", "stabilise_keyframes", "stabilise_to_keyframes"]

NEIGHBOURS = 2  # keyframes on each side
MEMORY = 240.0  # frames after which depth has all but let go of the level before
BRIDGE = StabiliseOptions(radius=0)  # of joints: none is moved that was seen
KEYFRAME_METHODS: frozenset[StabiliseMethod] = frozenset({"depth", "edges", "pose"})
"""Methods that do keyframes good. Soft lines and normals are left as they are detected: averaged over so long a
motion, lines flicker a fifth less but lose an eighth of their detail, and normals that were 3 degrees off are 4 to 7 off
(``benchmarks/map_flicker.py``)."""


def keyframes_ahead(keys: Sequence[int], frame: int) -> Sequence[int]:
    """The keyframes among a shot's ``keys`` (ascending) after ``frame`` that bear on its map; all before it do, too."""
    first = bisect_right(keys, frame)
    near = bisect_right(keys, frame + BRIDGE.bridge + 1)
    return keys[first : max(first + NEIGHBOURS, near)]


def stabilise_keyframes(
    load: Load, keys: Sequence[int], tracker: Tracker, *, method: StabiliseMethod
) -> Iterator[tuple[int, ControlMap]]:
    """Yield (key, stabilised map) for each of ``keys``, ascending and of one shot.

    ``load``: key -> its map as detected; asked for each once, in order, and never for more than the next few. ``tracker``:
    motion between any two of the shot's frames. Raises ``ValueError`` as ``stabilise``.
    """
    if method == "depth":
        return _depth(load, keys, tracker)
    if method == "edges":
        return _edges(load, keys, tracker)
    if method == "pose":
        return stabilise_pose(load, keys, BRIDGE)
    return ((key, load(key)) for key in keys)


def stabilise_to_keyframes(
    frame: int, detected_map: ControlMap, near: Mapping[int, ControlMap], tracker: Tracker, *, method: StabiliseMethod
) -> ControlMap:
    """Put right the map as detected of a frame that is no keyframe, by the stabilised maps of keyframes near it."""
    if not near:
        return detected_map
    radius = _radius(frame, near)
    if method == "depth":
        closest = min(near, key=lambda key: (abs(key - frame), key))
        values = nearness(detected_map)
        relation = relate(values, nearness(near[closest]), tracker.motion(frame, closest))
        memory = relation.weight * np.exp(-abs(closest - frame) / MEMORY)
        scale = relation.scale**memory
        level = relation.centre + memory * ((relation.scale - 1) * relation.centre + relation.shift)
        level -= scale * relation.centre
        own = values * np.float32(scale) + np.float32(level)
        return _averaged(frame, {frame: replace(detected_map, values=own), **near}, tracker, relation.spread)
    if method == "edges":
        before = max((key for key in near if key < frame), default=None)
        drawn = None if before is None else (before, edge_strength(near[before]))
        return stabilise_edge_map(frame, {frame: detected_map, **near}, tracker, radius, drawn=drawn, keep=True)
    if method == "pose":
        maps = {frame: detected_map, **near}
        return dict(stabilise_pose(lambda number: maps[number], sorted(maps), BRIDGE))[frame]
    return detected_map


def _around(load: Load, keys: Sequence[int]) -> Iterator[tuple[int, dict[int, ControlMap]]]:
    """Each key with the maps of those beside it and its own; each is loaded once, in order, and let go when it is passed."""
    held: dict[int, ControlMap] = {}
    for number, key in enumerate(keys):
        near = keys[max(0, number - NEIGHBOURS) : number + NEIGHBOURS + 1]
        held = {other: held[other] if other in held else load(other) for other in near}
        yield key, held


def _depth(load: Load, keys: Sequence[int], tracker: Tracker) -> Iterator[tuple[int, ControlMap]]:
    spreads: dict[int, float] = {}
    before: tuple[int, np.ndarray, tuple[float, float]] | None = None

    def levelled(key: int) -> ControlMap:
        nonlocal before
        detected_map = load(key)
        values, level = nearness(detected_map), (1.0, 0.0)
        if before is not None:
            other, raw, last = before
            relation = relate(raw, values, tracker.motion(other, key))
            level = _next_level(last, relation, key - other)
            if relation.weight:
                spreads[key] = relation.spread * level[0]
        before = (key, values, level)
        return replace(detected_map, values=values * np.float32(level[0]) + np.float32(level[1]))

    for key, near in _around(levelled, keys):
        known = [spreads[other] for other in near if other in spreads]
        yield key, _averaged(key, near, tracker, float(np.median(known)) if known else 0.0)


def _next_level(before: tuple[float, float], relation: Relation, gap: int) -> tuple[float, float]:
    """Scale and shift of a keyframe's nearness from those of the one before: as the relation of both says, but for what is
    forgotten of it, which goes back to the detector's own (1, 0)."""
    memory = relation.weight * float(np.exp(-gap / MEMORY))
    scale = (before[0] / relation.scale) ** memory
    there = relation.scale * relation.centre + relation.shift
    wanted = memory * (before[0] * relation.centre + before[1]) + (1 - memory) * there
    return scale, wanted - scale * there


def _averaged(frame: int, maps: Mapping[int, ControlMap], tracker: Tracker, spread: float) -> ControlMap:
    values = {number: nearness(detected_map) for number, detected_map in maps.items()}
    mean = average_along_motion(
        frame, values, tracker, _radius(frame, maps), range_sigma=max(RANGE_SPREADS * spread, LEAST_RANGE)
    )
    return with_nearness(maps[frame], mean)


def _edges(load: Load, keys: Sequence[int], tracker: Tracker) -> Iterator[tuple[int, ControlMap]]:
    drawn: tuple[int, np.ndarray] | None = None
    for key, near in _around(load, keys):
        detected_map = stabilise_edge_map(key, near, tracker, _radius(key, near), drawn=drawn, keep=True)
        drawn = (key, edge_strength(detected_map))
        yield key, detected_map


def _radius(frame: int, maps: Mapping[int, ControlMap]) -> int:
    """Number of frames over which those around a frame weigh: the nearest half, the farthest hardly."""
    away = [abs(number - frame) for number in maps if number != frame]
    return max(max(away), 2 * min(away)) if away else 0
