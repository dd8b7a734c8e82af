"""Where to paint, chosen by how much of each frame its keyframe explains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from interp.types import Motion
from restyle.errors import RecipeError
from restyle.recipe import Recipe
from restyle.types import Keyframe, Shot

__all__ = ["KeyWalk", "choose"]


class GrowingTrack(Protocol):
    """The part of ``interp.track.MotionTrack`` that the walk needs."""

    def add(self, picture: np.ndarray) -> None: ...
    def between(self, here: int, there: int) -> Motion: ...


class KeyWalk:
    """From keyframe k, walks forward while the motion from k still explains enough of the frame.

    The next keyframe is the last frame that was explained, or comes after ``max_gap`` frames. Holds one keyframe's track at
    a time, so memory does not depend on the footage's length.
    """

    def __init__(self, new_track: Callable[[], GrowingTrack], *, coverage: float, max_gap: int) -> None:
        self._new_track = new_track
        self._threshold = coverage
        self._max_gap = max_gap
        self._track: GrowingTrack | None = None
        self._key = self._last = -1
        self._picture: np.ndarray | None = None

    def start(self, frame: int, picture: np.ndarray) -> None:
        """Begin anew at ``frame``: the first of a shot, or a keyframe."""
        self._track = self._new_track()
        self._track.add(picture)
        self._key = self._last = frame
        self._picture = picture

    def step(self, frame: int, picture: np.ndarray) -> tuple[Keyframe | None, float, float]:
        """Look at the next frame. Gives a new keyframe or ``None``, how much of this frame the last keyframe before it
        explains (0 to 1), and its mean motion since the frame before (pixels of the small picture)."""
        if self._track is None or self._picture is None:
            raise RuntimeError("step comes after start")
        coverage, moved = self._look(picture, frame)
        made: Keyframe | None = None
        if coverage < self._threshold:
            if self._last > self._key:  # the frame before was still explained: it becomes the key
                made = Keyframe(self._last, "coverage")
                self.start(self._last, self._picture)
                coverage, _ = self._look(picture, frame)
            if coverage < self._threshold:  # even its neighbour does not explain it: it needs a painting of its own
                made = Keyframe(frame, "coverage")
                self.start(frame, picture)
        elif frame - self._key >= self._max_gap:
            made = Keyframe(frame, "max-gap")
            self.start(frame, picture)
        self._last, self._picture = frame, picture
        return made, coverage, moved

    def _look(self, picture: np.ndarray, frame: int) -> tuple[float, float]:
        assert self._track is not None
        self._track.add(picture)
        here = frame - self._key
        moved = float(np.linalg.norm(self._track.between(here, here - 1).flow, axis=2).mean())
        return self._track.between(here, 0).coverage, moved


def choose(recipe: Recipe, shots: Sequence[Shot], walked: Iterable[Keyframe], *, longest: int) -> tuple[Keyframe, ...]:
    """All keyframes of the footage, ascending: those walked or asked for, each shot's first, and the storyboard's.

    Where two of them (or a keyframe and its shot's end) are more than ``longest`` frames apart, more are put between, so
    that no gap outgrows memory. Raises ``RecipeError`` if a frame that the recipe names lies outside of the span.
    """
    from pathlib import Path

    start, stop = shots[0].start, shots[-1].stop
    keys: dict[int, Keyframe] = {}
    if recipe.keyframes == "auto":
        keys = {key.frame: key for key in walked}
    elif recipe.key_step is not None:
        for shot in shots:
            keys |= {frame: Keyframe(frame, "every") for frame in range(shot.start, shot.stop, recipe.key_step)}
    else:
        wanted = [frame for frame in recipe.keyframes if isinstance(frame, int)]
        _inside("keyframe", wanted, start, stop)
        keys = {frame: Keyframe(frame, "pinned") for frame in wanted}
    _inside("storyboard picture", recipe.storyboard, start, stop)
    for frame, picture in recipe.storyboard.items():
        keys[frame] = Keyframe(frame, "storyboard", Path(picture))
    for shot in shots:
        first = keys.get(shot.start)
        empty = not any(shot.start <= frame < shot.stop for frame in keys)
        unpainted = first is None and (empty or recipe.keyframes == "auto")
        found = first is not None and first.reason in ("coverage", "max-gap", "every")
        if unpainted or found:
            keys[shot.start] = Keyframe(shot.start, "start")
        _bridge(keys, shot, longest)
    return tuple(keys[frame] for frame in sorted(keys))


def _bridge(keys: dict[int, Keyframe], shot: Shot, longest: int) -> None:
    marks = sorted(frame for frame in keys if shot.start <= frame < shot.stop)
    for left, right in zip([shot.start, *marks], [*marks, shot.stop], strict=True):
        parts = -(-(right - left) // longest)
        for part in range(1, parts):
            frame = left + (right - left) * part // parts
            keys.setdefault(frame, Keyframe(frame, "max-gap"))


def _inside(what: str, frames: Iterable[int] | Mapping[int, object], start: int, stop: int) -> None:
    for frame in frames:
        if not start <= frame < stop:
            raise RecipeError(f"{what} at frame {frame} lies outside of the footage's frames {start} to {stop - 1}")
