"""Joints that do not tremble, nor vanish for a frame.

People are followed from frame to frame by their joints. Each joint's path is then smoothed by a local fit: a parabola in time
through its places in the frames on both sides, weighted by distance in time and confidence (Savitzky & Golay 1964, for uneven
samples; robust as in Cleveland's LOWESS, 1979). It has no lag, follows a joint's speed and acceleration, and answers for frames
in which the joint was missed as well. Where a joint moves fast, fewer frames are looked at, as the One-Euro filter does
(Casiez, Roussel & Vogel, CHI 2012).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from controls.maps.people import PARTS, Person
from controls.maps.pose import pose_map
from controls.maps.steady import Load, SteadyOptions
from controls.types import ControlMap

__all__ = ["follow", "smoothed", "steady_pose"]

ALIKE = 0.5  # mean distance of joints, in sizes of the person, up to which it is the same person
SLOW = 0.02  # speed, in sizes of the person a frame, up to which a joint is smoothed over the whole radius
ROUNDS = 6
TOGETHER = sum(PARTS.values())


@dataclass
class _Track:
    """One person followed: frame -> joints of all parts, float64 151 x 3 (confidence 0 where there are none)."""

    joints: dict[int, np.ndarray] = field(default_factory=dict)


def steady_pose(load: Load, frames: Sequence[int], options: SteadyOptions) -> Iterator[tuple[int, ControlMap]]:
    """Steadied pose maps. Raises ``ValueError`` for a map without ``facts["people"]``: joints cannot be read from a picture."""
    ahead = max(options.radius, options.bridge + 1)
    tracks: list[_Track] = []
    held: dict[int, ControlMap] = {}
    end = 0
    for frame in frames:
        while end < len(frames) and frames[end] <= frame + ahead:
            held[frames[end]] = load(frames[end])
            follow(tracks, frames[end], _people(held[frames[end]]), options.bridge)
            end += 1
        for number in [number for number in held if number < frame]:
            del held[number]
        for track in tracks:
            for number in [number for number in track.joints if number < frame - ahead]:
                del track.joints[number]
        tracks[:] = [track for track in tracks if track.joints]
        made = held[frame]
        people = [person for track in tracks if (person := smoothed(track.joints, frame, options)) is not None]
        height, width = made.picture.shape[:2]
        drawn = pose_map(people, width, height)
        yield frame, replace(made, picture=drawn.picture, facts={**made.facts, **drawn.facts})


def follow(tracks: list[_Track], frame: int, people: Sequence[Person], bridge: int) -> None:
    """Give each of a frame's people to the track whose last joints are nearest, each track once; others begin one."""
    found = [_together(person) for person in people]
    pairs = []
    for number, joints in enumerate(found):
        for track in tracks:
            last = max(track.joints)
            if last < frame <= last + bridge + 1:
                pairs.append((_apart(track.joints[last], joints), number, track))
    taken: set[int] = set()
    given: list[_Track] = []
    for apart, number, track in sorted(pairs, key=lambda pair: pair[0]):
        if apart <= ALIKE and number not in taken and not any(track is other for other in given):
            track.joints[frame] = found[number]
            taken.add(number)
            given.append(track)
    tracks.extend(_Track({frame: joints}) for number, joints in enumerate(found) if number not in taken)


def smoothed(joints: dict[int, np.ndarray], frame: int, options: SteadyOptions) -> Person | None:
    """A followed person's joints at ``frame`` (``joints``: frame -> 151 x 3), or ``None`` where there is no one to show."""
    times = np.array(sorted(joints))
    all_joints = np.stack([joints[t] for t in times])
    size = max(1.0, float(np.median([_size(each) for each in all_joints])))
    out = np.zeros((TOGETHER, 3), np.float64)
    for number in range(TOGETHER):
        seen = all_joints[:, number, 2] > 0
        if seen.any():
            out[number] = _fit(times[seen] - frame, all_joints[seen, number], size, options)
    parts, at = {}, 0
    for part, count in PARTS.items():
        taken = out[at : at + count].astype(np.float32)
        parts[part] = taken if part == "body" or taken[:, 2].any() else None
        at += count
    return Person(**parts) if out[:, 2].any() else None  # type: ignore[arg-type]


def _fit(times: np.ndarray, places: np.ndarray, size: float, options: SteadyOptions) -> np.ndarray:
    """A joint's (x, y, confidence) at time 0; confidence 0 where it is not seen and cannot be bridged."""
    before, after = times[times <= 0], times[times >= 0]
    here = bool((times == 0).any())
    if not here and not (len(before) and len(after) and after[0] - before[-1] <= options.bridge + 1):
        return np.zeros(3)
    if not here:  # the stretch that is bridged, and what lies next to it
        reach = float(max(after[0] - before[-1], options.radius))
    else:
        reach = options.radius * min(1.0, max(0.35, SLOW / max(_speed(times, places) / size, 1e-9)))
    near = np.abs(times) <= reach
    t, xy, sure = times[near].astype(float), places[near, :2], places[near, 2]
    weight = sure * np.cos(np.pi / 2 * t / (reach + 1)) ** 2
    order = 0 if len(t) < 2 else 1 if len(t) < 5 else 2
    if order and not ((t < 0).any() and (t > 0).any()):
        order = 1  # at a path's end a parabola swings out: a straight line, leaning on the joint itself
        weight = weight * (1 + 2 * (t == 0))
    basis = t[:, None] ** np.arange(order + 1)
    found = _weighted(basis, xy, weight)
    if len(t) > order + 2:
        for _ in range(ROUNDS):  # least absolute distances, which one joint found elsewhere cannot drag along
            rest = np.linalg.norm(xy - basis @ found, axis=1)
            found = _weighted(basis, xy, weight / np.maximum(rest, 0.002 * size))
        rest = np.linalg.norm(xy - basis @ found, axis=1)
        limit = 6 * max(float(np.median(rest)), 0.002 * size)
        found = _weighted(basis, xy, weight * np.clip(1 - (rest / limit) ** 2, 1e-6, 1) ** 2)
    return np.array([*found[0], float(np.average(sure, weights=weight))])


def _weighted(basis: np.ndarray, xy: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Least squares: the polynomial's coefficients, order + 1 x 2."""
    root = np.sqrt(weight)[:, None]
    return np.linalg.lstsq(basis * root, xy * root, rcond=None)[0]


def _speed(times: np.ndarray, places: np.ndarray) -> float:
    """Median speed, pixels a frame, over three frames at a time, in which trembling counts for little."""
    apart = min(3, len(times) - 1)
    if apart < 1:
        return 0.0
    way = np.linalg.norm(places[apart:, :2] - places[:-apart, :2], axis=1)
    return float(np.median(way / (times[apart:] - times[:-apart])))


def _together(person: Person) -> np.ndarray:
    empty = {part: np.zeros((count, 3), np.float32) for part, count in PARTS.items()}
    parts = [getattr(person, part) for part in PARTS]
    return np.concatenate(
        [empty[part] if joints is None else joints for part, joints in zip(PARTS, parts, strict=True)]
    ).astype(np.float64)


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance of the body's joints seen in both, in sizes of the person; infinite where there are none."""
    both = (a[:18, 2] > 0) & (b[:18, 2] > 0)
    if not both.any():
        return float("inf")
    return float(np.linalg.norm(a[:18][both, :2] - b[:18][both, :2], axis=1).mean() / max(_size(a), _size(b), 1.0))


def _size(joints: np.ndarray) -> float:
    """The longer side of the box round the body's joints."""
    seen = joints[:18][joints[:18, 2] > 0, :2]
    return float(np.ptp(seen, axis=0).max()) if len(seen) > 1 else 1.0


def _people(made: ControlMap) -> list[Person]:
    if "people" not in made.facts:
        raise ValueError(f"steadying pose needs the joints in facts['people']; this map ({made.kind}) has none")
    return [Person.of(plain) for plain in made.facts["people"]]
