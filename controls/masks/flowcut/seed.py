"""From prompts on one frame to the object's first matte."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from controls.masks.flowcut.box_cut import BoxCut, extent_of
from controls.masks.flowcut.components import keep_marks
from controls.masks.flowcut.frame_walk import FrameContext
from controls.masks.flowcut.min_cut import edge_weights, minimal_cut
from controls.masks.flowcut.motion_segmentation import motion_evidence
from controls.masks.flowcut.params import Params
from controls.masks.flowcut.point_marks import PointMarks, scaled
from controls.masks.flowcut.region import Region, region_around, resample, sample_flow, working_grid
from controls.masks.flowcut.tracked_object import Seed, TrackedObject
from controls.types import Box, Matte, Point, Prompt
from interp.pixels.sizes import size_within

__all__ = ["seed"]

Edges = tuple[float, float, float, float]


def seed(
    prompts: Sequence[Prompt], context: FrameContext, params: Params, tracked: TrackedObject | None = None
) -> Seed | None:
    """The object's region and matte (float32 h x w, nearly always 0 or 1); ``None`` where nothing is to be changed: places that
    the object is not at, where it is not seen.

    A matte is taken as it is; a box is cut out (``box_cut``); points grow a region of like colours and motion first. Where the
    object was carried to this frame (``tracked``), points only correct it. Points always hold: what is like them and connected
    with them goes in, or out. Raises ``ValueError`` where nothing is found.
    """
    mattes = [prompt.values for prompt in prompts if isinstance(prompt, Matte)]
    boxes = [prompt for prompt in prompts if isinstance(prompt, Box)]
    points = [prompt for prompt in prompts if isinstance(prompt, Point)]
    return _Seeding(context, points, params).from_prompts(mattes, boxes, tracked)


class _Seeding:
    """The prompts of one object on one frame."""

    def __init__(self, context: FrameContext, points: Sequence[Point], params: Params) -> None:
        self._context, self._points, self._params = context, points, params
        self._frame, self._size = context.frame, context.frame.size
        self._marks = PointMarks(points, self._size, params.seed)

    def from_prompts(
        self, mattes: Sequence[np.ndarray], boxes: Sequence[Box], tracked: TrackedObject | None
    ) -> Seed | None:
        """Make the region and matte from the strongest kind of prompt that there is."""
        if mattes:
            whole = np.max(mattes, axis=0)
            region = self._marks.widened(self._region(extent_of(whole >= 0.5)), positive=True)
            return Seed(region, self._as_marked(_on_region(whole, region), region))
        if boxes:
            return self._from_boxes(boxes)
        if tracked is not None and not tracked.frames_missing and tracked.visible.any():
            return self._corrected(tracked)
        if not self._marks.any_positive:
            return None
        rough = self._grown()
        region = self._region(extent_of(rough))
        start = _on_region(rough.astype(np.float32), region)
        allowed = cv2.dilate(start, np.ones((9, 9), np.uint8)) > 0
        return Seed(region, self._cut(region, start, allowed, None))

    def _as_marked(self, matte: np.ndarray, region: Region) -> np.ndarray:
        """A matte on the region as the points say."""
        discs = self._marks.discs(region)
        if not discs.any():
            return matte
        return keep_marks(matte, matte, discs, self._marks.patches(region, self._lab(region)))

    def _lab(self, region: Region) -> np.ndarray:
        """The picture on the region, CIELAB."""
        return self._frame.lab(region.grid)[region.slices]

    def _region(self, box: Edges) -> Region:
        """The region in which an object that fills ``box``, in pixels of the picture, is cut out."""
        grid = working_grid(self._size, box, self._params.working_side)
        small = scaled(box, self._size, grid)
        return region_around(small, 12 + 0.3 * max(small[2] - small[0], small[3] - small[1]), grid)

    def _from_boxes(self, boxes: Sequence[Box]) -> Seed:
        width, height = self._size
        left, top = max(0.0, min(box.left for box in boxes)), max(0.0, min(box.top for box in boxes))
        right = min(width - 1.0, max(box.right for box in boxes))
        bottom = min(height - 1.0, max(box.bottom for box in boxes))
        region = self._marks.widened(self._region((left, top, right, bottom)), positive=True)
        allowed, rim = np.zeros(region.shape, np.float32), np.full(region.shape, np.float32(2))
        x, y = region.coordinates()
        for box in boxes:
            left, top, right, bottom = scaled((box.left, box.top, box.right, box.bottom), self._size, region.grid)
            allowed[(x >= left - 0.5) & (x <= right + 0.5) & (y >= top - 0.5) & (y <= bottom + 0.5)] = 1
            across = (2 * x - left - right) / max(1.0, right - left)
            down = (2 * y - top - bottom) / max(1.0, bottom - top)
            # 0 in the middle of a box, 1 on the ellipse in it, 2 in its corners
            rim = np.minimum(rim, across**2 + down**2)
        if not allowed.any():
            raise ValueError("the box is smaller than a pixel; draw it round the object")
        return Seed(region, self._cut(region, allowed, allowed > 0, 0.5 - 0.75 * rim))

    def _cut(self, region: Region, start: np.ndarray, allowed: np.ndarray, position: np.ndarray | None) -> np.ndarray:
        """The object's matte, cut out of where it is allowed (``BoxCut``). Raises ``ValueError`` if nothing is left."""
        context, params, picture = self._context, self._params, self._lab(region)
        discs, patches = self._marks.discs(region), self._marks.patches(region, picture)
        allowed = (allowed & ~(discs < 0)) | (discs > 0)
        cut = BoxCut(
            picture=picture,
            allowed=allowed,
            start=start > 0.5,
            marks=discs,
            patches=np.where(allowed, patches, np.minimum(patches, 0)),
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
        for label in np.unique(labels[self._marks.discs(region) > 0]):
            keep[label] = label > 0
        return matte * keep[labels]

    def _corrected(self, tracked: TrackedObject) -> Seed:
        """Carried region, with the points' surroundings of like colour added or taken away."""
        region = tracked.region
        wider = self._marks.widened(region)
        carried = resample(tracked.log_odds, region, wider, outside=-2)
        visible = resample(tracked.visible, region, wider)
        log_odds = np.where(visible > 0.5, np.maximum(carried, 1), np.minimum(carried, -1))
        picture = self._lab(wider)
        x, y = wider.coordinates()
        for point in self._points:
            px, py = self._marks.position(point, region.grid)
            distance = np.hypot(x - np.float32(px), y - np.float32(py))
            disc = self._marks.discs(wider, point) != 0
            unlike = np.linalg.norm(picture - np.median(picture[disc], axis=0), axis=2)
            pull = 6 * np.exp(-np.square(unlike / 12)) * np.exp(-np.square(distance / (0.25 * max(wider.shape))))
            log_odds += (pull if point.positive else -pull).astype(np.float32)
        discs, patches = self._marks.discs(wider), self._marks.patches(wider, picture)
        log_odds = log_odds + np.float32(self._params.seed.patch_odds) * patches
        log_odds = np.where(discs != 0, 20 * discs, log_odds).astype(np.float32)
        cut = self._params.cut
        matte = minimal_cut(
            -log_odds,
            edge_weights(picture),
            start=np.clip(log_odds, 0, 1),
            smooth=cut.smoothness,
            rounds=cut.prompt_rounds,
        )
        matte = self._checked(keep_marks(matte, matte, discs, patches), wider)
        return Seed(wider, matte, ((matte > 0.5) != (visible > 0.5)).astype(np.float32))

    def _grown(self) -> np.ndarray:
        """bool, on the whole picture: what is like the points in colour and motion and is connected with one of them."""
        width, height = self._size
        grid = size_within(width, height, self._params.seed.first_side)
        region = Region(0, 0, *grid, grid)
        picture = cv2.bilateralFilter(self._frame.lab(grid), 5, 8.0, 3.0)
        marks = self._marks.discs(region)
        unlike = np.full(region.shape, np.float32(1e3))
        motion = self._context.motion_nearby
        flow = None if motion is None else sample_flow(motion.flow, region)
        for point in self._points:
            if not point.positive:
                continue
            disc = self._marks.discs(region, point) > 0
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
        if grown.sum() <= 1.2 * (marks > 0).sum():  # an uneven place: what hangs together there is a beginning
            grown = self._marks.patches(region, picture) > 0
        return cv2.resize(grown.astype(np.float32), self._size, interpolation=cv2.INTER_LINEAR) > 0.5


def _on_region(whole: np.ndarray, region: Region) -> np.ndarray:
    """A matte of the picture's size on the region's pixels."""
    if whole.shape[::-1] != region.grid:
        whole = cv2.resize(whole, region.grid, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(whole[region.slices])
