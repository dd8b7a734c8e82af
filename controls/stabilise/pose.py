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
from controls.maps.pose_maps import pose_map
from controls.stabilise.window import Load, StabiliseOptions
from controls.types import ControlMap

__all__ = ["assign_to_tracks", "smooth_joints", "stabilise_pose"]

SAME_PERSON = 0.5  # mean distance of joints, in sizes of the person, up to which it is the same person
SLOW = 0.02  # speed, in sizes of the person a frame, up to which a joint is smoothed over the whole radius
ROUNDS = 6
ALL_JOINTS = sum(PARTS.values())
SWAPPED_SHARE = 0.6  # of the distance as named, below which the other side's joints are the ones that were followed
OUTLIER = (
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
    swapped: dict[int, tuple[bool, ...]] = field(default_factory=dict)
    """Frame -> which of ``SIDES`` the detector had the other way round."""

    def last(self) -> list[np.ndarray]:
        """The joints of the last three frames, of which one may be a mistake."""
        return [self.joints[number] for number in sorted(self.joints)[-3:]]

    def add(self, frame: int, joints: np.ndarray) -> None:
        """Go on with a frame's joints, as the detector names them."""
        votes = [_swapped_sides(each, joints) for each in self.last()] or [(False,) * len(SIDES)]
        swapped = tuple((np.mean(votes, axis=0) > 0.5).tolist())
        self.joints[frame], self.swapped[frame] = _swap_sides(joints, swapped), swapped

    def majority_named(self, joints: np.ndarray) -> np.ndarray:
        """Joints of this track with the names that most frames give them."""
        votes = np.array(list(self.swapped.values()))
        return _swap_sides(joints, (votes.mean(axis=0) > 0.5).tolist())

    def forget(self, before: int) -> None:
        """Keep only what is known from that frame on."""
        for number in [number for number in self.joints if number < before]:
            del self.joints[number], self.swapped[number]


def stabilise_pose(load: Load, frames: Sequence[int], options: StabiliseOptions) -> Iterator[tuple[int, ControlMap]]:
    """Yield stabilised pose maps. Raises ``ValueError`` for a map without ``facts["people"]``: joints cannot be read from a
    picture."""
    ahead = max(options.radius, options.bridge + 1)
    tracks: list[_Track] = []
    held: dict[int, ControlMap] = {}
    all_frames = set(frames)
    end = 0
    for frame in frames:
        while end < len(frames) and frames[end] <= frame + ahead:
            held[frames[end]] = load(frames[end])
            assign_to_tracks(tracks, frames[end], _people_of(held[frames[end]]), options.bridge)
            end += 1
        for number in [number for number in held if number < frame]:
            del held[number]
        for track in tracks:
            track.forget(frame - ahead)
        tracks[:] = [track for track in tracks if track.joints]
        detected_map = held[frame]
        between_frames = {frame - 1, frame + 1} <= all_frames
        shown = [
            (track, smooth_joints(track.joints, frame, options))
            for track in tracks
            if not (
                between_frames and len(track.joints) == 1
            )  # somebody whom neither the frame before nor the one after shows
        ]
        people = [_person(track.majority_named(joints)) for track, joints in shown if joints is not None]
        height, width = detected_map.picture.shape[:2]
        drawn = pose_map(people, width, height)
        yield frame, replace(detected_map, picture=drawn.picture, facts={**detected_map.facts, **drawn.facts})


def assign_to_tracks(tracks: list[_Track], frame: int, people: Sequence[Person], bridge: int) -> None:
    """Give each of a frame's people to the track whose last joints are nearest, each track once; others begin one."""
    detected = [_stacked(person) for person in people]
    pairs = []
    for number, joints in enumerate(detected):
        for track in tracks:
            last = max(track.joints)
            if last < frame <= last + bridge + 1:
                pairs.append((min(_body_distance(each, joints) for each in track.last()), number, track))
    assigned: set[int] = set()
    extended: list[_Track] = []
    for distance, number, track in sorted(pairs, key=lambda pair: pair[0]):
        if distance <= SAME_PERSON and number not in assigned and not any(track is other for other in extended):
            track.add(frame, detected[number])
            assigned.add(number)
            extended.append(track)
    for number, joints in enumerate(detected):
        if number not in assigned:
            tracks.append(_Track())
            tracks[-1].add(frame, joints)


def smooth_joints(joints: dict[int, np.ndarray], frame: int, options: StabiliseOptions) -> np.ndarray | None:
    """A followed person's joints at ``frame``, float64 151 x 3 (``joints``: frame -> the same), or ``None`` where there is no
    one to show."""
    times = np.array(sorted(joints))
    all_joints = np.stack([joints[t] for t in times])
    size = max(1.0, float(np.median([_person_size(each) for each in all_joints])))
    likely = _inliers(times, all_joints, size)
    times, all_joints = times[likely], all_joints[likely]
    out = np.zeros((ALL_JOINTS, 3), np.float64)
    for number in range(ALL_JOINTS):
        visible = all_joints[:, number, 2] > 0
        if visible.any():
            out[number] = _fit_joint(times[visible] - frame, all_joints[visible, number], size, options)
    return out if out[:, 2].any() else None


def _inliers(times: np.ndarray, joints: np.ndarray, size: float) -> np.ndarray:
    """Indices into ``times`` of the frames that show the person near where the frames beside them do: the one that is furthest
    off is left out, until none is. A body that is found upside down for a frame is no motion."""
    inliers = list(range(len(times)))
    while len(inliers) > 2:
        off = np.zeros(len(inliers))
        for position in range(1, len(inliers) - 1):
            before, here, after = inliers[position - 1 : position + 2]
            elapsed = (times[here] - times[before]) / (times[after] - times[before])
            body = joints[[before, here, after], :18]
            visible = (body[..., 2] > 0).all(axis=0)
            if visible.any():
                expected = (1 - elapsed) * body[0, visible, :2] + elapsed * body[2, visible, :2]
                off[position] = np.median(np.linalg.norm(body[1, visible, :2] - expected, axis=1)) / size
        worst = int(off.argmax())
        if off[worst] <= OUTLIER:
            break
        del inliers[worst]
    return np.array(inliers)


def _fit_joint(times: np.ndarray, positions: np.ndarray, size: float, options: StabiliseOptions) -> np.ndarray:
    """A joint's (x, y, confidence) at time 0; confidence 0 where it is not seen and cannot be bridged."""
    before, after = times[times <= 0], times[times >= 0]
    here = bool((times == 0).any())
    if not here and not (len(before) and len(after) and after[0] - before[-1] <= options.bridge + 1):
        return np.zeros(3)
    if not here:  # the stretch that is bridged, and what lies next to it
        reach = float(max(after[0] - before[-1], options.radius))
    else:
        reach = options.radius * min(1.0, max(0.35, SLOW / max(_median_speed(times, positions) / size, 1e-9)))
    near = np.abs(times) <= reach
    t, xy, confidence = times[near].astype(float), positions[near, :2], positions[near, 2]
    weight = confidence * np.cos(np.pi / 2 * t / (reach + 1)) ** 2
    order = 0 if len(t) < 2 else 1 if len(t) < 5 else 2
    if order and not ((t < 0).any() and (t > 0).any()):
        order = 1  # at a path's end a parabola swings out: a straight line, leaning on the joint itself
        weight = weight * (1 + 2 * (t == 0))
    basis = t[:, None] ** np.arange(order + 1)
    fitted = _weighted_fit(basis, xy, weight)
    if len(t) > order + 2:
        for _ in range(ROUNDS):  # least absolute distances, which one joint found elsewhere cannot drag along
            rest = np.linalg.norm(xy - basis @ fitted, axis=1)
            fitted = _weighted_fit(basis, xy, weight / np.maximum(rest, 0.002 * size))
        rest = np.linalg.norm(xy - basis @ fitted, axis=1)
        limit = 6 * max(float(np.median(rest)), 0.002 * size)
        fitted = _weighted_fit(basis, xy, weight * np.clip(1 - (rest / limit) ** 2, 1e-6, 1) ** 2)
    return np.array([*fitted[0], float(np.average(confidence, weights=weight))])


def _weighted_fit(basis: np.ndarray, xy: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Least squares: the polynomial's coefficients, order + 1 x 2."""
    root = np.sqrt(weight)[:, None]
    return np.linalg.lstsq(basis * root, xy * root, rcond=None)[0]


def _median_speed(times: np.ndarray, positions: np.ndarray) -> float:
    """Median speed, pixels a frame, over three frames at a time, in which trembling counts for little."""
    step = min(3, len(times) - 1)
    if step < 1:
        return 0.0
    distance = np.linalg.norm(positions[step:, :2] - positions[:-step, :2], axis=1)
    return float(np.median(distance / (times[step:] - times[:-step])))


def _stacked(person: Person) -> np.ndarray:
    """All joints of a person in one array, float64 151 x 3."""
    empty = {part: np.zeros((count, 3), np.float32) for part, count in PARTS.items()}
    parts = [getattr(person, part) for part in PARTS]
    return np.concatenate(
        [empty[part] if joints is None else joints for part, joints in zip(PARTS, parts, strict=True)]
    ).astype(np.float64)


def _person(joints: np.ndarray) -> Person:
    """The person of ``_stacked`` joints."""
    parts, at = {}, 0
    for part, count in PARTS.items():
        assigned = joints[at : at + count].astype(np.float32)
        parts[part] = assigned if part == "body" or assigned[:, 2].any() else None
        at += count
    return Person(**parts)  # type: ignore[arg-type]


def _swap_sides(joints: np.ndarray, which: Sequence[bool]) -> np.ndarray:
    """Joints with left and right exchanged in those of ``SIDES``."""
    joints = joints.copy()
    for pairs, swapped in zip(SIDES, which, strict=True):
        if swapped:
            joints[pairs] = joints[pairs[:, ::-1]]
    return joints


def _swapped_sides(last: np.ndarray, joints: np.ndarray) -> tuple[bool, ...]:
    """For each of ``SIDES``, True if it is named the other way round than in ``last``."""
    return tuple(_is_swapped(last, joints, pairs) for pairs in SIDES)


def _is_swapped(last: np.ndarray, joints: np.ndarray, pairs: np.ndarray) -> bool:
    """True if the joints of ``pairs`` are much nearer to the last ones' with left and right exchanged."""
    pairs = pairs[((last[pairs, 2] > 0) & (joints[pairs, 2] > 0)).all(axis=1)]
    if not len(pairs):
        return False
    as_named = np.linalg.norm(joints[pairs, :2] - last[pairs, :2], axis=2).mean()
    exchanged = np.linalg.norm(joints[pairs[:, ::-1], :2] - last[pairs, :2], axis=2).mean()
    return bool(exchanged < SWAPPED_SHARE * as_named)


def _body_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance of the body's joints seen in both, whichever side they are named, in sizes of the person; infinite where
    there are none."""
    b = _swap_sides(b, _swapped_sides(a, b))
    both = (a[:18, 2] > 0) & (b[:18, 2] > 0)
    if not both.any():
        return float("inf")
    return float(
        np.linalg.norm(a[:18][both, :2] - b[:18][both, :2], axis=1).mean() / max(_person_size(a), _person_size(b), 1.0)
    )


def _person_size(joints: np.ndarray) -> float:
    """The longer side of the box round the body's joints."""
    visible = joints[:18][joints[:18, 2] > 0, :2]
    return float(np.ptp(visible, axis=0).max()) if len(visible) > 1 else 1.0


def _people_of(pose: ControlMap) -> list[Person]:
    if "people" not in pose.facts:
        raise ValueError(f"stabilising pose needs the joints in facts['people']; this map ({pose.kind}) has none")
    return [Person.of(plain) for plain in pose.facts["people"]]
