"""Keyframes: the frames that are painted, chosen by how well they serve the frames between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from interp.structure import agreement, block_means, gradients_of_picture, has_structure
from interp.types import Motion
from interp.warp import warp
from restyle.errors import RecipeError
from restyle.planning.effort import KeyRules
from restyle.recipe import Recipe
from restyle.types import Keyframe, Shot

__all__ = ["KeyWalk", "choose_keyframes"]

FEW = 4  # frames: for what is merely unsure, nearer keyframes cost more than they mend
HOPELESS = 0.35  # share explained by the keyframe before, below which none is too near
FEW_BLOCKS = 16  # counted, of which one that is lost is not yet a great share
LOST = 0.2  # of its structure, from which a block counts as lost


class GrowingTrack(Protocol):
    """The part of ``interp.tracks.MotionTrack`` that the walk needs."""

    def add(self, picture: np.ndarray) -> None: ...
    def motion(self, here: int, there: int) -> Motion: ...
    def moved(self, frame: int) -> float: ...


class KeyWalk:
    """From keyframe k, walks forward for as long as a keyframe here and the one at k would serve the frames between.

    What counts is the frame midway, which has it furthest from both; what comes into the picture after k is seen by the next
    keyframe, so it is no loss. Two things are asked of it; the next keyframe is the last frame for which both held, or comes
    after ``max_gap`` frames:

    - The better of the two keyframes explains enough of it on the whole (see ``interp.types.Motion.usable``).
    - What moves keeps its shape: the footage's own keyframes are moved to it along the motion, as paintings will be, and blocks
      whose edges they do not give back (``interp.structure``) are lost. The mean over a picture hides a hand; their number
      does not.

    Where only some blocks of a frame will be painted, they alone are asked, and some count more (``weights``, see
    ``planning.block_weights``).

    Holds one keyframe's track at a time, so memory does not depend on the footage's length.
    """

    def __init__(self, new_track: Callable[[], GrowingTrack], rules: KeyRules) -> None:
        self._new_track = new_track
        self._rules = rules
        self._track: GrowingTrack | None = None
        self._gradients: list[np.ndarray] = []  # since the keyframe, as the next
        self._weights: list[np.ndarray] = []
        self._key = self._last = -1
        self._picture: np.ndarray | None = None

    def start(self, frame: int, picture: np.ndarray, weights: np.ndarray) -> None:
        """Begin anew at ``frame``: the first of a shot, or a keyframe. ``picture``: small, H x W x 3 uint8. ``weights``:
        float32 rows x columns, how much each block (``interp.structure.grid_of``) counts."""
        self._track = self._new_track()
        self._track.add(picture)
        self._gradients, self._weights = [gradients_of_picture(picture)], [weights]
        self._key = self._last = frame
        self._picture = picture

    def step(self, frame: int, picture: np.ndarray, weights: np.ndarray) -> tuple[list[Keyframe], float, float]:
        """Look at the next frame; arguments as of ``start``. Gives new keyframes, how much of this frame the last keyframe
        before it explains (0 to 1), and its mean motion since the frame before (pixels of the small picture)."""
        if self._track is None or self._picture is None:
            raise RuntimeError("step comes after start")
        motion, moved = self._advance(self._track, picture, weights, frame)
        new: list[Keyframe] = []
        if self._too_far(self._track, motion, frame):
            ending: list[Keyframe] = []
            if self._last > self._key:  # the frame before was still explained: it becomes the key
                ending = self.end()
                new = [Keyframe(self._last, "coverage")]
                self.start(self._last, self._picture, self._weights[-2])
                motion, _ = self._advance(self._track, picture, weights, frame)
            if _mean(motion.confidence, weights) < HOPELESS:  # its neighbour does not explain it either: painted itself
                new = [*ending, Keyframe(frame, "coverage")]
                self.start(frame, picture, weights)
        elif frame - self._key >= self._rules.max_gap:
            new = [Keyframe(frame, "max-gap")]
            self.start(frame, picture, weights)
        self._last, self._picture = frame, picture
        return new, motion.coverage, moved

    def end(self) -> list[Keyframe]:
        """Give the last frame as a keyframe if what follows explains nothing of it (another shot, or nothing) and the keyframe
        before, alone, loses what has come into the picture since."""
        gap = self._last - self._key
        if self._track is None or gap < max(1, self._rules.least_gap // 2):
            return []
        lost = self._lost(gap, {0: self._track.motion(gap, 0)}) * gap > self._rules.loss
        return [Keyframe(self._last, "end")] if lost else []

    def _advance(
        self, track: GrowingTrack, picture: np.ndarray, weights: np.ndarray, frame: int
    ) -> tuple[Motion, float]:
        track.add(picture)
        self._gradients.append(gradients_of_picture(picture))
        self._weights.append(weights)
        here = frame - self._key
        return track.motion(here, 0), track.moved(here)

    def _too_far(self, track: GrowingTrack, motion: Motion, frame: int) -> bool:
        """Tell whether ``frame`` lies too far from the last keyframe to be the next one."""
        gap = frame - self._key
        if _mean(motion.confidence, self._weights[gap]) < HOPELESS:
            return True
        if gap <= self._rules.least_gap:
            return False
        middle = gap // 2
        ends = {end: track.motion(middle, end) for end in (0, gap)}
        usable = _mean(np.maximum(*(each.usable for each in ends.values())), self._weights[middle])
        if gap > FEW and usable < self._rules.coverage:
            return True
        return self._lost(middle, ends) * (gap - 1) > self._rules.loss

    def _lost(self, middle: int, ends: Mapping[int, Motion]) -> float:
        """Share of the counted blocks, by their weights, that no keyframe gives back. ``middle``: frames
        since the keyframe; ``ends``: the motion from there to each keyframe."""
        here = self._gradients[middle]
        kept = [agreement(here, warp(self._gradients[end], motion.flow)) for end, motion in ends.items()]
        lost = (1 - np.max(kept, axis=0) > LOST) & has_structure(here)
        weights = self._weights[middle]
        return float(weights[lost].sum() / max(FEW_BLOCKS, np.count_nonzero(weights)))


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    """Mean of ``values`` (float32 h x w) over the blocks that count; 1 where none does."""
    counted = weights.sum()
    return float((block_means(values, weights.shape) * weights).sum() / counted) if counted else 1.0


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
        replaceable = first is not None and first.reason in ("coverage", "max-gap", "every", "end")
        if unpainted or replaceable:
            keys[shot.start] = Keyframe(shot.start, "start")
        if recipe.keyframes == "auto":
            _add_end(keys, shot)
        _split_long_gaps(keys, shot, longest)
    return tuple(keys[frame] for frame in sorted(keys))


def _add_end(keys: dict[int, Keyframe], shot: Shot) -> None:
    """A keyframe at the shot's end, so that no frames hang on one side alone; unless they are few."""
    last = max(frame for frame in keys if shot.start <= frame < shot.stop)
    if shot.stop - 1 - last > FEW:
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
