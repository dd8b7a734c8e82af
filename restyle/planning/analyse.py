"""Pass 1: decode once, small; find cuts, motion and keyframes. Memory does not depend on length.

Either in one go (``analyse``), or first the cuts (``survey``) and then span by span, wherever (``walk_span``): it comes to the
same.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from interp.pixels.sizes import size_within
from interp.structure import block_means, grid_of
from interp.tracks import MotionTrack
from restyle.footage import Footage
from restyle.planning.block_weights import BlockWeights
from restyle.planning.effort import KeyRules
from restyle.planning.keyframes import KeyWalk
from restyle.planning.plan import Analysis
from restyle.planning.shots import CutFinder, Kind
from restyle.planning.survey import SMALL, Survey, Surveyor, Told, small_frames
from restyle.progress import Meter
from restyle.recipe import Recipe
from restyle.registry import make_estimator
from restyle.types import FootageSpec, Keyframe, Shot

__all__ = ["Walked", "analyse", "keyframes_within", "put_together", "survey", "walk_span"]

NOTHING_SHARED = 0.1  # coverage by its own neighbour below which a frame begins a shot, whatever the cut finder says
LEAST_PART = 0.05  # of a block, from which what is painted in it counts


@dataclass(frozen=True)
class Walked:
    """Findings of the keyframe walk in a span of frames; fields as ``Analysis`` has them."""

    cuts: dict[int, Kind]
    keys: tuple[Keyframe, ...]
    coverage: tuple[float, ...]
    moved: tuple[float, ...]
    seconds: float = 0.0


def analyse(footage: Footage, recipe: Recipe, rules: KeyRules, start: int, stop: int | None, meter: Meter) -> Analysis:
    """Look at the frames ``start`` up to ``stop`` (``None``: the end) once. ``rules``: how near keyframes lie.

    Raises ``FootageError`` if there is no frame in that span or the footage is damaged within it, ``Cancelled``.
    """
    surveyor = Surveyor(footage, recipe, start, stop)
    walk = _SpanWalk(footage.spec, recipe, rules, surveyor.told)
    waiting: deque[tuple[int, np.ndarray]] = deque()
    for index, small in surveyor.frames(meter, "looking at the footage"):
        waiting.append((index, small))
        while len(waiting) > CutFinder.LAG:  # behind the cut finder, so that a cut is known before its frame is walked
            walk.visit(*waiting.popleft())
    for index, small in waiting:
        walk.visit(index, small)
    return put_together(surveyor.survey(), [walk.finish()])


def survey(footage: Footage, recipe: Recipe, start: int, stop: int | None, meter: Meter) -> Survey:
    """Find only cuts. Arguments and errors as of ``analyse``."""
    surveyor = Surveyor(footage, recipe, start, stop)
    for _ in surveyor.frames(meter, "looking for cuts"):
        pass
    return surveyor.survey()


def walk_span(
    footage: Footage, recipe: Recipe, rules: KeyRules, told: Sequence[Told], span: tuple[int, int], meter: Meter
) -> Walked:
    """Choose keyframes in one of ``Survey.spans``. ``told``: all cuts. Errors as of ``analyse``."""
    began = time.perf_counter()
    start, stop = span
    walk = _SpanWalk(footage.spec, recipe, rules, told)
    meter.begin("analyse", stop - start)
    for index, small, _ in small_frames(footage, start, stop):
        walk.visit(index, small)
        meter.step("looking at the footage")
    return walk.finish(span, time.perf_counter() - began)


def put_together(found: Survey, walked: Sequence[Walked]) -> Analysis:
    """Make the analysis of a survey and of what was found in its spans, in order."""
    cuts = {cut: kind for part in walked for cut, kind in part.cuts.items() if found.start < cut < found.stop}
    return Analysis(
        start=found.start,
        stop=found.stop,
        pts=found.pts,
        cuts=dict(sorted(cuts.items())),
        keys=tuple(key for part in walked for key in part.keys),
        coverage=tuple(share for part in walked for share in part.coverage),
        moved=tuple(share for part in walked for share in part.moved),
        notes=found.notes,
        seconds=found.seconds + sum(part.seconds for part in walked),
    )


def keyframes_within(
    footage: Footage,
    shots: Sequence[Shot],
    recipe: Recipe,
    rules: KeyRules,
    region: Callable[[int], np.ndarray],
    meter: Meter,
) -> tuple[Keyframe, ...]:
    """Choose keyframes anew, by what of each frame will be painted alone. ``region``: frame number -> float32 H x W in [0, 1],
    0 where nothing is.

    Raises ``FootageError`` if the footage is damaged, ``Cancelled``.
    """
    size = size_within(footage.spec.width, footage.spec.height, SMALL)
    dis = make_estimator("dis")
    walk = KeyWalk(lambda: MotionTrack(dis, working=size), rules)
    weights = BlockWeights(size, faces=rules.faces)
    fresh = {shot.start for shot in shots} | set(recipe.storyboard)
    first, stop = shots[0].start, shots[-1].stop
    keys: list[Keyframe] = []
    meter.begin("analyse", stop - first)
    for index, small, _ in small_frames(footage, 0, stop):
        if index < first:
            continue
        counted = weights.of(small, block_means(region(index), grid_of(*size)) > LEAST_PART)
        if index in fresh:
            keys += walk.end()
            walk.start(index, small, counted)
        else:
            keys += walk.step(index, small, counted)[0]
        meter.step("looking at the objects")
    return (*keys, *walk.end())


class _SpanWalk:
    """The keyframe walk over a span of frames, beginning anew at cuts. Of cuts it knows those that were told up to
    ``CutFinder.LAG`` frames after the one that it looks at, as many as it can know when cuts are found in the same pass; those
    that are told later have a name, but no keyframe begins there.

    ``told`` may grow meanwhile.
    """

    def __init__(self, spec: FootageSpec, recipe: Recipe, rules: KeyRules, told: Sequence[Told]) -> None:
        size = size_within(spec.width, spec.height, SMALL)
        dis = make_estimator("dis")
        self._walk = KeyWalk(lambda: MotionTrack(dis, working=size), rules)
        self._auto = recipe.keyframes == "auto"
        self._weights = BlockWeights(size, faces=rules.faces and self._auto)
        self._diagonal = float(np.hypot(*size))
        self._begun = False
        by_hand = recipe.cuts if isinstance(recipe.cuts, tuple) else ()
        self._cuts: dict[int, Kind] = {frame: "given" for frame in by_hand if isinstance(frame, int)}
        self._pinned = set(recipe.storyboard)
        self._told, self._known = told, 0
        self._keys: list[Keyframe] = []
        self._coverage: list[float] = []
        self._moved: list[float] = []

    def visit(self, index: int, small: np.ndarray) -> None:
        """Look at the next frame."""
        while self._known < len(self._told) and self._told[self._known][0] <= index + CutFinder.LAG:
            self._learn()
        coverage, moved = 1.0, 0.0
        if self._auto:
            weights = self._weights.of(small)
            if not self._begun or index in self._cuts or index in self._pinned:
                self._keys += self._walk.end()
                self._walk.start(index, small, weights)
                self._begun = True
            else:
                keys, coverage, pixels = self._walk.step(index, small, weights)
                moved = pixels / self._diagonal
                if keys:
                    self._keys += keys
                    if keys[-1].frame == index and coverage < NOTHING_SHARED:
                        self._cuts[index] = "cut"
                        if self._cuts.get(index - 1) == "cut":  # a picture that stood alone
                            self._cuts[index - 1] = "flash"
        self._coverage.append(round(coverage, 4))
        self._moved.append(round(moved, 6))

    def _learn(self) -> None:
        _, frame, kind = self._told[self._known]
        self._cuts[frame] = kind
        self._known += 1

    def finish(self, span: tuple[int, int] | None = None, seconds: float = 0.0) -> Walked:
        """Give what was found; of cuts, those within ``span`` alone."""
        while self._known < len(self._told):
            self._learn()
        cuts = {cut: kind for cut, kind in self._cuts.items() if span is None or span[0] <= cut < span[1]}
        self._keys += self._walk.end()
        return Walked(cuts, tuple(self._keys), tuple(self._coverage), tuple(self._moved), seconds)
