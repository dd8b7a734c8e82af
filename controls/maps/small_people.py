"""People who are too small for a detector that looks at whole pictures: looked for in windows, believed where two agree.

Detectors of people shrink the picture to a fixed size first; somebody a fifth as tall as the frame is a few pixels there.
Windows that overlap by half show everybody at least twice (but for the picture's corners), so what only one of them sees is
taken for a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from controls.maps.people import PARTS, Person

__all__ = ["body_size", "find_small_people", "merge_detections", "windows"]

LEAST = 48  # pixels; windows smaller than this show nothing that the whole does not
SHARED_JOINTS = 6  # that two detections of one person have in common, at least
SAME_BOX = 0.6  # share of a body's box that lies in another's, from which both are one person
SAME_JOINTS = 0.12  # median distance of those, in sizes of the person, up to which they are the same


def windows(width: int, height: int) -> Iterator[tuple[int, int, int]]:
    """(left, top, side) of squares half as large as the short side, each half over the next, up to all borders."""
    side = min(width, height) // 2
    if side < LEAST:
        return
    for top in _starts(height, side):
        for left in _starts(width, side):
            yield left, top, side


def _starts(length: int, side: int) -> list[int]:
    count = -(-2 * (length - side) // side) + 1
    return np.linspace(0, length - side, count).astype(int).tolist()


def find_small_people(find: Callable[[np.ndarray], Sequence[Person]], picture: np.ndarray) -> list[Person]:
    """The people that ``find`` sees in windows of ``picture`` (uint8 H x W x 3), in the picture's pixels."""
    height, width = picture.shape[:2]
    detections = []
    for left, top, side in windows(width, height):
        for person in find(np.ascontiguousarray(picture[top : top + side, left : left + side])):
            detections.append(_shifted(person, left, top))
    return merge_detections(detections)


def merge_detections(detections: Sequence[Person]) -> list[Person]:
    """Merge several detections of people: each person who was detected at least twice, once, by the detection of most joints.
    Detections in one position that differ (left taken for right, mostly) are one person's."""
    rest = sorted(detections, key=lambda person: -int((person.body[:, 2] > 0).sum()))
    people: list[Person] = []
    while rest:
        best, *others = rest
        rest = [other for other in others if not _same(best, other)]
        if len(rest) < len(others) and all(_overlap(best, other) < SAME_BOX for other in people):
            people.append(best)
    return people


def body_size(person: Person) -> float:
    """The longer side, in pixels, of the box around the body's joints that are seen; 0 without any."""
    positions = person.body[person.body[:, 2] > 0, :2]
    return float(np.ptp(positions, axis=0).max()) if len(positions) else 0.0


def _same(a: Person, b: Person) -> bool:
    both = (a.body[:, 2] > 0) & (b.body[:, 2] > 0)
    if both.sum() < SHARED_JOINTS:
        return False
    distance = np.linalg.norm(a.body[both, :2] - b.body[both, :2], axis=1)
    return float(np.median(distance)) <= SAME_JOINTS * max(body_size(a), body_size(b))


def _overlap(a: Person, b: Person) -> float:
    """Area that the boxes around both bodies share, over the smaller one's."""
    boxes = []
    for person in (a, b):
        positions = person.body[person.body[:, 2] > 0, :2]
        boxes.append((positions.min(axis=0), positions.max(axis=0) + 1))
    (low, high), (below, above) = boxes
    shared = np.clip(np.minimum(high, above) - np.maximum(low, below), 0, None)
    return float(np.prod(shared) / min(np.prod(high - low), np.prod(above - below)))


def _shifted(person: Person, left: int, top: int) -> Person:
    by = np.array([left, top, 0], np.float32)
    parts: dict[str, Any] = {part: getattr(person, part) for part in PARTS}
    return Person(**{part: joints + by for part, joints in parts.items() if joints is not None})
