"""Joints that do not tremble, nor vanish for a frame.

People are followed from frame to frame by their joints. Each joint's path is then smoothed by a local fit: a parabola in time
through its places in the frames on both sides, weighted by distance in time and confidence (Savitzky & Golay 1964, for uneven
samples; robust as in Cleveland's LOWESS, 1979). It has no lag, follows a joint's speed and acceleration, and answers for frames
in which the joint was missed as well. Where a joint moves fast, fewer frames are looked at, as the One-Euro filter does
(Casiez, Roussel & Vogel, CHI 2012).

Detectors take left for right now and then, above all of people seen from the side. Arms, legs and head are followed as what
they were in the frame before, whatever they are called, and called what most of the frames around call them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from controls.maps.people import PARTS, Person
from controls.maps.pose import pose_map
from controls.stabilise.window import Load, SteadyOptions
from controls.types import ControlMap

__all__ = ["follow", "smoothed", "steady_pose"]

ALIKE = 0.5  # mean distance of joints, in sizes of the person, up to which it is the same person
SLOW = 0.02  # speed, in sizes of the person a frame, up to which a joint is smoothed over the whole radius
ROUNDS = 6
TOGETHER = sum(PARTS.values())
SWAPPED = 0.6  # of the distance as named, below which the other side's joints are the ones that were followed
UNLIKELY = (
    0.2  # median distance of joints, in sizes of the person, from where the frames beside say, up to which it is motion
)

_HANDS = tuple((18 + joint, 39 + joint) for joint in range(21))
SIDES = (  # pairs of joints, right and left, that are mistaken for each other together: arms, legs, head
    np.array([(2, 5), (3, 6), (4, 7), *_HANDS]),
    np.array([(8, 11), (9, 12), (10, 13)]),
    np.array([(14, 15), (16, 17)]),
)


@dataclass
class _Track:
    """One person followed."""

    joints: dict[int, np.ndarray] = field(default_factory=dict)
    """Frame -> joints of all parts, float64 151 x 3 (confidence 0 where there are none), each the one that it was before."""
    turned: dict[int, tuple[bool, ...]] = field(default_factory=dict)
    """Frame -> which of ``SIDES`` the detector had the other way round."""

    def last(self) -> list[np.ndarray]:
        """The joints of the last three frames, of which one may be a mistake."""
        return [self.joints[number] for number in sorted(self.joints)[-3:]]

    def add(self, frame: int, joints: np.ndarray) -> None:
        """Go on with a frame's joints, as the detector names them."""
        votes = [_turned(each, joints) for each in self.last()] or [(False,) * len(SIDES)]
        turned = tuple((np.mean(votes, axis=0) > 0.5).tolist())
        self.joints[frame], self.turned[frame] = _turn(joints, turned), turned

    def named(self, joints: np.ndarray) -> np.ndarray:
        """Joints of this track with the names that most frames give them."""
        votes = np.array(list(self.turned.values()))
        return _turn(joints, (votes.mean(axis=0) > 0.5).tolist())

    def forget(self, before: int) -> None:
        """Keep only what is known from that frame on."""
        for number in [number for number in self.joints if number < before]:
            del self.joints[number], self.turned[number]


def steady_pose(load: Load, frames: Sequence[int], options: SteadyOptions) -> Iterator[tuple[int, ControlMap]]:
    """Steadied pose maps. Raises ``ValueError`` for a map without ``facts["people"]``: joints cannot be read from a picture."""
    ahead = max(options.radius, options.bridge + 1)
    tracks: list[_Track] = []
    held: dict[int, ControlMap] = {}
    looked_at = set(frames)
    end = 0
    for frame in frames:
        while end < len(frames) and frames[end] <= frame + ahead:
            held[frames[end]] = load(frames[end])
            follow(tracks, frames[end], _people(held[frames[end]]), options.bridge)
            end += 1
        for number in [number for number in held if number < frame]:
            del held[number]
        for track in tracks:
            track.forget(frame - ahead)
        tracks[:] = [track for track in tracks if track.joints]
        made = held[frame]
        amid = {frame - 1, frame + 1} <= looked_at
        shown = [
            (track, smoothed(track.joints, frame, options))
            for track in tracks
            if not (amid and len(track.joints) == 1)  # somebody whom neither the frame before nor the one after shows
        ]
        people = [_person(track.named(joints)) for track, joints in shown if joints is not None]
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
                pairs.append((min(_apart(each, joints) for each in track.last()), number, track))
    taken: set[int] = set()
    given: list[_Track] = []
    for apart, number, track in sorted(pairs, key=lambda pair: pair[0]):
        if apart <= ALIKE and number not in taken and not any(track is other for other in given):
            track.add(frame, found[number])
            taken.add(number)
            given.append(track)
    for number, joints in enumerate(found):
        if number not in taken:
            tracks.append(_Track())
            tracks[-1].add(frame, joints)


def smoothed(joints: dict[int, np.ndarray], frame: int, options: SteadyOptions) -> np.ndarray | None:
    """A followed person's joints at ``frame``, float64 151 x 3 (``joints``: frame -> the same), or ``None`` where there is no
    one to show."""
    times = np.array(sorted(joints))
    all_joints = np.stack([joints[t] for t in times])
    size = max(1.0, float(np.median([_size(each) for each in all_joints])))
    likely = _likely(times, all_joints, size)
    times, all_joints = times[likely], all_joints[likely]
    out = np.zeros((TOGETHER, 3), np.float64)
    for number in range(TOGETHER):
        seen = all_joints[:, number, 2] > 0
        if seen.any():
            out[number] = _fit(times[seen] - frame, all_joints[seen, number], size, options)
    return out if out[:, 2].any() else None


def _likely(times: np.ndarray, joints: np.ndarray, size: float) -> np.ndarray:
    """Which frames (by number in ``times``) show the person near where the frames beside them do: the one that is furthest off
    is left out, until none is. A body that is found upside down for a frame is no motion."""
    kept = list(range(len(times)))
    while len(kept) > 2:
        off = np.zeros(len(kept))
        for place in range(1, len(kept) - 1):
            before, here, after = kept[place - 1 : place + 2]
            share = (times[here] - times[before]) / (times[after] - times[before])
            body = joints[[before, here, after], :18]
            seen = (body[..., 2] > 0).all(axis=0)
            if seen.any():
                between = (1 - share) * body[0, seen, :2] + share * body[2, seen, :2]
                off[place] = np.median(np.linalg.norm(body[1, seen, :2] - between, axis=1)) / size
        worst = int(off.argmax())
        if off[worst] <= UNLIKELY:
            break
        del kept[worst]
    return np.array(kept)


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


def _person(joints: np.ndarray) -> Person:
    parts, at = {}, 0
    for part, count in PARTS.items():
        taken = joints[at : at + count].astype(np.float32)
        parts[part] = taken if part == "body" or taken[:, 2].any() else None
        at += count
    return Person(**parts)  # type: ignore[arg-type]


def _turn(joints: np.ndarray, which: Sequence[bool]) -> np.ndarray:
    """Joints with left and right exchanged in those of ``SIDES``."""
    joints = joints.copy()
    for pairs, turned in zip(SIDES, which, strict=True):
        if turned:
            joints[pairs] = joints[pairs[:, ::-1]]
    return joints


def _turned(last: np.ndarray, joints: np.ndarray) -> tuple[bool, ...]:
    """Which of ``SIDES`` are named the other way round than in ``last``."""
    return tuple(_other_way(last, joints, pairs) for pairs in SIDES)


def _other_way(last: np.ndarray, joints: np.ndarray, pairs: np.ndarray) -> bool:
    """Whether the joints of ``pairs`` are much nearer to the last ones' with left and right exchanged."""
    pairs = pairs[((last[pairs, 2] > 0) & (joints[pairs, 2] > 0)).all(axis=1)]
    if not len(pairs):
        return False
    as_named = np.linalg.norm(joints[pairs, :2] - last[pairs, :2], axis=2).mean()
    exchanged = np.linalg.norm(joints[pairs[:, ::-1], :2] - last[pairs, :2], axis=2).mean()
    return bool(exchanged < SWAPPED * as_named)


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance of the body's joints seen in both, whichever side they are named, in sizes of the person; infinite where
    there are none."""
    b = _turn(b, _turned(a, b))
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
