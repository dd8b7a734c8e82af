"""Framing: the part of each frame that has to be painted at all.

Where only objects are restyled, painting the whole frame is waste. So the painter is shown a crop that follows the objects, of
one size for a whole shot, like a camera on a tripod that pans with them. All that comes after (motion, keyframes' paintings,
in-betweens) happens within the crop's own coordinates; only the compositor sees the frame again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from interp.pixels.boxes import Box
from restyle.types import Shot

__all__ = ["Framing"]

STEP = 32  # pixels: sizes are multiples of this, so that a little more matte does not change them
WORTH = 0.75  # share of the frame from which on the whole is painted
CALM = 6.0  # frames: sigma over which the crop's path is smoothed


class Framing:
    """The crop of every frame.

    ``boxes``: frame number -> where the objects are in it (``None`` or absent: nowhere). ``margin``: pixels round them that the
    painter is to see, at least.
    """

    def __init__(
        self, shots: Sequence[Shot], boxes: Mapping[int, Box | None], *, size: tuple[int, int], margin: int
    ) -> None:
        self._crops: dict[int, Box] = {}
        for shot in shots:
            self._crops |= _follow(shot, boxes, size, margin)

    def of(self, frame: int) -> Box | None:
        """The crop of a frame, or ``None`` where all of it is painted. Of one size through a shot."""
        return self._crops.get(frame)

    @property
    def facts(self) -> list[list[int]]:
        """Plain values that decide all crops."""
        return [[frame, *crop] for frame, crop in sorted(self._crops.items())]


def _follow(shot: Shot, boxes: Mapping[int, Box | None], size: tuple[int, int], margin: int) -> dict[int, Box]:
    frames = range(shot.start, shot.stop)
    boxed = [(frame, box) for frame in frames if (box := boxes.get(frame)) is not None]
    if not boxed:
        return {}
    spans = np.array([box for _, box in boxed], float)
    crop = [_length(spans[:, 2 + axis] - spans[:, axis], size[axis], margin) for axis in (0, 1)]
    if crop[0] * crop[1] > WORTH * size[0] * size[1]:
        return {}
    starts = [
        _path(
            np.array([frame for frame, _ in boxed]), spans[:, axis], spans[:, 2 + axis], frames, crop[axis], size[axis]
        )
        for axis in (0, 1)
    ]
    return {
        frame: (left, top, left + crop[0], top + crop[1])
        for frame, left, top in zip(frames, *(list(map(int, start)) for start in starts), strict=True)
    }


def _length(spans: np.ndarray, whole: int, margin: int) -> int:
    """The crop's side: the largest span and its margins, in whole steps, and even, as motion's working size likes it."""
    length = -(-(int(spans.max()) + 2 * margin) // STEP) * STEP
    return length if length < whole else whole


def _path(at: np.ndarray, first: np.ndarray, last: np.ndarray, frames: range, length: int, whole: int) -> np.ndarray:
    """The crop's first pixel in each frame: smooth, never leaving out what it follows, nor leaving the picture."""
    centre = np.interp(frames, at, (first + last) / 2)
    reach = int(3 * CALM)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / CALM) ** 2)
    calm = np.convolve(np.pad(centre, reach, mode="edge"), weights / weights.sum(), mode="valid")
    start = np.rint(calm - length / 2)
    low, high = np.interp(frames, at, last) - length, np.interp(frames, at, first)
    start = np.clip(start, np.ceil(low), np.floor(high))
    return np.clip(start, 0, whole - length).astype(int)
