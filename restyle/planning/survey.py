"""The survey: decode once, small; count frames and find cuts. What lies between two cuts can then be looked at by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from interp.pixels.depth import to_uint8_truncated
from interp.pixels.sizes import size_within
from restyle.errors import FootageError, show_path
from restyle.footage import Footage
from restyle.planning.shots import CutFinder, Kind
from restyle.progress import Meter
from restyle.recipe import Recipe
from restyle.render.stream import prefetch

__all__ = ["LEAST", "SMALL", "Survey", "Surveyor", "Told", "small_frames"]

SMALL = 256  # long side, in pixels, of the pictures that pass 1 looks at
LEAST = 96  # frames of a span that is worth a task of its own

Told = tuple[int, int, Kind]
"""Frame at which the cut finder told of a cut, or the one after the last; frame that the cut comes before; its kind."""


@dataclass(frozen=True)
class Survey:
    """The frames ``start`` up to ``stop``, and their cuts."""

    start: int
    stop: int
    pts: tuple[int, ...]
    """Presentation time of every frame from 0 up to ``stop``, in the footage's time base."""
    told: tuple[Told, ...]
    """Cuts in the order in which they were found."""
    notes: tuple[str, ...] = ()
    """Lines that a person should know about damage."""
    seconds: float = 0.0

    def spans(self, recipe: Recipe) -> tuple[tuple[int, int], ...]:
        """Divide the frames into spans, each from a frame up to another, that are looked at independently: keyframes begin anew
        where each starts."""
        anew = {frame for at, frame, _ in self.told if at <= frame + CutFinder.LAG}  # else it is told too late
        if isinstance(recipe.cuts, tuple):
            anew |= {frame for frame in recipe.cuts if isinstance(frame, int)}
        borders = [self.start]
        for frame in sorted(anew | set(recipe.storyboard)):
            if frame - borders[-1] >= LEAST and self.stop - frame >= LEAST:
                borders.append(frame)
        return tuple(zip(borders, [*borders[1:], self.stop], strict=True))


class Surveyor:
    """Finds what a ``Survey`` holds, while others look at the same frames: ``frames`` first, then ``survey``.

    ``stop``: the frame after the last; ``None``: the end.
    """

    def __init__(self, footage: Footage, recipe: Recipe, start: int, stop: int | None) -> None:
        self.told: list[Told] = []
        """Grows as cuts are found."""
        self._footage, self._start, self._stop = footage, start, stop
        self._finder = CutFinder(footage.spec.rate) if recipe.cuts == "auto" else None
        self._pts: list[int] = []
        self._began = time.perf_counter()

    def frames(self, meter: Meter, doing: str) -> Iterator[tuple[int, np.ndarray]]:
        """Number and picture (small, uint8 RGB) of each frame, once the cut finder has seen it.

        Raises ``FootageError`` if there is no frame in that span or the footage is damaged within it, ``Cancelled``."""
        stop = self._stop or self._footage.spec.frames
        meter.begin("analyse", None if stop is None else stop - self._start)
        last = self._start - 1
        for last, small, pts in small_frames(self._footage, 0, self._stop):
            self._pts.append(pts)
            if last < self._start:
                continue
            if self._finder is not None:
                self._note(last, self._finder.push(last, small))
            yield last, small
            meter.step(doing)
        if len(self._pts) <= self._start:
            path = show_path(self._footage.spec.path)
            raise FootageError(f"{path} has no frame {self._start}: it ends after {len(self._pts)} frames")
        if self._finder is not None:
            self._note(last + 1, self._finder.finish(last))

    def _note(self, at: int, cuts: dict[int, Kind]) -> None:
        self.told += [(at, frame, kind) for frame, kind in cuts.items()]

    def survey(self) -> Survey:
        """Give what was found, after the last frame."""
        stop, damage = len(self._pts), self._footage.damage
        concealed = sorted(frame for frame in damage.concealed if self._start <= frame < stop)
        return Survey(
            start=self._start,
            stop=stop,
            pts=tuple(self._pts),
            told=tuple(self.told),
            notes=_damage(concealed, damage.lost),
            seconds=time.perf_counter() - self._began,
        )


def small_frames(footage: Footage, start: int, stop: int | None) -> Iterator[tuple[int, np.ndarray, int]]:
    """Number, small picture (uint8 RGB) and presentation time of the frames ``start`` up to ``stop``.

    Raises ``FootageError`` if the footage is damaged."""
    stream = prefetch(
        footage.frames(start, stop, size=size_within(footage.spec.width, footage.spec.height, SMALL)), depth=8
    )
    try:
        for frame in stream:
            yield frame.index, to_uint8_truncated(frame.picture), frame.pts
    finally:
        stream.close()


def _damage(frames: list[int], missing: int) -> tuple[str, ...]:
    if not frames:
        return ()
    listed = ", ".join(map(str, frames[:8])) + (f" and {len(frames) - 8} more" if len(frames) > 8 else "")
    what = f"frame {listed} is" if len(frames) == 1 else f"{len(frames)} frames are"
    which = "" if len(frames) == 1 else f": {listed}"
    more = f"; about {missing} more do not decode at all, and are left out" if missing else ""
    return (f"{what} damaged in the footage; what is lost was made up by the decoder{which}{more}",)
