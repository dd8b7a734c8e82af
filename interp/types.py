"""Value types and protocols that flow estimators, trackers, fillers and interpolators agree on.

Pictures are C-contiguous H x W x 3 RGB arrays (uint8, uint16, float32). A flow is float32 h x w x 2 in pixels of its own
grid: ``flow[y, x] = (dx, dy)`` such that ``there[y + dy, x + dx]`` is what ``here[y, x]`` became.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

__all__ = ["Filler", "FlowEstimator", "Gap", "Interpolator", "Motion", "Propagated", "Tracker"]


@dataclass(frozen=True)
class Motion:
    """The motion from one picture (*here*) to another (*there*), at the working size h x w.

    The working size may be smaller than the pictures'; ``interp.warp`` scales flow and confidence up to the picture.
    """

    flow: np.ndarray
    """float32 h x w x 2, working pixels, from here to there."""
    confidence: np.ndarray
    """float32 h x w in [0, 1]: 0 where the pixel is hidden in *there*, has left it, or does not look the same."""
    similarity: np.ndarray | None = None
    """float32 h x w in [0, 1]: photometric similarity of *there*, warped along the flow, to *here*, at a coarser scale, where
    the flow does not distort. Rippling water is similar though no motion explains it: paint that lies there may be used, if not
    trusted. ``None``: as confidence."""

    def __post_init__(self) -> None:
        if self.flow.ndim != 3 or self.flow.shape[2] != 2 or self.flow.dtype != np.float32:
            raise ValueError(f"a flow is float32 h x w x 2, got {self.flow.shape} of {self.flow.dtype}")
        if self.confidence.shape != self.flow.shape[:2] or self.confidence.dtype != np.float32:
            raise ValueError(f"confidence is float32 {self.flow.shape[:2]}, got {self.confidence.shape}")
        if self.similarity is not None and (
            self.similarity.shape != self.confidence.shape or self.similarity.dtype != np.float32
        ):
            raise ValueError(f"similarity is float32 {self.confidence.shape}, got {self.similarity.shape}")

    @property
    def coverage(self) -> float:
        """Share of *here* that *there* explains: the mean confidence."""
        return float(self.confidence.mean())

    @property
    def usable(self) -> np.ndarray:
        """float32 h x w in [0, 1]: how far a painting of *there* can serve *here*. What is only similar counts half."""
        if self.similarity is None:
            return self.confidence
        usable: np.ndarray = np.maximum(self.confidence, self.similarity * np.float32(0.5))
        return usable


class FlowEstimator(Protocol):
    """Dense motion between two pictures of one size."""

    name: str

    def estimate(self, here: np.ndarray, there: np.ndarray) -> np.ndarray:
        """Flow float32 h x w x 2 from ``here`` to ``there``; both uint8 h x w (luma)."""
        ...


class Tracker(Protocol):
    """Motion between any two frames of a run of consecutive frames, by composing neighbour-to-neighbour flow."""

    def motion(self, here: int, there: int) -> Motion:
        """Motion from frame ``here`` to frame ``there`` (numbers within the run, from 0)."""
        ...


@dataclass(frozen=True)
class Gap:
    """Some consecutive frames of one shot, with a painting at one end or at both.

    Paintings are propagated to all frames but the painted ends.
    """

    frames: Sequence[np.ndarray]
    """The footage's own pictures, ends included."""
    first: int
    """Number, in the tracker's run, of ``frames[0]``."""
    tracker: Tracker
    left: np.ndarray | None
    """Painting of ``frames[0]``, or ``None``: then all are propagated from the right."""
    right: np.ndarray | None
    """Painting of ``frames[-1]``, or ``None``: then all are propagated from the left."""

    def __post_init__(self) -> None:
        if self.left is None and self.right is None:
            raise ValueError("a gap has a painting at one end at least")

    @property
    def inner(self) -> range:
        """Positions within ``frames`` that want a picture, ascending."""
        return range(0 if self.left is None else 1, len(self.frames) - (0 if self.right is None else 1))


@dataclass(frozen=True)
class Propagated:
    """One in-between."""

    picture: np.ndarray
    """H x W x 3 in the paintings' dtype."""
    coverage: float
    """Share of the picture that the paintings explain, in [0, 1]."""


class Filler(Protocol):
    """Makes the frames between paintings. Never sees two shots at once."""

    name: str

    def propagate(self, gap: Gap) -> Iterator[Propagated]:
        """Yield one ``Propagated`` for each position of ``gap.inner``, in ascending order."""
        ...


class Interpolator(Protocol):
    """Makes pictures between two neighbouring frames of one shot, which it alone has to go by. Never sees a cut."""

    name: str

    def interpolate(self, a: np.ndarray, b: np.ndarray, times: Sequence[float]) -> Iterator[np.ndarray]:
        """The pictures at ``times``, ascending, above 0 (which is ``a``) and below 1 (``b``), in the depth of ``a``.

        ``a``, ``b``: H x W x 3 of one size and dtype (uint8, uint16, float32)."""
        ...
