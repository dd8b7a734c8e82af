"""Clean plates: the footage without the objects that are removed, made once per job folder. All else is done upon it."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from interp.pixels.boxes import bounding_box, cropped
from interp.plates import clean_plates
from restyle.compositing import blend as composite
from restyle.compositing.layers import MatteSource, matte_of, removals
from restyle.footage import Footage
from restyle.job.store import damaged
from restyle.progress import Meter
from restyle.recipe import Layer
from restyle.types import Frame, Shot

__all__ = ["CleanFootage", "make_plates"]

FACTS = "facts.json"
MARGIN = 2  # pixels beyond the softened matte in which nothing of the footage is used either


def make_plates(
    footage: Footage,
    shots: Sequence[Shot],
    layers: Sequence[Layer],
    mattes: MatteSource,
    *,
    pts: Sequence[int],
    folder: Path,
    meter: Meter,
) -> None:
    """Fill what the layers remove, all of them at once, from the footage's other frames (``interp.plates``), and write the part
    of each frame that is filled into ``folder``: ``NUMBER.npz``; and how much of it is invented: ``facts.json``. Memory does
    not grow with length. Raises ``Cancelled``."""
    removed = removals(layers)
    filled, invented, frames = 0, 0, 0
    meter.begin("plates", sum(len(shot) for shot in shots), shots=len(shots))
    for shot in shots:
        holes: dict[int, np.ndarray] = {}

        def frames_and_holes(
            shot: Shot = shot, holes: dict[int, np.ndarray] = holes
        ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for frame in footage.frames(shot.start, shot.stop, pts=pts):
                holes[frame.index] = hidden = _hidden(removed, mattes, frame.index)
                yield frame.picture, hidden

        for number, plate in enumerate(clean_plates(frames_and_holes()), shot.start):
            hidden = holes.pop(number)
            hole = bounding_box(hidden)
            if hole is not None:
                part = cropped(plate.picture, hole)
                np.savez_compressed(folder / f"{number:08d}.npz", corner=np.array(hole[:2]), picture=part)
            filled, invented, frames = filled + plate.hidden, invented + plate.invented, frames + (plate.invented > 0)
            meter.step("making clean plates", shot=shot.index)
    (folder / FACTS).write_text(json.dumps({"filled": filled, "invented": invented, "frames": frames}))


def _hidden(layers: Sequence[Layer], mattes: MatteSource, frame: int) -> np.ndarray:
    edges = [
        composite.matte_edge(matte_of(layer, mattes, frame), grow=layer.grow, feather=layer.feather) > 0
        for layer in layers
    ]
    size = 2 * MARGIN + 1
    return cv2.dilate(np.logical_or.reduce(edges).astype(np.uint8), np.ones((size, size), np.uint8)) > 0


class CleanFootage(Footage):
    """A footage without what layers remove, out of what ``make_plates`` wrote into ``folder``; read as the footage itself is.

    Painter, filler and control maps work upon it, and the other layers are laid over it. ``key``: what it was made from.
    Raises ``JobError`` if a plate is damaged meanwhile.
    """

    def __init__(self, footage: Footage, folder: Path, layers: Sequence[Layer], mattes: MatteSource) -> None:
        super().__init__(footage.spec)
        self._folder = folder
        self._removed = removals(layers)
        self._mattes = mattes
        self.key = folder.name
        self._filled = {int(path.stem) for path in folder.glob("*.npz")}
        self._facts = json.loads((folder / FACTS).read_text())

    def notes(self) -> list[str]:
        """One line for a person, if something had to be invented."""
        filled, invented, frames = (self._facts[name] for name in ("filled", "invented", "frames"))
        if not invented:
            return []
        share = f"{invented / filled:.0%}" if invented >= 0.01 * filled else "less than 1%"
        return [
            f"of what is behind what was removed {share} is shown by no frame near it: it was invented ({frames} frames)"
        ]

    def frames(
        self,
        start: int = 0,
        stop: int | None = None,
        *,
        pts: Sequence[int] | None = None,
        size: tuple[int, int] | None = None,
        samples: bool = False,
    ) -> Generator[Frame, None, None]:
        """As ``Footage.frames``; at full size only."""
        if size is not None:
            raise ValueError("plates are of the footage's size")
        for frame in super().frames(start, stop, pts=pts, samples=samples):
            yield self.of(frame)

    def of(self, frame: Frame) -> Frame:
        """A frame of the footage without what is removed; the same where nothing is."""
        if frame.index not in self._filled:
            return frame
        path = self._folder / f"{frame.index:08d}.npz"
        try:
            with np.load(path, allow_pickle=False) as stored:
                plate, (left, top) = stored["picture"], stored["corner"]
        except Exception as error:
            raise damaged(path) from error
        part = np.s_[top : top + plate.shape[0], left : left + plate.shape[1]]
        edges = [
            composite.matte_edge(
                matte_of(layer, self._mattes, frame.index)[part], grow=layer.grow, feather=layer.feather
            )
            for layer in self._removed
        ]
        picture = frame.picture.copy()
        picture[part] = composite.over(picture[part], plate, np.maximum.reduce(edges), self.spec.colour.transfer)
        return replace(frame, picture=picture)
