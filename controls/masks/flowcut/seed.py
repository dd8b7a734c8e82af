"""From prompts on one frame to the object's first matte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from controls.masks.flowcut.colour_models import Colours
from controls.masks.flowcut.components import filled, hanging_together
from controls.masks.flowcut.min_cut import edge_weights, minimal_cut
from controls.masks.flowcut.moments import Moment
from controls.masks.flowcut.motion_segmentation import evidence
from controls.masks.flowcut.object_layer import SMOOTH, Layer
from controls.masks.flowcut.region import Scaled, Window, around, flow_on, working_grid
from controls.types import Box, Matte, Point, Prompt
from interp.pixels.sizes import size_within
from interp.types import Motion

__all__ = ["seed"]

FIRST = 256.0  # long side of the picture on which an object is first looked for round a point
ROUNDS = 8
MOVED = 4.0  # weight, in log odds, of what the frames near by tell
FOR, AGAINST = 0.12, -0.04  # evidence from which a place begins as the object's, or as another's ...
COLOUR = 0.5  # weight of the colour models' log odds
WEAK, STRONG, DOUBT = 0.08, 0.28, 0.8  # where much moves otherwise, what does not is so much less likely the object's
LEAKS, SEAMLESS = 0.1, 6.0  # share of a box's sides, and CIELAB units, from which a cut is said to leak
LEAST = 0.04  # ... if at least this share of the box has such evidence
DOT = 0.008  # radius of what a point marks, of the picture's long side


def seed(prompts: Sequence[Prompt], moment: Moment, carried: Layer | None = None) -> tuple[Window, np.ndarray]:
    """The object's window and matte (float32 h x w, nearly always 0 or 1).

    A matte is taken as it is; a box is a GrabCut (Rother, Kolmogorov & Blake 2004) helped by how things move;
    points grow a region of like colours and motion first. Where the object was ``carried`` to this frame, points only correct
    what was carried. Raises ``ValueError`` where nothing is found.
    """
    frame = moment.frame
    size = frame.size
    mattes = [prompt.values for prompt in prompts if isinstance(prompt, Matte)]
    boxes = [prompt for prompt in prompts if isinstance(prompt, Box)]
    points = [prompt for prompt in prompts if isinstance(prompt, Point)]
    if mattes:
        whole = np.max(mattes, axis=0)
        box = _extent(whole >= 0.5)
        window = _window(size, box)
        return window, _on(whole, window)
    if boxes:
        box = (
            max(0.0, min(one.left for one in boxes)), max(0.0, min(one.top for one in boxes)),
            min(size[0] - 1.0, max(one.right for one in boxes)), min(size[1] - 1.0, max(one.bottom for one in boxes)),
        )  # fmt: skip
        return _from_box(box, boxes, points, moment)
    if carried is not None and not carried.missing and carried.seen.any():
        return _corrected(carried, points, frame)
    rough = _grown(points, frame, moment.near)
    box = _extent(rough)
    window = _window(size, box)
    start = _on(rough.astype(np.float32), window)
    seen = _grab(moment, window, start, cv2.dilate(start, np.ones((9, 9), np.uint8)) > 0, points)
    return window, _checked(seen, points, window, frame.size)


def _window(size: tuple[int, int], box: tuple[float, float, float, float]) -> Window:
    grid = working_grid(size, box)
    small = _scaled(box, size, grid)
    return around(small, 12 + 0.3 * max(small[2] - small[0], small[3] - small[1]), grid)


def _from_box(
    box: tuple[float, float, float, float], boxes: Sequence[Box], points: Sequence[Point], moment: Moment
) -> tuple[Window, np.ndarray]:
    frame = moment.frame
    window = _window(frame.size, box)
    allowed, rim = np.zeros(window.shape, np.float32), np.full(window.shape, np.float32(2))
    x, y = window.places()
    for one in boxes:
        left, top, right, bottom = _scaled((one.left, one.top, one.right, one.bottom), frame.size, window.grid)
        allowed[(x >= left - 0.5) & (x <= right + 0.5) & (y >= top - 0.5) & (y <= bottom + 0.5)] = 1
        across = (2 * x - left - right) / max(1.0, right - left)
        down = (2 * y - top - bottom) / max(1.0, bottom - top)
        rim = np.minimum(rim, across**2 + down**2)  # 0 in the middle of a box, 1 on the ellipse in it, 2 in its corners
    if not allowed.any():
        raise ValueError("the box is smaller than a pixel; draw it round the object")
    seen = _grab(moment, window, allowed, allowed > 0, points, 0.5 - 0.75 * rim)
    return window, _checked(seen, points, window, frame.size)


def _grab(
    moment: Moment, window: Window, start: np.ndarray, allowed: np.ndarray, points: Sequence[Point],
    middle: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Colour models and cut, in turn. ``middle``: log odds by the place in a box to whose sides the object nearly reaches."""
    picture = moment.frame.lab(window.grid)[window.slices]
    ring = ~allowed
    if not ring.any():  # the box is the whole picture: its border is all that can be something else
        ring = np.ones_like(allowed)
        ring[2:-2, 2:-2] = False
    told = evidence(moment.run, moment.number, window, allowed)
    dots = _dots(points, window, moment.frame.size)
    box = _Box(picture, allowed, ring, dots, start > 0.5, told, middle)
    seen = box.cut(box.start & allowed, ring)  # all of it may be the object
    inside = allowed & (told > FOR)
    if inside.sum() > LEAST * allowed.sum():
        seen = max(box.cut(inside, ring | (told < AGAINST)), seen, key=box.worth)
    elif middle is not None and box.leak(seen) >= LEAKS:
        # what is behind it was taken in, too: begin with the colours that are not found round the box
        usualness = Colours(picture[ring], parts=12).log_likelihood(picture)
        rare, frequent = np.percentile(usualness[ring], (10, 40))
        inside = allowed & (usualness < rare)
        if inside.sum() >= 0.1 * allowed.sum():
            again = box.cut(inside, ring | (allowed & (usualness > frequent)))
            if box.leak(again) < 0.5 * box.leak(seen) and again.sum() > 0.02 * allowed.sum():
                seen = again
    return filled(hanging_together(seen, told), told)


@dataclass(frozen=True, eq=False)
class _Box:
    """A prompt's region, to be cut; all arrays are h x w."""

    picture: np.ndarray
    """CIELAB float32."""
    allowed: np.ndarray
    """bool: where the object may be."""
    ring: np.ndarray
    """bool: where it is not."""
    fixed: np.ndarray
    """What points say: 1, -1, or 0."""
    start: np.ndarray
    """bool: where it is if nothing else is known."""
    told: np.ndarray
    """Evidence by motion."""
    middle: np.ndarray | None
    """Log odds by the place, for boxes."""

    @property
    def much_moves(self) -> float:
        """0 where nothing moves otherwise than its surroundings, 1 where much does."""
        strength = np.percentile(np.maximum(self.told, 0)[self.allowed], 90)
        return float(np.clip((strength - WEAK) / (STRONG - WEAK), 0, 1))

    def cut(self, inside: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Colour models and cut, in turn, from a first guess of the object and of what it is not (bool)."""
        edges = edge_weights(self.picture)
        usual = np.float32(MOVED) * self.told - np.float32(DOUBT * self.much_moves)
        if self.middle is not None:
            usual = usual + self.middle
        seen, bias = inside.astype(np.float32), 0.0
        for number in range(ROUNDS):
            own, rest = Colours(self.picture[inside]), Colours(self.picture[others], parts=12)
            likely = np.clip(own.log_likelihood(self.picture) - rest.log_likelihood(self.picture), -5, 5)
            before, seen = seen, _cut(COLOUR * likely + usual + bias, self.ring, self.fixed, edges, seen)
            if self.middle is not None and _slack(seen, self.allowed) > 0.35 and bias < 3:
                bias += 0.5  # the box says how large the object is (Lempitsky et al. 2009)
            elif number > 1 and np.abs(before - seen).mean() < 1e-3:
                break
            inside = (seen > 0.5) & self.allowed
            if inside.sum() < 6:
                inside = self.start & self.allowed
            others = self.ring | (self.allowed & ~inside)
        return seen

    def leak(self, seen: np.ndarray) -> float:
        """Share of the box's sides at which the cut ends though the picture goes on without a step."""
        sides, border, seamless = self._borders(seen)
        return int((sides & border & seamless).sum()) / max(1, int(sides.sum()))

    def worth(self, seen: np.ndarray) -> float:
        """How good a cut is: its border lies on steps of the picture, and it parts what moves from what does not."""
        _, border, seamless = self._borders(seen)
        inside = (seen > 0.5) & self.allowed
        parted = np.where(inside, self.told, -self.told)[self.allowed].sum() / max(
            1e-6, np.abs(self.told[self.allowed]).sum()
        )
        weak = int((border & seamless).sum()) / max(1, int(border.sum()))
        return float(0.5 * self.much_moves * parted - weak - 2 * self.leak(seen)) if inside.any() else -np.inf

    def _borders(self, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Between each pixel and the next, rightward and downward: whether a side of the box is there, the cut's border, and
        no step in the picture; bool arrays of one dimension."""
        inside = (seen > 0.5) & self.allowed
        found = [
            (
                np.diff(self.allowed, axis=axis).ravel(),
                np.diff(inside, axis=axis).ravel(),
                (np.linalg.norm(np.diff(self.picture, axis=axis), axis=2) < SEAMLESS).ravel(),
            )
            for axis in (0, 1)
        ]
        sides, border, seamless = (np.concatenate(planes) for planes in zip(*found, strict=True))
        return sides, border, seamless


def _cut(claim: np.ndarray, ring: np.ndarray, fixed: np.ndarray, edges: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The cut, with what is outside of the box, and what points say, settled."""
    claim = np.where(ring & (fixed <= 0), -8, claim)
    claim = np.where(fixed != 0, 20 * fixed, claim).astype(np.float32)
    return minimal_cut(-claim, edges, start=start, smooth=2 * SMOOTH, rounds=120)


def _checked(seen: np.ndarray, points: Sequence[Point], window: Window, size: tuple[int, int]) -> np.ndarray:
    """Without islands far smaller than the object. Raises ``ValueError`` if nothing is left."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats((seen > 0.5).astype(np.uint8), connectivity=8)
    if count < 2 or facts[1:, cv2.CC_STAT_AREA].max() < 6:
        raise ValueError("nothing that differs from its surroundings is there; draw a box or a matte")
    areas = facts[1:, cv2.CC_STAT_AREA]
    keep = np.concatenate([[0.0], areas >= 0.02 * areas.max()]).astype(np.float32)
    fixed = _dots(points, window, size)
    for label in np.unique(labels[fixed > 0]):
        keep[label] = label > 0
    return seen * keep[labels]


def _corrected(carried: Layer, points: Sequence[Point], frame: Scaled) -> tuple[Window, np.ndarray]:
    """What was carried, with the points' surroundings of like colour added or taken away."""
    window = carried.window
    box = [float(edge) for edge in (window.left, window.top, window.right - 1, window.bottom - 1)]
    for point in points:
        px, py, *_ = _scaled((point.x, point.y, point.x, point.y), frame.size, window.grid)
        box = [min(box[0], px - 12), min(box[1], py - 12), max(box[2], px + 12), max(box[3], py + 12)]
    wider = around((box[0], box[1], box[2], box[3]), 0, window.grid)
    claim = np.full(wider.shape, np.float32(-2))
    rows = slice(window.top - wider.top, window.bottom - wider.top)
    columns = slice(window.left - wider.left, window.right - wider.left)
    claim[rows, columns] = np.where(carried.seen > 0.5, np.maximum(carried.claim, 1), np.minimum(carried.claim, -1))
    picture = frame.lab(window.grid)[wider.slices]
    x, y = wider.places()
    for point in points:
        px, py, *_ = _scaled((point.x, point.y, point.x, point.y), frame.size, window.grid)
        away = np.hypot(x - np.float32(px), y - np.float32(py))
        dot = away <= max(1.5, DOT * max(window.grid))
        unlike = np.linalg.norm(picture - np.median(picture[dot], axis=0), axis=2)
        pull_ = 6 * np.exp(-np.square(unlike / 12)) * np.exp(-np.square(away / (0.25 * max(wider.shape))))
        claim += (pull_ if point.positive else -pull_).astype(np.float32)
    fixed = _dots(points, wider, frame.size)
    claim = np.where(fixed != 0, 20 * fixed, claim).astype(np.float32)
    seen = minimal_cut(-claim, edge_weights(picture), start=np.clip(claim, 0, 1), smooth=SMOOTH, rounds=120)
    return wider, _checked(seen, points, wider, frame.size)


def _grown(points: Sequence[Point], frame: Scaled, motion: Motion | None) -> np.ndarray:
    """bool, on the whole picture: what is like the points in colour and motion and hangs together with one of them."""
    width, height = frame.size
    grid = size_within(width, height, FIRST)
    window = Window(0, 0, *grid, grid)
    picture = cv2.bilateralFilter(frame.lab(grid), 5, 8.0, 3.0)
    fixed = _dots(points, window, frame.size)
    unlike = np.full(window.shape, np.float32(1e3))
    flow = None if motion is None else flow_on(motion.flow, window)
    for point in points:
        if not point.positive:
            continue
        dot = _dots([point], window, frame.size) > 0
        near = np.linalg.norm(picture - np.median(picture[dot], axis=0), axis=2) / 14
        if flow is not None:
            near = near + np.minimum(np.linalg.norm(flow - np.median(flow[dot], axis=0), axis=2) / 1.0, 1)
        unlike = np.minimum(unlike, near)
    steps = [cv2.dilate(plane, np.ones((3, 3))) - cv2.erode(plane, np.ones((3, 3))) for plane in cv2.split(picture)]
    like = (unlike < 1.2) & (np.max(steps, axis=0) < 40) & (fixed >= 0)
    like |= fixed > 0
    _, labels = cv2.connectedComponents(like.astype(np.uint8), connectivity=4)
    grown = np.isin(labels, np.unique(labels[fixed > 0])) & like
    if grown.sum() > 0.6 * grown.size:
        raise ValueError("the point marks most of the picture; draw a box or a matte")
    if grown.sum() <= 1.2 * (fixed > 0).sum():
        raise ValueError("nothing grows from the point; put it on an even part of the object, or draw a box or a matte")
    return cv2.resize(grown.astype(np.float32), frame.size, interpolation=cv2.INTER_LINEAR) > 0.5


def _slack(seen: np.ndarray, allowed: np.ndarray) -> float:
    """How much narrower or lower than what is allowed the object is: 0 where it fills it."""
    if not (seen > 0.5).any():
        return 1.0
    a, b = _extent(seen > 0.5), _extent(allowed)
    return 1 - min((a[2] - a[0]) / max(1.0, b[2] - b[0]), (a[3] - a[1]) / max(1.0, b[3] - b[1]))


def _dots(points: Sequence[Point], window: Window, size: tuple[int, int]) -> np.ndarray:
    """float32 h x w: 1 at positive points, -1 at negative ones, a small disc each, else 0. ``size``: the picture's."""
    dots = np.zeros(window.shape, np.float32)
    x, y = window.places()
    radius = max(1.5, DOT * max(window.grid))
    for point in points:
        px, py, *_ = _scaled((point.x, point.y, point.x, point.y), size, window.grid)
        dots[np.hypot(x - px, y - py) <= radius] = 1 if point.positive else -1
    return dots


def _scaled(
    box: tuple[float, float, float, float], size: tuple[int, int], grid: tuple[int, int]
) -> tuple[float, float, float, float]:
    a, b = grid[0] / size[0], grid[1] / size[1]
    left, right = ((edge + 0.5) * a - 0.5 for edge in (box[0], box[2]))
    top, bottom = ((edge + 0.5) * b - 0.5 for edge in (box[1], box[3]))
    return left, top, right, bottom


def _extent(inside: np.ndarray) -> tuple[float, float, float, float]:
    y, x = np.nonzero(inside)
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _on(whole: np.ndarray, window: Window) -> np.ndarray:
    """A matte of the picture's size on the window's pixels."""
    if whole.shape[::-1] != window.grid:
        whole = cv2.resize(whole, window.grid, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(whole[window.slices])
