"""Frames that only repeat the one before them: drawn on twos, shot at another rate, or stuttering."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from interp.pixels.depth import to_uint8
from interp.pixels.sizes import size_within
from restyle.types import Frame

__all__ = ["without_repeats"]

SIDE = 256  # pixels of the long side at which frames are compared
SAME = 2  # code values of 255 by which no pixel of a repeated frame differs: what a codec does to it
MOVED = 8  # and by how much one at least of the next frame does: something moves, so that standing still is a stutter
MOST = 3  # repeats in a row (drawings on fours); where more follow, the picture stands still on purpose


def without_repeats(frames: Iterable[Frame], cuts: Iterable[int] = ()) -> Iterator[Frame]:
    """``frames`` without those that repeat the one before, where motion goes on after them.

    Between two drawings that stand for two frames each, motion would otherwise stop and go. A picture that stands longer, or
    up to a cut or the end, is left as it is. Looks ahead ``MOST`` + 1 frames, no more.
    """
    shots = set(cuts)
    waiting: deque[Frame] = deque()  # a frame, and those after it that look the same
    standing = False  # more of them than stutter; they have been let through, all but the last
    before: np.ndarray | None = None  # the first of those that look the same, small
    for frame in frames:
        small = _small(frame.picture)
        difference = 255 if before is None else int(cv2.absdiff(small, before).max())
        if difference > SAME or frame.index in shots:
            stutter = not standing and difference >= MOVED and frame.index not in shots
            yield from list(waiting)[:1] if stutter else waiting
            waiting.clear()
            standing = False
            before = small
        waiting.append(frame)
        standing = standing or len(waiting) > MOST + 1
        while standing and len(waiting) > 1:
            yield waiting.popleft()
    yield from waiting


def _small(picture: np.ndarray) -> np.ndarray:
    size = size_within(picture.shape[1], picture.shape[0], SIDE)
    return cv2.resize(to_uint8(picture), size, interpolation=cv2.INTER_AREA)
