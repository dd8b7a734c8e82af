"""Pass 1: decode once, small; find cuts, motion and keyframes. Memory does not depend on length."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from interp.pixels.depth import to_uint8_truncated
from interp.pixels.sizes import size_within
from interp.structure import block_means, grid_of
from interp.tracks import MotionTrack
from restyle.errors import FootageError, show_path
from restyle.footage import Footage
from restyle.planning.block_weights import BlockWeights
from restyle.planning.effort import KeyRules
from restyle.planning.keyframes import KeyWalk
from restyle.planning.plan import Analysis
from restyle.planning.shots import CutFinder, Kind
from restyle.progress import Meter
from restyle.recipe import Recipe
from restyle.registry import make_estimator
from restyle.render.stream import prefetch
from restyle.types import Keyframe, Shot

__all__ = ["SMALL", "analyse", "keyframes_within"]

NOTHING_SHARED = 0.1  # coverage by its own neighbour below which a frame begins a shot, whatever the cut finder says
LEAST_PART = 0.05  # of a block, from which what is painted in it counts
SMALL = 256  # long side, in pixels, of the pictures that pass 1 looks at


def analyse(footage: Footage, recipe: Recipe, rules: KeyRules, start: int, stop: int | None, meter: Meter) -> Analysis:
    """Look at the frames ``start`` up to ``stop`` (``None``: the end) once. ``rules``: how near keyframes lie.

    Raises ``FootageError`` if there is no frame in that span or the footage is damaged within it, ``Cancelled``.
    """
    spec = footage.spec
    size = size_within(spec.width, spec.height, SMALL)
    dis = make_estimator("dis")
    walk = KeyWalk(lambda: MotionTrack(dis, working=size), rules)
    survey = _Survey(recipe, walk, size, rules)
    finder = CutFinder(spec.rate) if recipe.cuts == "auto" else None
    meter.begin("analyse", None if (stop or spec.frames) is None else (stop or spec.frames or 0) - start)
    began = time.perf_counter()
    pts: list[int] = []
    last = start - 1
    stream = prefetch(footage.frames(0, stop, size=size), depth=8)
    try:
        for frame in stream:
            pts.append(frame.pts)
            if frame.index < start:
                continue
            small = to_uint8_truncated(frame.picture)
            survey.push(frame.index, small, finder.push(frame.index, small) if finder else {})
            last = frame.index
            meter.step("looking at the footage")
    finally:
        stream.close()
    if last < start:
        raise FootageError(f"{show_path(spec.path)} has no frame {start}: it ends after {len(pts)} frames")
    cuts = survey.finish(finder.finish(last) if finder else {})
    return Analysis(
        start=start,
        stop=last + 1,
        pts=tuple(pts),
        cuts={cut: kind for cut, kind in sorted(cuts.items()) if start < cut <= last},
        keys=tuple(survey.keys),
        coverage=tuple(survey.coverage),
        moved=tuple(survey.moved),
        notes=_damage(
            sorted(frame for frame in footage.damage.concealed if start <= frame <= last), footage.damage.lost
        ),
        seconds=time.perf_counter() - began,
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
    stream = prefetch(footage.frames(0, stop, size=size), depth=8)
    try:
        for frame in stream:
            if frame.index < first:
                continue
            small = to_uint8_truncated(frame.picture)
            counted = weights.of(small, block_means(region(frame.index), grid_of(*size)) > LEAST_PART)
            if frame.index in fresh:
                keys += walk.end()
                walk.start(frame.index, small, counted)
            else:
                keys += walk.step(frame.index, small, counted)[0]
            meter.step("looking at the objects")
    finally:
        stream.close()
    return (*keys, *walk.end())


def _damage(frames: list[int], missing: int) -> tuple[str, ...]:
    if not frames:
        return ()
    listed = ", ".join(map(str, frames[:8])) + (f" and {len(frames) - 8} more" if len(frames) > 8 else "")
    what = f"frame {listed} is" if len(frames) == 1 else f"{len(frames)} frames are"
    which = "" if len(frames) == 1 else f": {listed}"
    more = f"; about {missing} more do not decode at all, and are left out" if missing else ""
    return (f"{what} damaged in the footage; what is lost was made up by the decoder{which}{more}",)


class _Survey:
    """Walks the keyframes a few frames behind the cut finder, so that a cut is known before its frame is walked."""

    def __init__(self, recipe: Recipe, walk: KeyWalk, size: tuple[int, int], rules: KeyRules) -> None:
        self._walk = walk
        self._auto = recipe.keyframes == "auto"
        self._weights = BlockWeights(size, faces=rules.faces and self._auto)
        self._diagonal = float(np.hypot(*size))
        self._waiting: deque[tuple[int, np.ndarray]] = deque()
        self._begun = False
        by_hand = recipe.cuts if isinstance(recipe.cuts, tuple) else ()
        self._cuts: dict[int, Kind] = {frame: "given" for frame in by_hand if isinstance(frame, int)}
        self._pinned = set(recipe.storyboard)
        self.keys: list[Keyframe] = []
        self.coverage: list[float] = []
        self.moved: list[float] = []

    def push(self, index: int, small: np.ndarray, cuts: dict[int, Kind]) -> None:
        self._cuts.update(cuts)
        self._waiting.append((index, small))
        while len(self._waiting) > CutFinder.LAG:
            self._visit(*self._waiting.popleft())

    def finish(self, cuts: dict[int, Kind]) -> dict[int, Kind]:
        self._cuts.update(cuts)
        while self._waiting:
            self._visit(*self._waiting.popleft())
        self.keys += self._walk.end()
        return self._cuts

    def _visit(self, index: int, small: np.ndarray) -> None:
        coverage, moved = 1.0, 0.0
        if self._auto:
            weights = self._weights.of(small)
            if not self._begun or index in self._cuts or index in self._pinned:
                self.keys += self._walk.end()
                self._walk.start(index, small, weights)
                self._begun = True
            else:
                keys, coverage, pixels = self._walk.step(index, small, weights)
                moved = pixels / self._diagonal
                if keys:
                    self.keys += keys
                    if keys[-1].frame == index and coverage < NOTHING_SHARED:
                        self._cuts[index] = "cut"
                        if self._cuts.get(index - 1) == "cut":  # a picture that stood alone
                            self._cuts[index - 1] = "flash"
        self.coverage.append(round(coverage, 4))
        self.moved.append(round(moved, 6))
