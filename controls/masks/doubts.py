"""Doubts about mattes, frame by frame: where a masker probably lost its object, or took something else for it.

Nobody is there to say what is right, so each frame is compared with those before it, whatever the masker: how large the object
is, where it is, in how many pieces, along how much of the picture's border, and of what colours. What hardly any right matte
does is doubted. The thresholds were set on mattes that are known to be right (``benchmarks/doubts.py`` counts false alarms).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from controls.masks.flowcut.colour_models import lab
from controls.types import Masked, Pictures
from interp.pixels.sizes import size_within

__all__ = ["Doubt", "Watch", "judge", "measure"]

SIDE = 240  # long side, in pixels, at which mattes are looked at
BINS = (6, 12, 12)  # of L, a and b
SPAN = ((0.0, 100.0), (-80.0, 80.0), (-80.0, 80.0))
SEEN = 16  # pixels, at that side, from which an object counts as seen
FULL = 0.9  # share of the picture
SPECK = 0.0008
JUMP = 1.8  # ratio of the areas of two frames
LEAP = 1.0  # of the object's own size, beside where it was going ...
OVERLAP = 0.2  # ... while less than this share of it is where it was
UNLIKE = 0.45  # how much of the colours must still be there
TURN = 0.15  # of the object's size a frame: by how much its motion changes, to the contrary ...
ALIKE = (0.4, 1.6)  # ... beside something of its colours that is about as large
PIECE = 0.2  # share of the object from which a piece counts that was not there before
STRETCH = 2.2  # of the object's size: how much more of the picture's border it touches than before


@dataclass(frozen=True)
class Doubt:
    """One thing about one frame's matte that should be looked at."""

    frame: int
    """Number within the shot."""
    kind: str
    """``jump``, ``exchange``, ``split``, ``loss``, ``border``, ``speck`` or ``full``."""


TELLING: Mapping[str, str] = {
    "jump": "its area jumps",
    "exchange": "it may have gone over to something alike",
    "split": "it falls into pieces",
    "loss": "it is lost",
    "border": "it runs along the picture's border",
    "speck": "it is hardly a speck",
    "full": "it fills the picture",
}
"""Kind of doubt -> what is said of it."""


@dataclass(frozen=True, eq=False)
class MatteFacts:
    """One frame's matte in figures. Lengths are in pixels of a picture whose long side is ``SIDE``."""

    area: float
    """Pixels of it."""
    share: float
    """Share of the picture."""
    place: tuple[float, float]
    """x and y of its middle."""
    fresh: float
    """Pixels of the largest piece that has nothing where the object was in the frame before, if there are others that have."""
    border: int
    """Pixels of it at the picture's border."""
    overlap: float
    """Share of it, or of the frame's before, whichever is smaller, that both have; 1 without a frame before."""
    colours: np.ndarray
    """float32: histogram of its colours, of sum 1 (empty: 0)."""
    alike: float
    """Pixels of the largest thing near it that has its colours, as a share of its own."""

    @property
    def size(self) -> float:
        """Side of a square of its area."""
        return float(np.sqrt(self.area))


def measure(matte: np.ndarray, picture: np.ndarray, before: np.ndarray | None = None) -> tuple[MatteFacts, np.ndarray]:
    """A matte (float32 H x W) in figures, and as bool h x w of ``SIDE``; ``before``: that of the frame before."""
    grid = size_within(matte.shape[1], matte.shape[0], SIDE)
    inside = cv2.resize(matte, grid, interpolation=cv2.INTER_AREA) > 0.5
    area = float(inside.sum())
    y, x = np.nonzero(inside)
    place = (float(x.mean()), float(y.mean())) if area else (0.0, 0.0)
    rim = np.ones_like(inside)
    rim[1:-1, 1:-1] = False
    both = float((inside & before).sum()) if before is not None else area
    least = min(area, float(before.sum())) if before is not None else area
    colours, alike = _colours(inside, lab(cv2.resize(picture, grid, interpolation=cv2.INTER_AREA)))
    overlap = both / least if least else 1.0
    touching = int((inside & rim).sum())
    facts = MatteFacts(area, area / inside.size, place, _fresh(inside, before), touching, overlap, colours, alike)
    return facts, inside


def _fresh(inside: np.ndarray, before: np.ndarray | None) -> float:
    """``MatteFacts.fresh``."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    if before is None or count < 3:
        return 0.0
    near = cv2.dilate(before.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    known = np.bincount(labels[near], minlength=count) > 0
    areas = stats[1:, cv2.CC_STAT_AREA][~known[1:]]
    return float(areas.max()) if known[1:].any() and areas.size else 0.0


def _colours(inside: np.ndarray, picture: np.ndarray) -> tuple[np.ndarray, float]:
    """Histogram of the object's colours, and the largest thing of these that is close by, as a share of its area."""
    bins = np.zeros(inside.shape, np.int32)
    for plane, number, (low, high) in zip(cv2.split(picture), BINS, SPAN, strict=True):
        bins = bins * number + np.clip((plane - low) * (number / (high - low)), 0, number - 1).astype(np.int32)
    total = int(np.prod(BINS))
    area = int(inside.sum())
    if area < SEEN:
        return np.zeros(total, np.float32), 0.0
    size = np.sqrt(area)
    own = np.bincount(bins[inside], minlength=total).astype(np.float32) / area
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 3)
    ring, wide = (away > max(2.0, size / 6)) & (away < size), bins[away >= size]
    usual = np.bincount(wide, minlength=total).astype(np.float32) / max(1, wide.size)
    # its colours: those that are frequent in it, and not everywhere in the picture
    telling = (own > 0.01) & (own > 2 * usual)
    _, _, stats, _ = cv2.connectedComponentsWithStats((ring & telling[bins]).astype(np.uint8), connectivity=8)
    return own, float(stats[1:, cv2.CC_STAT_AREA].max(initial=0)) / area


def judge(facts: Mapping[int, MatteFacts], lost: Iterable[int] = ()) -> list[Doubt]:
    """All doubts about one object in one shot, by frame. ``lost``: frames in which the masker itself says so."""
    found: list[Doubt] = []
    frames = sorted(facts)
    seen = [frame for frame in frames if facts[frame].area >= SEEN]
    for frame in frames:
        found += [Doubt(frame, "full")] if facts[frame].share >= FULL else []
    some = [frame for frame in frames if facts[frame].area]
    if some and max(facts[frame].share for frame in some) < SPECK:
        found.append(Doubt(some[0], "speck"))
    for frame in sorted(set(lost)):
        before = max((each for each in seen if each < frame), default=None)
        if before is None or facts[before].border < 0.3 * facts[before].size:  # it has not just gone out of the picture
            found.append(Doubt(frame, "loss"))
    for before, frame in pairwise(seen):
        if frame == before + 1:
            earlier = facts[before - 1] if before - 1 in seen else facts[before]
            found += [Doubt(frame, kind) for kind in _changes(earlier, facts[before], facts[frame])]
    found += [Doubt(frame, "exchange") for frame in _turns(facts, seen)]
    return sorted(set(found), key=lambda doubt: (doubt.frame, doubt.kind))


def _changes(earlier: MatteFacts, before: MatteFacts, now: MatteFacts) -> Iterator[str]:
    """Kinds of doubt that a frame gives after the two before it."""
    size = max(before.size, 6.0)
    at_border = before.border > 0 or now.border > 0
    if max(now.area / before.area, before.area / now.area) > JUMP and not at_border:
        yield "jump"
    places = np.array([earlier.place, before.place, now.place])
    steps = np.diff(places, axis=0)
    leap = min(np.linalg.norm(steps[1]), np.linalg.norm(steps[1] - steps[0]))
    like = float(np.minimum(before.colours, now.colours).sum())
    if (now.overlap < OVERLAP and leap > LEAP * size) or like < UNLIKE:
        yield "exchange"
    if now.fresh > PIECE * now.area:
        yield "split"
    if now.border - before.border > STRETCH * size:
        yield "border"


def _turns(facts: Mapping[int, MatteFacts], seen: Sequence[int]) -> Iterator[int]:
    """Frames in which it turns back beside something of its colours: when two that are alike cross, the wrong one may be
    followed from there on."""
    there = set(seen)
    reach = 5
    marked = -99
    for frame in seen:
        around = range(frame - reach, frame + reach + 1)
        if not there.issuperset(around) or frame - marked <= reach:
            continue
        size = max(6.0, float(np.median([facts[n].size for n in around])))
        places = np.array([facts[n].place for n in around])
        steps = np.diff(places, axis=0)
        before, after = np.median(steps[:reach], axis=0), np.median(steps[reach:], axis=0)
        unrest = float(np.median(np.linalg.norm(steps - np.repeat([before, after], reach, axis=0), axis=1)))
        change = float(np.hypot(*(after - before)))
        back = float(before @ after) < 0
        if back and change > max(TURN * size, 2 * unrest) and ALIKE[0] < max(facts[n].alike for n in around) < ALIKE[1]:
            marked = frame
            yield frame


class Watch:
    """Looks at a shot's mattes as they pass."""

    def __init__(self) -> None:
        self._facts: dict[str, dict[int, MatteFacts]] = {}
        self._lost: dict[str, list[int]] = {}

    def over(self, frames: Iterable[Masked], pictures: Pictures) -> Iterator[Masked]:
        """Yield the ``frames`` as they are. The shot's ``pictures`` are read once more; in order, if the frames come so."""
        reader, expected = iter(pictures.read(0, len(pictures))), 0
        inside: dict[str, np.ndarray] = {}
        last = -2
        for masked in frames:
            if masked.frame == expected:
                picture, expected = next(reader), expected + 1
            else:
                picture = next(iter(pictures.read(masked.frame, masked.frame + 1)))
            follows = masked.frame == last + 1
            for name, matte in masked.mattes.items():
                facts, inside[name] = measure(matte, picture, inside.get(name) if follows else None)
                self._facts.setdefault(name, {})[masked.frame] = facts
            last = masked.frame
            for name in masked.lost:
                self._lost.setdefault(name, []).append(masked.frame)
            yield masked

    def doubts(self) -> list[tuple[str, Doubt]]:
        """Each object's doubts, by its name and by frame."""
        return [
            (name, doubt) for name, facts in self._facts.items() for doubt in judge(facts, self._lost.get(name, ()))
        ]
