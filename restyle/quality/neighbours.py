"""Contact sheets of neighbouring frames, to look at a result where it is most likely to fail: round every painted frame, and
round the worst moments of what moves.

Flicker, a jump where a painting takes over, and paint that smears between two paintings do not show in one frame; they show
beside the frames before and after it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from interp.pixels.boxes import Box, part_of
from interp.pixels.depth import to_uint8
from interp.pixels.sizes import resized, scaled_size
from restyle.errors import FootageError, show_path
from restyle.footage import Footage, open_footage
from restyle.progress import Meter, ProgressCallback
from restyle.quality.contact_sheet import Tile, write_strip
from restyle.quality.lettering import REASONS, spread
from restyle.quality.stored_report import StoredReport
from restyle.types import Frame

__all__ = ["Clip", "Spot", "spots_of", "write_neighbours"]


@dataclass(frozen=True)
class Spot:
    """A frame to look at, among its neighbours."""

    name: str
    """Name of its sheet, without the suffix."""
    frame: int
    """Its number in the footage."""
    label: str
    """A few words: why it is looked at."""
    box: Box | None = None
    """Part of the picture that is looked at; ``None``: all of it."""


@dataclass(frozen=True)
class Clip:
    """Footage that is one row of every sheet."""

    label: str
    path: Path
    first: int = 0
    """Number, in the source, of its first frame."""


def spots_of(report: StoredReport, *, most: int) -> list[Spot]:
    """The painted frames, ``most`` of them evenly spread, and the worst moments, of a job's report."""
    painted = [
        Spot(f"painted-{key.frame:08d}", key.frame, f"painted: {REASONS.get(key.reason, key.reason)}")
        for key in spread(report.painted, most)
    ]
    worst = [
        Spot(
            f"worst-{number:02d}-frame-{moment.frame:08d}",
            moment.frame,
            f"worst moment {number}: loses {min(1.0, moment.loss):.2f}",
            moment.box,
        )
        for number, moment in enumerate(report.moments, 1)
    ]
    return [*painted, *worst]


def write_neighbours(
    spots: Sequence[Spot],
    clips: Sequence[Clip],
    folder: Path,
    *,
    around: int,
    long_side: int,
    rate: Fraction | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> list[Path]:
    """Write one PNG into ``folder`` for each spot: its frame and ``around`` neighbours on either side from left to right, each
    clip's row beneath the one before. In flat memory: every clip is decoded once, small pictures of few frames are held.

    ``long_side``: of each picture, in pixels; parts of pictures are enlarged to it. ``rate``: of picture sequences.
    Raises ``FootageError`` (clips of two sizes, a frame that a clip does not have), ``OutputError``, ``Cancelled``.
    """
    waiting = sorted(spots, key=lambda spot: spot.frame)
    meter = Meter(progress, cancel)
    with ExitStack() as stack:
        opened = [stack.enter_context(open_footage(clip.path, rate=rate)) for clip in clips]
        _check_sizes(clips, opened)
        first = max(clip.first for clip in clips)
        last = max((spot.frame for spot in waiting), default=first) + around
        meter.begin("analyse", last + 1 - first)
        small: dict[int, dict[Box | None, tuple[np.ndarray, ...]]] = {}
        written: list[Path] = []
        number = first
        for number, frames in _in_step(stack, clips, opened, first, last + 1):
            boxes = {spot.box for spot in waiting if abs(spot.frame - number) <= around}
            small[number] = {box: tuple(_small(frame.picture, box, long_side) for frame in frames) for box in boxes}
            while waiting and waiting[0].frame + around <= number:
                written.append(_write(waiting.pop(0), clips, small, folder, around))
            earliest = min((spot.frame for spot in waiting), default=number + 1) - around
            small = {kept: pictures for kept, pictures in small.items() if kept >= earliest}
            meter.step("looking at neighbours")
    for spot in waiting:  # near the end
        if spot.frame not in small:
            raise FootageError(
                f"there is no frame {spot.frame} in {' and '.join(show_path(clip.path) for clip in clips)}, "
                f"which end together after frame {number}"
            )
        written.append(_write(spot, clips, small, folder, around))
    return sorted(written)


def _check_sizes(clips: Sequence[Clip], opened: Sequence[Footage]) -> None:
    sizes = [(footage.spec.width, footage.spec.height) for footage in opened]
    for clip, size in zip(clips, sizes, strict=True):
        if size != sizes[0]:
            raise FootageError(
                f"{show_path(clip.path)} is {size[0]}x{size[1]}, {show_path(clips[0].path)} is {sizes[0][0]}x{sizes[0][1]}: "
                "give clips of one size"
            )


def _in_step(
    stack: ExitStack, clips: Sequence[Clip], opened: Sequence[Footage], first: int, stop: int
) -> Iterator[tuple[int, tuple[Frame, ...]]]:
    """The number of each frame in the source, and the frame of every clip, as long as all go on."""
    streams = [
        stack.enter_context(closing(footage.frames(first - clip.first)))  # type: ignore[type-var]
        for clip, footage in zip(clips, opened, strict=True)
    ]
    for number in range(first, stop):
        frames = [next(stream, None) for stream in streams]
        present = tuple(frame for frame in frames if frame is not None)
        if len(present) < len(frames):
            return
        yield number, present


def _small(picture: np.ndarray, box: Box | None, long_side: int) -> np.ndarray:
    part = picture if box is None else picture[part_of(box)]
    height, width = part.shape[:2]
    if not part.size:
        raise FootageError(f"a worst moment lies at {box}, outside of the picture: is this the footage of that job?")
    scale = long_side / max(width, height)
    if box is None:
        scale = min(1.0, scale)
    return resized(to_uint8(np.ascontiguousarray(part)), scaled_size(width, height, scale))


def _write(
    spot: Spot,
    clips: Iterable[Clip],
    small: dict[int, dict[Box | None, tuple[np.ndarray, ...]]],
    folder: Path,
    around: int,
) -> Path:
    numbers = [number for number in range(spot.frame - around, spot.frame + around + 1) if number in small]
    tiles = [
        Tile(f"frame {number}" + (f"  {spot.label}" if number == spot.frame else ""), small[number][spot.box])
        for number in numbers
    ]
    path = folder / f"{spot.name}.png"
    write_strip(path, tiles, [clip.label for clip in clips], overwrite=False)
    return path
