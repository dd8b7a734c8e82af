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

__all__ = ["agreed", "closer", "size_of", "windows"]

LEAST = 48  # pixels; windows smaller than this show nothing that the whole does not
TOGETHER = 6  # joints that two sights of one person share, at least
ONE = 0.6  # share of a body's box that lies in another's, from which both are one person
APART = 0.12  # median distance of those, in sizes of the person, up to which they are the same sight


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


def closer(find: Callable[[np.ndarray], Sequence[Person]], picture: np.ndarray) -> list[Person]:
    """The people that ``find`` sees in windows of ``picture`` (uint8 H x W x 3), in the picture's pixels."""
    height, width = picture.shape[:2]
    seen = []
    for left, top, side in windows(width, height):
        for person in find(np.ascontiguousarray(picture[top : top + side, left : left + side])):
            seen.append(_moved(person, left, top))
    return agreed(seen)


def agreed(seen: Sequence[Person]) -> list[Person]:
    """Of several sights of people: each person who was seen at least twice, once, by the sight of most joints. Sights of one
    place that differ (left taken for right, mostly) are one person's."""
    rest = sorted(seen, key=lambda person: -int((person.body[:, 2] > 0).sum()))
    people: list[Person] = []
    while rest:
        best, *others = rest
        rest = [other for other in others if not _same(best, other)]
        if len(rest) < len(others) and all(_overlap(best, other) < ONE for other in people):
            people.append(best)
    return people


def size_of(person: Person) -> float:
    """The longer side, in pixels, of the box around the body's joints that are seen; 0 without any."""
    places = person.body[person.body[:, 2] > 0, :2]
    return float(np.ptp(places, axis=0).max()) if len(places) else 0.0


def _same(one: Person, other: Person) -> bool:
    both = (one.body[:, 2] > 0) & (other.body[:, 2] > 0)
    if both.sum() < TOGETHER:
        return False
    apart = np.linalg.norm(one.body[both, :2] - other.body[both, :2], axis=1)
    return float(np.median(apart)) <= APART * max(size_of(one), size_of(other))


def _overlap(one: Person, other: Person) -> float:
    """Of the boxes around both bodies: what they share, over the smaller."""
    boxes = []
    for person in (one, other):
        places = person.body[person.body[:, 2] > 0, :2]
        boxes.append((places.min(axis=0), places.max(axis=0) + 1))
    (low, high), (below, above) = boxes
    shared = np.clip(np.minimum(high, above) - np.maximum(low, below), 0, None)
    return float(np.prod(shared) / min(np.prod(high - low), np.prod(above - below)))


def _moved(person: Person, left: int, top: int) -> Person:
    by = np.array([left, top, 0], np.float32)
    parts: dict[str, Any] = {part: getattr(person, part) for part in PARTS}
    return Person(**{part: joints + by for part, joints in parts.items() if joints is not None})
