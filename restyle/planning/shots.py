"""Cuts, and the shots between them. Detection is PySceneDetect's; here it is fed frame by frame, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Literal

import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector, ThresholdDetector

from restyle.types import Shot

__all__ = ["CutFinder", "shots_between"]

Kind = Literal["start", "cut", "fade", "flash", "given"]

MIN_SHOT_SECONDS = 0.2
BLACK = 12.0  # mean luma, of 255, below which a frame counts as black (PySceneDetect's own default)


class CutFinder:
    """Finds hard cuts (adaptive content change) and fades through black. Feed it every frame once, in order.

    Two detectors of PySceneDetect (https://scenedetect.com/docs/) run side by side: ``AdaptiveDetector``, which compares a
    frame's change with that of its neighbours and so is not fooled by fast motion, and ``ThresholdDetector`` for fades.
    """

    LAG = 3
    """A hard cut at frame c is reported at frame c + LAG at the latest; fades when the picture has come back."""

    def __init__(self, rate: Fraction) -> None:
        shortest = max(2, round(MIN_SHOT_SECONDS * rate))
        self._rate = rate
        self._cuts = AdaptiveDetector(min_scene_len=shortest)
        self._fades = ThresholdDetector(threshold=BLACK, min_scene_len=shortest)

    def push(self, index: int, small: np.ndarray) -> dict[int, Kind]:
        """Look at the next frame (uint8 h x w x 3 RGB, any small size); gives the cuts that became certain."""
        bgr = np.ascontiguousarray(small[:, :, ::-1])
        at = FrameTimecode(index, self._rate)
        cuts: dict[int, Kind] = {cut.frame_num: "fade" for cut in self._fades.process_frame(at, bgr)}
        cuts.update({cut.frame_num: "cut" for cut in self._cuts.process_frame(at, bgr)})
        return cuts

    def finish(self, index: int) -> dict[int, Kind]:
        """The cuts still to be told after the last frame, number ``index``."""
        at = FrameTimecode(index, self._rate)
        cuts: dict[int, Kind] = {cut.frame_num: "fade" for cut in self._fades.post_process(at)}
        cuts.update({cut.frame_num: "cut" for cut in self._cuts.post_process(at)})
        return cuts


def shots_between(start: int, stop: int, cuts: dict[int, Kind] | Iterable[int]) -> tuple[Shot, ...]:
    """Shots of the frames ``start`` up to ``stop``, beginning anew at every cut strictly inside."""
    kinds: dict[int, Kind] = dict(cuts) if isinstance(cuts, dict) else dict.fromkeys(cuts, "given")
    begins = [start, *sorted(cut for cut in kinds if start < cut < stop)]
    ends = [*begins[1:], stop]
    return tuple(
        Shot(number, first, last, kinds.get(first, "cut") if number else "start")
        for number, (first, last) in enumerate(zip(begins, ends, strict=True))
    )
