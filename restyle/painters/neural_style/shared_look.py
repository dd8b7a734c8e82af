"""One look for several shots: colours held to a painting of another shot.

A style network normalises each picture by itself, so the same wall comes out otherwise where other things stand beside it. The
anchor says how it is to come out: wherever a picture has colours that the anchor's footage has, too, the painting is to have
the colours that the anchor's painting has there. From such places, cell by cell, one robust affine map a channel is fitted and
laid over the whole painting, as between keyframes of one shot (``temporal``). The fewer colours both share, the less changes.

Painting with the network's statistics of the anchor's footage was tried, too: pictures of other brightness or contrast come out
burnt, or flat.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from restyle.painters.neural_style.canvas import unit_picture
from restyle.painters.neural_style.temporal import CELL, colour_map

__all__ = ["SharedLook"]

ALIKE = 0.06  # of 1: distance of two colours of footage, in each channel about, up to which they are the same thing's
ENOUGH = 2.0  # cells of the anchor's that have a colour, from which it is known well


@dataclass(frozen=True)
class SharedLook:
    """Colours of the anchor's cells."""

    footage: np.ndarray
    """N x 3, float32 in [0, 1]."""
    painting: np.ndarray
    """N x 3, float32 in [0, 1]: what became of each."""

    @classmethod
    def of(cls, picture: np.ndarray, painting: np.ndarray, cell: int = CELL) -> SharedLook:
        """Take the colours of an anchor: the footage's picture and its painting, H x W x 3, of any depth. ``cell``: side of its
        cells in pixels (``temporal.cell_of``)."""
        return cls(_cells(picture, cell), _cells(painting, cell))

    def hold(self, painting: np.ndarray, picture: np.ndarray, cell: int = CELL) -> np.ndarray:
        """Bring the colours of a painting (float32 H x W x 3 in [0, 1]) of ``picture`` to the anchor's. ``cell``: as in ``of``,
        of this picture."""
        source, fresh = _cells(picture, cell), _cells(painting, cell)
        # both are averaged over like colours of footage, so that brushwork counts in neither
        own, _ = _painted(source, source, fresh)
        wanted, mass = _painted(source, self.footage, self.painting)
        matrix = colour_map(own, wanted, np.minimum(1, mass / np.float32(ENOUGH)))
        return painting if matrix is None else np.clip(cv2.transform(painting, matrix), 0, 1)


def _cells(picture: np.ndarray, cell: int) -> np.ndarray:
    """Mean colours of a picture's cells, N x 3, float32 in [0, 1]."""
    size = (max(1, picture.shape[1] // cell), max(1, picture.shape[0] // cell))
    return cv2.resize(unit_picture(picture), size, interpolation=cv2.INTER_AREA).reshape(-1, 3)


def _painted(colours: np.ndarray, footage: np.ndarray, painting: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find, for colours of footage (M x 3), the mean ones (M x 3) that ``painting`` (N x 3) has where ``footage`` (N x 3) has
    them; and about how many of its cells have."""
    squares = ((colours[:, None] - footage[None]) ** 2).sum(axis=2)
    alike = np.exp(squares * np.float32(-0.5 / ALIKE**2))
    mass = alike.sum(axis=1)
    return alike @ painting / np.maximum(mass, np.float32(1e-6))[:, None], mass
