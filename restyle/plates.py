"""Clean plates: the footage without the objects that are removed, made once per job folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from restyle import composite
from restyle.errors import JobError, show_path
from restyle.layers import MatteSource, matte_of
from restyle.progress import Meter
from restyle.recipe import Layer
from restyle.types import Shot

if TYPE_CHECKING:
    from restyle.footage import Footage

__all__ = ["Plates", "make_plates", "removals"]

MARGIN = 2  # pixels beyond the softened matte in which nothing of the footage is used either


def removals(layers: Sequence[Layer]) -> list[Layer]:
    """The layers that remove something."""
    return [layer for layer in layers if layer.mode == "remove"]


def make_plates(
    footage: Footage,
    shots: Sequence[Shot],
    layers: Sequence[Layer],
    mattes: MatteSource,
    *,
    pts: Sequence[int],
    place: Path,
    meter: Meter,
) -> None:
    """Fill what the layers remove, all of them at once, from the footage's other frames (``interp.plate``), and write the part
    of each frame that is filled into ``place``: ``NUMBER.npz``. Memory does not grow with length. Raises ``Cancelled``."""
    from interp.plate import clean_plates

    taken = removals(layers)
    meter.begin("plates", sum(len(shot) for shot in shots), shots=len(shots))
    for shot in shots:
        holes: dict[int, np.ndarray] = {}

        def seen(shot: Shot = shot, holes: dict[int, np.ndarray] = holes) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for frame in footage.frames(shot.start, shot.stop, pts=pts):
                holes[frame.index] = hidden = _hidden(taken, mattes, frame.index)
                yield frame.picture, hidden

        for number, plate in enumerate(clean_plates(seen()), shot.start):
            hidden = holes.pop(number)
            if hidden.any():
                rows, columns = np.flatnonzero(hidden.any(axis=1)), np.flatnonzero(hidden.any(axis=0))
                top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
                part = np.ascontiguousarray(plate[top:bottom, left:right])
                np.savez_compressed(place / f"{number:08d}.npz", corner=np.array([left, top]), picture=part)
            meter.step("making clean plates", shot=shot.index)


def _hidden(layers: Sequence[Layer], mattes: MatteSource, frame: int) -> np.ndarray:
    import cv2

    edges = [
        composite.matte_edge(matte_of(layer, mattes, frame), grow=layer.grow, feather=layer.feather) > 0
        for layer in layers
    ]
    size = 2 * MARGIN + 1
    return cv2.dilate(np.logical_or.reduce(edges).astype(np.uint8), np.ones((size, size), np.uint8)) > 0


class Plates:
    """What ``make_plates`` wrote. Raises ``JobError`` if it is damaged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, frame: int, picture: np.ndarray) -> np.ndarray:
        """The frame's ``picture`` without what is removed; the same array where nothing is."""
        path = self._folder / f"{frame:08d}.npz"
        if not path.exists():
            return picture
        try:
            with np.load(path) as stored:
                part, (left, top) = stored["picture"], stored["corner"]
            made = picture.copy()
            made[top : top + part.shape[0], left : left + part.shape[1]] = part
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise JobError(f"{show_path(path)} in the job folder is damaged: run with --fresh") from error
        return made
