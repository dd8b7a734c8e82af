"""Regions of in-betweens that lost their structure, painted anew.

A propagated painting is right where the footage's motion explains it. Where it does not (a hand that turns, what comes out from
behind something), it smears. The frame itself tells: block by block, how well the in-between's edges follow the footage's,
against how well the paintings beside it follow them along the motion (``interp.structure``). Groups of blocks that fall behind
are painted by the painter itself, in the look of the nearest keyframe, their colours brought to those round them, and blended
in along a soft edge. Where there are more than time allows, those that lost most come first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from interp.pixels.boxes import Box, grown, part_of
from interp.pixels.depth import from_unit, to_unit
from interp.structure import LEAST_EDGES, Bands, agreement, block_means, edges_of, gradients_of
from interp.types import Tracker
from interp.warp import warp

__all__ = ["RegionRepair"]

LOSS = 0.1  # of agreement, from which a block is painted anew
BUDGET = 0.35  # of a frame's area, the mean over a stretch's in-betweens, that is painted at most
CHEAP = 1 << 16  # pixels a frame that may be painted however small it is
MARGIN = 64  # pixels that a painter looks at round a region, about
WHOLE = 0.8  # of the frame's area, from which all of it is painted at once
CERTAIN = 0.1  # confidence of the motion from which the paintings beside it say what a block allows
FINE = 8  # values to a block's side, in which soft edges are drawn
MARKS = 8.0  # pixels over which colours are averaged before they are compared: brush marks do not count
MOST_SHIFT = 0.15  # of 1: colours that differ by more are another thing's

PaintRegion = Callable[[np.ndarray, Box, np.ndarray], np.ndarray]
"""(the footage's picture, box, the footage's picture of a keyframe) -> the painting inside the box."""


@dataclass(frozen=True)
class _End:
    """A painted keyframe beside the in-betweens."""

    position: int
    """Number within the tracker's run."""
    picture: np.ndarray
    gradients: np.ndarray
    painted_gradients: np.ndarray
    bands: Bands


@dataclass(frozen=True)
class _Group:
    """Lost blocks of one frame that lie together."""

    position: int
    blocks: np.ndarray
    """bool rows x columns."""
    box: Box
    """Pixels that may change."""
    loss: float
    """Sum over its blocks."""
    cost: int
    """Pixels that the painter has to see."""


class RegionRepair:
    """Finds and repairs what the in-betweens of one stretch lost.

    ``ends``: number within the tracker's run -> (the footage's picture, its painting) of the keyframes at the stretch's ends.
    """

    def __init__(self, paint: PaintRegion, tracker: Tracker, ends: Mapping[int, tuple[np.ndarray, np.ndarray]]) -> None:
        self._paint = paint
        self._tracker = tracker
        self._ends = [end for position, each in ends.items() if (end := _end(position, *each)) is not None]

    def __call__(self, frames: Mapping[int, tuple[np.ndarray, np.ndarray]]) -> dict[int, np.ndarray]:
        """Give those in-betweens that were repaired, by their number within the run.

        ``frames``: number -> (the footage's picture, the in-between of it), of one size and dtype.
        """
        if not self._ends or not frames:
            return {}
        groups = [group for position, pair in frames.items() for group in self._lost(position, *pair)]
        chosen: dict[int, list[_Group]] = {}
        picture = next(iter(frames.values()))[0]
        left = len(frames) * max(BUDGET * picture.shape[0] * picture.shape[1], CHEAP)
        for group in sorted(groups, key=lambda group: (-group.loss / group.cost, group.position, group.box)):
            if group.cost <= left:
                left -= group.cost
                chosen.setdefault(group.position, []).append(group)
        return {position: self._repaired(*frames[position], chosen[position]) for position in sorted(chosen)}

    def _lost(self, position: int, source: np.ndarray, picture: np.ndarray) -> list[_Group]:
        gradients = _gradients(source)
        edges = edges_of(gradients)
        loss = self._ceiling(edges, position) - agreement(gradients, _gradients(picture))
        lost = (edges > LEAST_EDGES) & (loss > LOSS)
        return _groups(position, lost, loss, source.shape[1], source.shape[0]) if lost.any() else []

    def _ceiling(self, edges: np.ndarray, position: int) -> np.ndarray:
        """Agreement that a painting of the frame would have: what the paintings beside it have there, along the motion, and no
        more than is usual with such edges."""
        total = np.zeros(edges.shape, np.float32)
        mass = np.zeros(edges.shape, np.float32)
        usual = np.zeros(edges.shape, np.float32)
        for end in self._ends:
            motion = self._tracker.motion(position, end.position)
            confidence = block_means(motion.confidence, edges.shape)
            total += confidence * agreement(warp(end.gradients, motion.flow), warp(end.painted_gradients, motion.flow))
            mass += confidence
            usual += end.bands.at(edges) / len(self._ends)
        return np.minimum(np.where(mass > CERTAIN, total / np.maximum(mass, CERTAIN), usual), usual)

    def _repaired(self, source: np.ndarray, picture: np.ndarray, groups: list[_Group]) -> np.ndarray:
        height, width = source.shape[:2]
        nearest = min(self._ends, key=lambda end: abs(end.position - groups[0].position))
        blocks = np.any([group.blocks for group in groups], axis=0)
        boxes = [group.box for group in groups]
        if sum(group.cost for group in groups) > WHOLE * width * height:
            boxes = [(0, 0, width, height)]
        rows, columns = blocks.shape
        fine = cv2.resize(blocks.astype(np.float32), (columns * FINE, rows * FINE), interpolation=cv2.INTER_NEAREST)
        mask = cv2.resize(cv2.GaussianBlur(fine, (0, 0), FINE / 4), (width, height), interpolation=cv2.INTER_LINEAR)
        repaired = picture.copy()
        for box in boxes:
            part = part_of(box)
            repaired[part] = _blended(picture[part], self._paint(source, box, nearest.picture), mask[part])
        return repaired


def _end(position: int, picture: np.ndarray, painting: np.ndarray) -> _End | None:
    gradients, painted_gradients = _gradients(picture), _gradients(painting)
    edges = edges_of(gradients)
    bands = Bands.of(agreement(gradients, painted_gradients), edges, np.ones(edges.shape, bool))
    return None if bands is None else _End(position, picture, gradients, painted_gradients, bands)


def _groups(position: int, lost: np.ndarray, loss: np.ndarray, width: int, height: int) -> list[_Group]:
    """Lost blocks in groups, each with a border of one block over which it fades out; groups do not overlap."""
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
        blocks = lost & (labels == label)
        seen = grown(box, MARGIN, width, height)
        cost = (seen[2] - seen[0]) * (seen[3] - seen[1])
        groups.append(_Group(position, blocks, box, float(loss[blocks].sum()), cost))
    return groups


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


def _gradients(picture: np.ndarray) -> np.ndarray:
    return gradients_of(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
