"""What moves otherwise than its surroundings: where an object ends, told by the frames before and after.

For every place two stories are told of a few frames near by: that the place moves as what is round the object does, and that it
moves as the object does. Whichever foretells the colours better is believed. Dense flow alone is blurred at an object's edge,
for many pixels; colours are not, so the edge is found where it is (layers of motion, as of Wang & Adelson, "Representing moving
images with layers", 1994, with colours for the proof).
"""

from __future__ import annotations

import cv2
import numpy as np

from controls.masks.flowcut.moments import MARGIN, Run
from controls.masks.flowcut.region import Window, fit_similarity, flow_on, onto
from interp.flow.completion import complete_flow, fit_affine
from interp.types import Motion

__all__ = ["evidence"]

MANY = (1, 2, 3, 5, 8, MARGIN)  # frames before and after that are compared for a prompt ...
FEW = (3, 8)  # ... and from frame to frame
ALIKE = 8.0  # CIELAB units at which colours are half alike
SLIP = np.ones((3, 3), np.uint8)  # a story may be off by a pixel
ASIDE = 0.35  # of the object's width and height: how far round it each side is looked at
OTHER = 0.5  # pixels of motion from which something moves otherwise
LIMBS, PARTS = 0.6, 1.3  # share of the object's own motion by which parts of it may differ: followed, and first seen
MOVING = 0.1  # evidence from which something is said to move otherwise
OWN = 0.75  # share of its own story's failure that is held against an object at first


def evidence(
    run: Run, number: int, window: Window, allowed: np.ndarray, *, drift: np.ndarray | None = None
) -> np.ndarray:
    """float32 h x w of the window in [-1, 1]: above 0 where the object's motion, below where another explains the frames
    better; near 0 where both do, or nothing moves.

    ``number``: of the frame, in the run's shot; ``allowed``: bool h x w, where the object may be; ``drift``: how far it moves
    from one frame to the next (x, y), pixels of the window, where that is known: then fewer frames are looked at, and what
    moves in a third way is held to be something else, while without it that is held to be a part of the object.
    """
    if not allowed.any():
        return np.zeros(window.shape, np.float32)
    if window.grid[0] > run.grid[0]:
        small = _shrunk(window, run.grid)
        where = onto(allowed.astype(np.float32), window, small) > 0.5
        if not where.any():
            return np.zeros(window.shape, np.float32)
        less = None if drift is None else drift * (run.grid[0] / window.grid[0])
        return onto(evidence(run, number, small, where, drift=less), small, window)
    stories = []
    for there in (number + way * step for step in (MANY if drift is None else FEW) for way in (-1, 1)):
        if there in run:
            motion = run.motion(number, there)
            around = _round(window, allowed, motion, sides=drift is None)
            own = OWN if drift is None else 1.0
            stories.append(_Story(run, number, there, window, motion, around, own=own))
    if not stories:
        return np.zeros(window.shape, np.float32)
    count = np.full(window.shape, np.float32(1e-6))
    total = np.zeros(window.shape, np.float32)
    for story in stories:
        total += np.where(story.out, 0, story.around - story.itself)
        count += ~story.out
    moves = np.clip(total / count, 0, 1) * allowed
    limbs = LIMBS
    if drift is None:
        drift, limbs = _drift(stories, moves), PARTS
    if drift is not None:
        for story in stories:
            story.believe(drift, limbs)
    total = np.sum([story.verdict(moves) for story in stories], axis=0)
    return (total / count).astype(np.float32)


def _drift(stories: list[_Story], moves: np.ndarray) -> np.ndarray | None:
    """How far what moves otherwise moves from frame to frame (x, y), if that can be told."""
    if moves.max() < MOVING:
        return None
    told = [story.drift(moves > 0.5 * moves.max(), moves) for story in stories]
    steps = [step for step in told if step is not None]
    return np.median(steps, axis=0) if len(steps) >= 4 else None


def _shrunk(window: Window, grid: tuple[int, int]) -> Window:
    a, b = grid[0] / window.grid[0], grid[1] / window.grid[1]
    left, top = int(window.left * a), int(window.top * b)
    right, bottom = min(grid[0], int(np.ceil(window.right * a))), min(grid[1], int(np.ceil(window.bottom * b)))
    return Window(left, top, max(right, left + 1), max(bottom, top + 1), grid)


def _round(window: Window, allowed: np.ndarray, motion: Motion, *, sides: bool) -> list[np.ndarray]:
    """How what is round the object may move behind it, on the window: completed from all round, as most of the picture does,
    and as either side of it does. Whatever is behind an object, one of these is near it."""
    height, width = motion.flow.shape[:2]
    a, b = width / window.grid[0], height / window.grid[1]
    hidden = onto(allowed.astype(np.float32), window, Window(0, 0, width, height, (width, height)))
    trust = np.where(hidden > 0, np.float32(0), motion.confidence)
    found = [complete_flow(motion.flow, motion.confidence, hidden, np.zeros_like(hidden))]
    if float(trust.mean()) > 0.005:
        found.append(fit_affine(motion.flow, trust))
    if sides:
        y, x = np.nonzero(allowed)
        left, right = int((x.min() + window.left) * a), int(np.ceil((x.max() + 1 + window.left) * a))
        top, bottom = int((y.min() + window.top) * b), int(np.ceil((y.max() + 1 + window.top) * b))
        wide, high = max(8, int(ASIDE * (right - left))), max(8, int(ASIDE * (bottom - top)))
        up, low = slice(max(0, top - high), max(0, top - 2)), slice(bottom + 2, bottom + high)
        before, after = slice(max(0, left - wide), max(0, left - 2)), slice(right + 2, right + wide)
        across, down = slice(max(0, left - wide), right + wide), slice(max(0, top - high), bottom + high)
        for side in ((up, across), (low, across), (down, before), (down, after)):
            beside = np.zeros_like(trust)
            beside[side] = trust[side]
            if (beside > 0.1).sum() >= 60:
                found.append(fit_affine(motion.flow, beside))
    return [flow_on(flow, window) for flow in found]


class _Story:
    """What is told of one other frame."""

    def __init__(
        self, run: Run, number: int, there: int, window: Window, motion: Motion, rounds: list[np.ndarray], *, own: float
    ) -> None:
        self._window, self._rounds, self._steps, self._own = window, rounds, there - number, np.float32(own)
        self._here = run.small(number).lab(window.grid)[window.slices]
        self._there = run.small(there).lab(window.grid)
        self._flow, self._sure = flow_on(motion.flow, window), flow_on(motion.confidence, window)
        first, self.out = self._unlike(rounds[0])
        self.around = _least([first, *(self._unlike(flow)[0] for flow in rounds[1:])])
        """How unlike (0 to 1) the frames are along the surroundings' motion."""
        self.itself = self._own * self._unlike(self._flow)[0]
        """And along each place's own."""
        self._along: np.ndarray | None = None
        self._with = _least([_apart(self._flow, flow) for flow in rounds]) > OTHER

    def believe(self, drift: np.ndarray, limbs: float) -> None:
        """The object moves by ``drift`` a frame, its limbs otherwise by up to ``limbs`` times its motion against what is round
        it."""
        self._along = np.asarray(drift, np.float32) * self._steps
        own = _least([_apart(flow, self._along) for flow in self._rounds])
        self._with = _apart(self._flow, self._along) < 1 + np.float32(limbs) * own

    def drift(self, where: np.ndarray, moves: np.ndarray) -> np.ndarray | None:
        """How far the object moves from one frame to the next, as a rule in ``where``."""
        flow = self._as_a_whole(moves)
        return None if flow is None else np.median(flow[where], axis=0) / self._steps

    def verdict(self, moves: np.ndarray) -> np.ndarray:
        """Which story is better, float32 h x w. ``moves``: h x w in [0, 1], where something moves otherwise; the object's
        motion as a whole is read off there."""
        flow = self._as_a_whole(moves)
        if flow is None:
            return np.where(self.out, np.float32(0), np.maximum(self.around - self.itself, 0))
        whole, out = self._unlike(flow)
        whole *= self._own
        far = _least([_apart(flow, other) for other in self._rounds])
        if self._along is None:
            others = self.around
        else:
            others = np.where(self._with, self.around, np.minimum(self.around, self.itself))
            far = np.where(self._with, far, np.maximum(far, _apart(flow, self._flow)))
        own = np.where(self._with, np.minimum(whole, self.itself), whole)
        return np.where(self.out | out, np.float32(0), (others - own) * np.clip(far - OTHER, 0, 1))

    def _as_a_whole(self, moves: np.ndarray) -> np.ndarray | None:
        """The object's motion, float32 h x w x 2."""
        weight = moves * self._sure * self._with * ~self.out
        y, x = np.nonzero(weight > 0.02)
        if len(x) < 10:
            return None if self._along is None else np.broadcast_to(self._along, self._flow.shape)
        if len(x) > 3000:
            chosen = np.linspace(0, len(x) - 1, 3000).astype(np.intp)
            y, x = y[chosen], x[chosen]
        places = np.stack([x + self._window.left, y + self._window.top], -1)
        moved = fit_similarity(places, self._flow[y, x], weight[y, x]).astype(np.float32)
        x, y = self._window.places()
        return np.stack([
            moved[0, 0] * x + moved[0, 1] * y + moved[0, 2] - x, moved[1, 0] * x + moved[1, 1] * y + moved[1, 2] - y,
        ], -1)  # fmt: skip

    def _unlike(self, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """0 where the two frames agree along ``flow``, to a pixel, toward 1 where they do not; and where that leads out of the
        picture."""
        x, y = self._window.places()
        x, y = x + flow[:, :, 0], y + flow[:, :, 1]
        wide, tall = self._window.grid
        out = (x < 0) | (y < 0) | (x > wide - 1) | (y > tall - 1)
        moved = cv2.remap(self._there, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        off = np.maximum(cv2.erode(moved, SLIP) - self._here, self._here - cv2.dilate(moved, SLIP))
        off = np.maximum(off, 0)
        away = cv2.blur(np.einsum("ijk,ijk->ij", off, off), (3, 3)).reshape(off.shape[:2])
        return away / (away + np.float32(ALIKE**2)), out


def _apart(flow: np.ndarray, other: np.ndarray) -> np.ndarray:
    off = flow - other
    return np.sqrt(np.einsum("ijk,ijk->ij", off, off))


def _least(planes: list[np.ndarray]) -> np.ndarray:
    least = planes[0]
    for plane in planes[1:]:
        least = np.minimum(least, plane)
    return least
