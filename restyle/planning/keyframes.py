"""Keyframes: the frames that are painted, chosen by how much of each frame they can serve."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from interp.types import Motion
from restyle.errors import RecipeError
from restyle.recipe import Recipe
from restyle.types import Keyframe, Shot

__all__ = ["KeyWalk", "choose_keyframes", "local_loss"]

LEAST_GAP = 4  # frames: nearer keyframes cost more than they mend, unless almost nothing is explained
HOPELESS = 0.35  # share explained by the keyframe before, below which none is too near
LOCAL_GAP = 8  # frames: something small that is lost (a ball, a hand) asks for a keyframe, but not at any price
LOCAL_SHARE = 0.1  # the worst tenth of the picture decides whether something small is lost
LOCAL_WEIGHT = 5.0  # that tenth may lack so much more than the whole
TILES = 16  # the picture is looked at in so many tiles across


class GrowingTrack(Protocol):
    """The part of ``interp.tracks.MotionTrack`` that the walk needs."""

    def add(self, picture: np.ndarray) -> None: ...
    def motion(self, here: int, there: int) -> Motion: ...
    def moved(self, frame: int) -> float: ...


class KeyWalk:
    """From keyframe k, walks forward for as long as a keyframe here and the one at k would serve the frame midway.

    What counts is the frames between: what comes into the picture after k is seen by the next keyframe, so it is no loss. The
    frame midway has it furthest from both. ``coverage``: how much of it the better of the two paintings must serve (see
    ``interp.types.Motion.usable``). The next keyframe is the last frame for which that held, or comes after ``max_gap`` frames.
    Holds one keyframe's track at a time, so memory does not depend on the footage's length.
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
        motion, moved = self._advance(picture, frame)
        coverage = motion.coverage
        new: Keyframe | None = None
        if self._too_far(motion, frame):
            if self._last > self._key:  # the frame before was still explained: it becomes the key
                new = Keyframe(self._last, "coverage")
                self.start(self._last, self._picture)
                motion, _ = self._advance(picture, frame)
                coverage = motion.coverage
            if coverage < HOPELESS:  # even its neighbour does not explain it: it needs a painting of its own
                new = Keyframe(frame, "coverage")
                self.start(frame, picture)
        elif frame - self._key >= self._max_gap:
            new = Keyframe(frame, "max-gap")
            self.start(frame, picture)
        self._last, self._picture = frame, picture
        return new, coverage, moved

    def _advance(self, picture: np.ndarray, frame: int) -> tuple[Motion, float]:
        if self._track is None:
            raise RuntimeError("a walk begins with start")
        self._track.add(picture)
        here = frame - self._key
        return self._track.motion(here, 0), self._track.moved(here)

    def _too_far(self, motion: Motion, frame: int) -> bool:
        """Tell whether ``frame`` lies too far from the last keyframe to be the next one."""
        gap = frame - self._key
        if motion.coverage < HOPELESS:
            return True
        if gap <= LEAST_GAP or self._enough(motion.usable, gap):  # serves even the far end: then the middle, too
            return False
        if self._track is None:
            raise RuntimeError("a walk begins with start")
        middle = gap // 2
        before, after = (self._track.motion(middle, end).usable for end in (0, gap))
        return not self._enough(np.maximum(before, after), gap)

    def _enough(self, usable: np.ndarray, gap: int) -> bool:
        lacking = 1 - self._threshold
        if float(usable.mean()) < self._threshold:
            return False
        return gap <= LOCAL_GAP or local_loss(usable) <= LOCAL_WEIGHT * lacking


def local_loss(usable: np.ndarray) -> float:
    """Share of the worst tenth of the picture that is unexplained: 0 (nothing) to 1.

    The picture's mean hides a small thing that is lost altogether; the eye does not.
    """
    height, width = usable.shape
    across = min(TILES, width)
    down = max(1, min(height, round(TILES * height / width)))
    tiles = np.sort(cv2.resize(usable, (across, down), interpolation=cv2.INTER_AREA).ravel())
    return float(1 - tiles[: max(1, round(len(tiles) * LOCAL_SHARE))].mean())


def choose_keyframes(
    recipe: Recipe, shots: Sequence[Shot], walked: Iterable[Keyframe], *, longest: int
) -> tuple[Keyframe, ...]:
    """All keyframes of the footage, ascending: those walked or asked for, each shot's first, and the storyboard's.

    Where two of them (or a keyframe and its shot's end) are more than ``longest`` frames apart, more are put between, so
    that no gap outgrows memory. Raises ``RecipeError`` if a frame that the recipe names lies outside of the span.
    """
    start, stop = shots[0].start, shots[-1].stop
    keys: dict[int, Keyframe] = {}
    if recipe.keyframes == "auto":
        keys = {key.frame: key for key in walked}
    elif recipe.key_step is not None:
        for shot in shots:
            keys |= {frame: Keyframe(frame, "every") for frame in range(shot.start, shot.stop, recipe.key_step)}
    else:
        pinned = [frame for frame in recipe.keyframes if isinstance(frame, int)]
        _require_inside("keyframe", pinned, start, stop)
        keys = {frame: Keyframe(frame, "pinned") for frame in pinned}
    _require_inside("storyboard picture", recipe.storyboard, start, stop)
    for frame, picture in recipe.storyboard.items():
        keys[frame] = Keyframe(frame, "storyboard", Path(picture))
    for shot in shots:
        first = keys.get(shot.start)
        empty = not any(shot.start <= frame < shot.stop for frame in keys)
        unpainted = first is None and (empty or recipe.keyframes == "auto")
        replaceable = first is not None and first.reason in ("coverage", "max-gap", "every")
        if unpainted or replaceable:
            keys[shot.start] = Keyframe(shot.start, "start")
        if recipe.keyframes == "auto":
            _add_end(keys, shot)
        _split_long_gaps(keys, shot, longest)
    return tuple(keys[frame] for frame in sorted(keys))


def _add_end(keys: dict[int, Keyframe], shot: Shot) -> None:
    """A keyframe at the shot's end, so that no frames hang on one side alone; unless they are few."""
    last = max(frame for frame in keys if shot.start <= frame < shot.stop)
    if shot.stop - 1 - last > LEAST_GAP:
        keys[shot.stop - 1] = Keyframe(shot.stop - 1, "end")


def _split_long_gaps(keys: dict[int, Keyframe], shot: Shot, longest: int) -> None:
    marks = sorted(frame for frame in keys if shot.start <= frame < shot.stop)
    for left, right in zip([shot.start, *marks], [*marks, shot.stop], strict=True):
        parts = -(-(right - left) // longest)
        for part in range(1, parts):
            frame = left + (right - left) * part // parts
            keys.setdefault(frame, Keyframe(frame, "max-gap"))


def _require_inside(what: str, frames: Iterable[int] | Mapping[int, object], start: int, stop: int) -> None:
    for frame in frames:
        if not start <= frame < stop:
            raise RecipeError(f"{what} at frame {frame} lies outside of the footage's frames {start} to {stop - 1}")
