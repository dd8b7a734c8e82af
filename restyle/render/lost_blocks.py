"""Blocks of in-betweens that lost their structure.

A propagated painting is right where the footage's motion explains it. Where it does not (a hand that turns, what comes out from
behind something), it smears. The frame itself tells: block by block, how well the in-between's edges follow the footage's,
against how well the paintings beside it follow them along the motion (``interp.structure``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from interp.structure import LEAST_EDGES, Bands, agreement, block_means, edges_of, gradients_of_picture
from interp.types import Tracker
from interp.warp import warp

__all__ = ["Finder", "InBetween"]

CERTAIN = 0.1  # confidence of the motion from which the paintings beside it say what a block allows


@dataclass(frozen=True)
class _End:
    """A painted keyframe beside the in-betweens."""

    position: int
    """Number within the tracker's run."""
    gradients: np.ndarray
    painted_gradients: np.ndarray
    bands: Bands


@dataclass
class InBetween:
    """A frame between two keyframes, while it is looked at and repaired."""

    position: int
    """Number within the tracker's run."""
    source: np.ndarray
    """The footage's picture."""
    picture: np.ndarray
    """What was made of it so far."""
    gradients: np.ndarray
    """Of the source."""
    ceiling: np.ndarray
    """float32 rows x columns: agreement that a painting of the frame would have; -1 in blocks without edges."""
    loss: np.ndarray
    """float32 rows x columns: what the picture lacks to that."""

    def follows(self, picture: np.ndarray) -> np.ndarray:
        """Tell, block by block, how well a picture of this frame follows the footage: float32 rows x columns."""
        return agreement(self.gradients, gradients_of_picture(picture))

    def take(self, picture: np.ndarray, blocks: np.ndarray, follows: np.ndarray) -> None:
        """Go on with a better picture. ``blocks``: bool, those that changed; ``follows``: how well they do now."""
        self.picture = picture
        self.loss = np.where(blocks, self.ceiling - follows, self.loss)


class Finder:
    """Finds what in-betweens lost.

    ``ends``: number within the tracker's run -> (the footage's picture, its painting) of the keyframes beside them.
    """

    def __init__(self, tracker: Tracker, ends: Mapping[int, tuple[np.ndarray, np.ndarray]]) -> None:
        self._tracker = tracker
        self._ends = [end for position, each in ends.items() if (end := _end(position, *each)) is not None]

    def look(self, position: int, source: np.ndarray, picture: np.ndarray) -> InBetween:
        """Look at one in-between. ``source``, ``picture``: of one size and dtype."""
        gradients = gradients_of_picture(source)
        edges = edges_of(gradients)
        ceiling = np.where(edges > LEAST_EDGES, self._ceiling(edges, position), np.float32(-1))
        return InBetween(
            position, source, picture, gradients, ceiling, ceiling - agreement(gradients, gradients_of_picture(picture))
        )

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
        if not self._ends:
            return np.full(edges.shape, -1, np.float32)
        shown = np.clip(mass, CERTAIN, 1)  # of what the paintings beside it say; the rest is as usual
        return np.minimum(usual + shown * (total / np.maximum(mass, CERTAIN) - usual), usual)


def _end(position: int, picture: np.ndarray, painting: np.ndarray) -> _End | None:
    gradients, painted_gradients = gradients_of_picture(picture), gradients_of_picture(painting)
    edges = edges_of(gradients)
    bands = Bands.of(agreement(gradients, painted_gradients), edges, np.ones(edges.shape, bool))
    return None if bands is None else _End(position, gradients, painted_gradients, bands)
