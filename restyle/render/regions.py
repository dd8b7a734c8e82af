"""Regions of in-betweens that lost their structure, painted anew.

Groups of lost blocks (``lost_blocks``) are painted by the painter itself, in the look of the nearest keyframe, their colours
brought to those round them, and blended in along a soft edge. What was painted in one frame is carried along the footage's
motion to the frames beside it, for as long as it serves the same loss there: neighbours share one painting, which is steadier,
and cheaper, than one each. Where there is more than time allows, what mends most for its price comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from interp.pixels.boxes import Box, grown, part_of
from interp.pixels.depth import from_unit, to_unit
from interp.structure import block_means
from interp.types import Motion, Tracker
from interp.warp import blend, resize_confidence, resize_flow, warp
from restyle.render.lost_blocks import Finder, InBetween

__all__ = ["MARGIN", "RegionRepair", "RegionRules"]

CHEAP = 1 << 16  # pixels a frame that may be painted however small it is
MARGIN = 16  # pixels that are painted round a region, and thrown away
DEARER = (
    1.0,
    1.5,
    2.0,
    3.0,
)  # times the loss that counts: where all that lies together costs too much, its worst is painted
WHOLE = 0.8  # of the frame's area, from which all of it is painted at once
REACH = 4  # frames over which a painted region is carried on
SERVES = 0.4  # usable share of a block (see ``Motion.usable``) from which what is carried there is tried
BETTER = 0.03  # of agreement that it has to give back
FINE = 8  # values to a block's side, in which soft edges are drawn
MARKS = 8.0  # pixels over which colours are averaged before they are compared: brush marks do not count
MOST_SHIFT = 0.15  # of 1: colours that differ by more are another thing's

PaintRegion = Callable[[np.ndarray, Box, np.ndarray], np.ndarray]
"""(the footage's picture, box, the footage's picture of a keyframe) -> the painting inside the box."""


@dataclass(frozen=True)
class RegionRules:
    """Limits of what is painted anew between keyframes (``render.regions``)."""

    loss: float = 0.2
    """Of its agreement with the footage's edges, from which a block is painted anew."""
    budget: float = 0.3
    """Share of a frame's area, the mean over the frames between two keyframes, that is painted at most."""


@dataclass(frozen=True)
class _Group:
    """Lost blocks of one frame that lie together."""

    blocks: np.ndarray
    """bool rows x columns."""
    box: Box
    """Pixels that may change."""
    cost: int
    """Pixels that the painter has to see."""


class RegionRepair:
    """Finds and repairs what the in-betweens of one stretch lost.

    ``ends``: number within the tracker's run -> (the footage's picture, its painting) of the keyframes at the stretch's ends.
    """

    def __init__(
        self,
        paint: PaintRegion,
        tracker: Tracker,
        ends: Mapping[int, tuple[np.ndarray, np.ndarray]],
        rules: RegionRules,
    ) -> None:
        self._paint = paint
        self._rules = rules
        self._tracker = tracker
        self._finder = Finder(tracker, ends)
        self._keyframes = {position: picture for position, (picture, _) in ends.items()}

    def __call__(self, frames: Mapping[int, tuple[np.ndarray, np.ndarray]]) -> dict[int, np.ndarray]:
        """Give those in-betweens that were repaired, by their number within the run.

        ``frames``: number -> (the footage's picture, the in-between of it), of one size and dtype.
        """
        stretch = {position: self._finder.look(position, *pair) for position, pair in frames.items()}
        budget = sum(max(self._rules.budget * _area(each.source), CHEAP) for each in stretch.values())
        while (found := self._most_worth(stretch, budget)) is not None:
            frame, groups = found
            budget -= sum(group.cost for group in groups)
            painted = self._painted(frame, groups)
            for step in (-1, 1):
                self._carry(stretch, frame, painted, step)
        return {position: each.picture for position, each in stretch.items() if each.picture is not frames[position][1]}

    def _most_worth(self, stretch: Mapping[int, InBetween], budget: float) -> tuple[InBetween, list[_Group]] | None:
        """The frame, and its groups of lost blocks, whose painting mends most for its price, here and in the frames beside it,
        within ``budget`` pixels; ``None`` where there is none."""
        best: tuple[InBetween, list[_Group]] | None = None
        most = 0.0
        for position, frame in stretch.items():
            worth = np.zeros_like(frame.loss)
            for away in range(-REACH, REACH + 1):
                if (beside := stretch.get(position + away)) is not None:
                    share = np.float32(1 - abs(away) / (REACH + 1))
                    worth += np.where(beside.loss > self._rules.loss, beside.loss * share, np.float32(0))
            for times in DEARER:
                if groups := _affordable(_groups(frame, times * self._rules.loss), worth, budget):
                    break
            if groups:
                value = sum(float(worth[group.blocks].sum()) for group in groups) / sum(group.cost for group in groups)
                if value > most:
                    best, most = (frame, groups), value
        return best

    def _painted(self, frame: InBetween, groups: list[_Group]) -> np.ndarray:
        """Paint groups of lost blocks; give their soft mask, float32, ``FINE`` values to a block's side."""
        height, width = frame.source.shape[:2]
        keyframe = self._keyframes[min(self._keyframes, key=lambda position: abs(position - frame.position))]
        blocks = np.any([group.blocks for group in groups], axis=0)
        boxes = [group.box for group in groups]
        if sum(group.cost for group in groups) > WHOLE * width * height:
            boxes = [(0, 0, width, height)]
        soft = _soft(blocks)
        mask = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
        picture = frame.picture.copy()
        for box in boxes:
            part = part_of(box)
            picture[part] = _blended(picture[part], self._paint(frame.source, box, keyframe), mask[part])
        frame.take(picture, blocks, frame.ceiling)  # a painting is what a look allows
        return soft

    def _carry(self, stretch: Mapping[int, InBetween], painted: InBetween, soft: np.ndarray, step: int) -> None:
        """Carry what was painted (``soft``: where) to the frames before or after, for as long as it mends something there."""
        for position in range(painted.position + step, painted.position + step * (REACH + 1), step):
            frame = stretch.get(position)
            if frame is None or not (frame.loss > self._rules.loss).any():
                return
            motion = self._tracker.motion(position, painted.position)
            there = warp(soft, resize_flow(motion.flow, soft.shape[1], soft.shape[0]))
            lost = (frame.loss > self._rules.loss) & _serves(motion, there, frame.loss.shape)
            if not lost.any():
                return
            moved = warp(painted.picture, motion.flow, interpolation="cubic")
            follows = frame.follows(moved)
            better = lost & (follows - (frame.ceiling - frame.loss) > BETTER)
            if not better.any():
                return
            height, width = frame.source.shape[:2]
            share = resize_confidence(_soft(better) * there, width, height)
            frame.take(blend(moved, frame.picture, share), better, follows)


def _serves(motion: Motion, soft: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
    """Blocks that were painted in the other frame and can be carried from there: bool rows x columns."""
    return (block_means(soft, grid) > 0.5) & (block_means(motion.usable, grid) > SERVES)


def _groups(frame: InBetween, least: float) -> list[_Group]:
    """Lost blocks in groups, each with a border of one block over which it fades out; groups do not overlap."""
    height, width = frame.source.shape[:2]
    lost = frame.loss > least
    rows, columns = lost.shape
    near = cv2.dilate(lost.astype(np.uint8), np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    groups = []
    for label in range(1, count):
        left, top, across, down = stats[label, :4].tolist()
        box = (
            left * width // columns,
            top * height // rows,
            -(-(left + across) * width // columns),
            -(-(top + down) * height // rows),
        )
        seen = grown(box, MARGIN, width, height)
        groups.append(_Group(lost & (labels == label), box, (seen[2] - seen[0]) * (seen[3] - seen[1])))
    return groups


def _affordable(groups: Iterable[_Group], worth: np.ndarray, budget: float) -> list[_Group]:
    """Those groups that ``budget`` pixels pay for, the most worth for its price first."""
    chosen = []
    for group in sorted(groups, key=lambda group: (-float(worth[group.blocks].sum()) / group.cost, group.box)):
        if group.cost <= budget:
            budget -= group.cost
            chosen.append(group)
    return chosen


def _soft(blocks: np.ndarray) -> np.ndarray:
    """Blocks as a mask with soft edges: float32, ``FINE`` values to a block's side."""
    size = (blocks.shape[1] * FINE, blocks.shape[0] * FINE)
    fine = cv2.resize(blocks.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    return cv2.GaussianBlur(fine, (0, 0), FINE / 4)


def _area(picture: np.ndarray) -> int:
    return int(picture.shape[0] * picture.shape[1])


def _blended(picture: np.ndarray, painting: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The picture with the painting laid over it, its colours brought to those that the mask leaves alone."""
    below, above = to_unit(picture), to_unit(painting)
    ring = np.clip(1 - 2 * mask, 0, 1) + np.float32(1e-3)
    away = cv2.GaussianBlur(below - above, (0, 0), MARKS)
    shift = np.array([np.average(away[..., channel], weights=ring) for channel in range(3)], np.float32)
    above = above + np.clip(shift, -MOST_SHIFT, MOST_SHIFT)
    above -= below
    above *= mask[:, :, None]
    above += below
    return from_unit(above, picture.dtype)
