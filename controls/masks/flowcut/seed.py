"""From prompts on one frame to the object's first matte."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from controls.masks.flowcut.box_cut import BoxCut, extent_of
from controls.masks.flowcut.frame_walk import FrameContext
from controls.masks.flowcut.min_cut import edge_weights, minimal_cut
from controls.masks.flowcut.motion_segmentation import motion_evidence
from controls.masks.flowcut.params import Params
from controls.masks.flowcut.region import Region, region_around, sample_flow, working_grid
from controls.masks.flowcut.tracked_object import TrackedObject
from controls.types import Box, Matte, Point, Prompt
from interp.pixels.sizes import size_within

__all__ = ["seed"]

Edges = tuple[float, float, float, float]


def seed(
    prompts: Sequence[Prompt], context: FrameContext, params: Params, tracked: TrackedObject | None = None
) -> tuple[Region, np.ndarray]:
    """The object's region and matte (float32 h x w, nearly always 0 or 1).

    A matte is taken as it is; a box is cut out (``box_cut``); points grow a region of like colours and motion first. Where the
    object was carried to this frame (``tracked``), points only correct it. Raises ``ValueError`` where nothing is found.
    """
    mattes = [prompt.values for prompt in prompts if isinstance(prompt, Matte)]
    boxes = [prompt for prompt in prompts if isinstance(prompt, Box)]
    points = [prompt for prompt in prompts if isinstance(prompt, Point)]
    return _Seed(context, points, params).from_prompts(mattes, boxes, tracked)


class _Seed:
    """The prompts of one object on one frame."""

    def __init__(self, context: FrameContext, points: Sequence[Point], params: Params) -> None:
        self._context, self._points, self._params = context, points, params
        self._frame, self._size = context.frame, context.frame.size

    def from_prompts(
        self, mattes: Sequence[np.ndarray], boxes: Sequence[Box], tracked: TrackedObject | None
    ) -> tuple[Region, np.ndarray]:
        """Make the region and matte from the strongest kind of prompt that there is."""
        if mattes:
            whole = np.max(mattes, axis=0)
            region = self._region(extent_of(whole >= 0.5))
            return region, _on_region(whole, region)
        if boxes:
            return self._from_boxes(boxes)
        if tracked is not None and not tracked.frames_missing and tracked.visible.any():
            return self._corrected(tracked)
        rough = self._grown()
        region = self._region(extent_of(rough))
        start = _on_region(rough.astype(np.float32), region)
        allowed = cv2.dilate(start, np.ones((9, 9), np.uint8)) > 0
        return region, self._cut(region, start, allowed, None)

    def _region(self, box: Edges) -> Region:
        """The region in which an object that fills ``box``, in pixels of the picture, is cut out."""
        grid = working_grid(self._size, box, self._params.working_side)
        small = self._scaled(box, grid)
        return region_around(small, 12 + 0.3 * max(small[2] - small[0], small[3] - small[1]), grid)

    def _from_boxes(self, boxes: Sequence[Box]) -> tuple[Region, np.ndarray]:
        width, height = self._size
        left, top = max(0.0, min(box.left for box in boxes)), max(0.0, min(box.top for box in boxes))
        right = min(width - 1.0, max(box.right for box in boxes))
        bottom = min(height - 1.0, max(box.bottom for box in boxes))
        region = self._region((left, top, right, bottom))
        allowed, rim = np.zeros(region.shape, np.float32), np.full(region.shape, np.float32(2))
        x, y = region.coordinates()
        for box in boxes:
            left, top, right, bottom = self._scaled((box.left, box.top, box.right, box.bottom), region.grid)
            allowed[(x >= left - 0.5) & (x <= right + 0.5) & (y >= top - 0.5) & (y <= bottom + 0.5)] = 1
            across = (2 * x - left - right) / max(1.0, right - left)
            down = (2 * y - top - bottom) / max(1.0, bottom - top)
            # 0 in the middle of a box, 1 on the ellipse in it, 2 in its corners
            rim = np.minimum(rim, across**2 + down**2)
        if not allowed.any():
            raise ValueError("the box is smaller than a pixel; draw it round the object")
        return region, self._cut(region, allowed, allowed > 0, 0.5 - 0.75 * rim)

    def _cut(self, region: Region, start: np.ndarray, allowed: np.ndarray, position: np.ndarray | None) -> np.ndarray:
        """The object's matte, cut out of where it is allowed (``BoxCut``). Raises ``ValueError`` if nothing is left."""
        context, params = self._context, self._params
        cut = BoxCut(
            picture=self._frame.lab(region.grid)[region.slices],
            allowed=allowed,
            start=start > 0.5,
            marks=self._marks(self._points, region),
            evidence=motion_evidence(context.run, context.number, region, allowed, params.motion),
            position=position,
            params=params,
        )
        return self._checked(cut.matte(), region)

    def _checked(self, matte: np.ndarray, region: Region) -> np.ndarray:
        """Drop components far smaller than the object. Raises ``ValueError`` if nothing is left."""
        count, labels, facts, _ = cv2.connectedComponentsWithStats((matte > 0.5).astype(np.uint8), connectivity=8)
        if count < 2 or facts[1:, cv2.CC_STAT_AREA].max() < 6:
            raise ValueError("nothing that differs from its surroundings is there; draw a box or a matte")
        areas = facts[1:, cv2.CC_STAT_AREA]
        keep = np.concatenate([[0.0], areas >= 0.02 * areas.max()]).astype(np.float32)
        for label in np.unique(labels[self._marks(self._points, region) > 0]):
            keep[label] = label > 0
        return matte * keep[labels]

    def _corrected(self, tracked: TrackedObject) -> tuple[Region, np.ndarray]:
        """Carried region, with the points' surroundings of like colour added or taken away."""
        region = tracked.region
        box = [float(edge) for edge in (region.left, region.top, region.right - 1, region.bottom - 1)]
        for point in self._points:
            px, py = self._position(point, region.grid)
            box = [min(box[0], px - 12), min(box[1], py - 12), max(box[2], px + 12), max(box[3], py + 12)]
        wider = region_around((box[0], box[1], box[2], box[3]), 0, region.grid)
        log_odds = np.full(wider.shape, np.float32(-2))
        rows = slice(region.top - wider.top, region.bottom - wider.top)
        columns = slice(region.left - wider.left, region.right - wider.left)
        carried = tracked.log_odds
        log_odds[rows, columns] = np.where(tracked.visible > 0.5, np.maximum(carried, 1), np.minimum(carried, -1))
        picture = self._frame.lab(region.grid)[wider.slices]
        x, y = wider.coordinates()
        for point in self._points:
            px, py = self._position(point, region.grid)
            distance = np.hypot(x - np.float32(px), y - np.float32(py))
            disc = distance <= self._point_radius(region.grid)
            unlike = np.linalg.norm(picture - np.median(picture[disc], axis=0), axis=2)
            pull = 6 * np.exp(-np.square(unlike / 12)) * np.exp(-np.square(distance / (0.25 * max(wider.shape))))
            log_odds += (pull if point.positive else -pull).astype(np.float32)
        marks = self._marks(self._points, wider)
        log_odds = np.where(marks != 0, 20 * marks, log_odds).astype(np.float32)
        cut = self._params.cut
        matte = minimal_cut(
            -log_odds,
            edge_weights(picture),
            start=np.clip(log_odds, 0, 1),
            smooth=cut.smoothness,
            rounds=cut.prompt_rounds,
        )
        return wider, self._checked(matte, wider)

    def _grown(self) -> np.ndarray:
        """bool, on the whole picture: what is like the points in colour and motion and is connected with one of them."""
        width, height = self._size
        grid = size_within(width, height, self._params.seed.first_side)
        region = Region(0, 0, *grid, grid)
        picture = cv2.bilateralFilter(self._frame.lab(grid), 5, 8.0, 3.0)
        marks = self._marks(self._points, region)
        unlike = np.full(region.shape, np.float32(1e3))
        motion = self._context.motion_nearby
        flow = None if motion is None else sample_flow(motion.flow, region)
        for point in self._points:
            if not point.positive:
                continue
            disc = self._marks([point], region) > 0
            difference = np.linalg.norm(picture - np.median(picture[disc], axis=0), axis=2) / 14
            if flow is not None:
                otherwise = np.linalg.norm(flow - np.median(flow[disc], axis=0), axis=2)
                difference = difference + np.minimum(otherwise / 1.0, 1)
            unlike = np.minimum(unlike, difference)
        square = np.ones((3, 3))
        steps = [cv2.dilate(plane, square) - cv2.erode(plane, square) for plane in cv2.split(picture)]
        like = (unlike < 1.2) & (np.max(steps, axis=0) < 40) & (marks >= 0)
        like |= marks > 0
        _, labels = cv2.connectedComponents(like.astype(np.uint8), connectivity=4)
        grown = np.isin(labels, np.unique(labels[marks > 0])) & like
        if grown.sum() > 0.6 * grown.size:
            raise ValueError("the point marks most of the picture; draw a box or a matte")
        if grown.sum() <= 1.2 * (marks > 0).sum():
            raise ValueError(
                "nothing grows from the point; put it on an even part of the object, or draw a box or a matte"
            )
        return cv2.resize(grown.astype(np.float32), self._size, interpolation=cv2.INTER_LINEAR) > 0.5

    def _marks(self, points: Sequence[Point], region: Region) -> np.ndarray:
        """float32 h x w: 1 at positive points, -1 at negative ones, a small disc each, else 0."""
        marks = np.zeros(region.shape, np.float32)
        x, y = region.coordinates()
        for point in points:
            px, py = self._position(point, region.grid)
            marks[np.hypot(x - px, y - py) <= self._point_radius(region.grid)] = 1 if point.positive else -1
        return marks

    def _point_radius(self, grid: tuple[int, int]) -> float:
        return max(1.5, self._params.seed.point_radius * max(grid))

    def _position(self, point: Point, grid: tuple[int, int]) -> tuple[float, float]:
        """x and y of a point on a grid."""
        x, y, *_ = self._scaled((point.x, point.y, point.x, point.y), grid)
        return x, y

    def _scaled(self, box: Edges, grid: tuple[int, int]) -> Edges:
        """A box of the picture on a grid."""
        a, b = grid[0] / self._size[0], grid[1] / self._size[1]
        left, right = ((edge + 0.5) * a - 0.5 for edge in (box[0], box[2]))
        top, bottom = ((edge + 0.5) * b - 0.5 for edge in (box[1], box[3]))
        return left, top, right, bottom


def _on_region(whole: np.ndarray, region: Region) -> np.ndarray:
    """A matte of the picture's size on the region's pixels."""
    if whole.shape[::-1] != region.grid:
        whole = cv2.resize(whole, region.grid, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(whole[region.slices])
