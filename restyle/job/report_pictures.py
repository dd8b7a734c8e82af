"""Pictures of a job's report, in the job folder: a preview clip, a poster, and the worst moments with what a painting would be.

Made when all windows are finished, from what they keep, and stored under a key that says which windows they are of: a report
that is written anew finds them there. Nothing of them decides a pixel of the result.

::

    pictures/KEY/  clip.mp4  poster.jpg  before.jpg  after.jpg  moment-01.source.jpg  .result.jpg  .painting.jpg  moment-02 ...
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from PIL import Image

from restyle.footage.preview import join_previews, preview_size
from restyle.job.keys import digest
from restyle.job.moments import worst_moments_of
from restyle.job.store import damaged
from restyle.job.window_report import PREVIEW, large_pairs, preview_span
from restyle.job.windows import Windows
from restyle.progress import Meter
from restyle.quality.pictures import CARD_SIDE, jpeg_of
from restyle.quality.report import FrameRow, Moment, MovingPair
from restyle.quality.stored_report import AFTER, BEFORE, CLIP, POSTER, moment_name
from restyle.render.alone import Place
from restyle.render.engine import Engine
from restyle.versions import deciding

__all__ = ["ReportPictures"]

METHOD = 1  # number of this way of making them


class ReportPictures:
    """The pictures of one report.

    ``windows``: all finished. ``frames``: their rows. ``paint``: also paint the worst moments, by themselves.
    """

    def __init__(self, windows: Windows, frames: Sequence[FrameRow], *, paint: bool) -> None:
        self._windows, self._frames, self._paint = windows, frames, paint
        self.key = digest(METHOD, [folder.name for folder in windows.folders], paint, deciding("paintings"))

    @property
    def name(self) -> str:
        """The folder's name within the job folder."""
        return f"pictures/{self.key}"

    def make(self, engine: Engine, meter: Meter) -> None:
        """Make them, unless they are there. Raises ``JobError``, ``OutputError``, ``FootageError``, ``PainterError``,
        ``Cancelled``."""
        store = self._windows.store
        if store.has("pictures", self.key):
            return
        moments = self._chosen()
        meter.begin("report", len(moments) if self._paint else 0)
        with store.making("pictures", self.key) as folder:
            if clip := self._clip():
                (folder / CLIP).write_bytes(clip)
            self._save_stills(folder)
            for number, moment in enumerate(moments, 1):
                (folder / moment_name(number, "source")).write_bytes(moment.source)
                (folder / moment_name(number, "result")).write_bytes(moment.result)
            if self._paint and moments:
                for number, picture in self._paintings(moments, engine, meter):
                    jpeg = jpeg_of(picture, long_side=CARD_SIDE)
                    (folder / moment_name(number, "painting")).write_bytes(jpeg)

    def moments(self) -> list[Moment]:
        """The worst moments with their pictures. Raises ``JobError``."""
        folder = self._windows.store.path("pictures", self.key)
        return [
            replace(moment, painting=_bytes(folder / moment_name(number, "painting")) if self._paint else b"")
            for number, moment in enumerate(self._chosen(), 1)
        ]

    def moving_pair(self) -> MovingPair | None:
        """The preview clip; ``None`` where some window keeps no part of it. Raises ``JobError``."""
        path = self._windows.store.path("pictures", self.key) / CLIP
        if not path.exists():
            return None
        span = preview_span(self._windows.plan)
        whole = len(span) == self._windows.plan.frames
        return MovingPair(span.start, len(span), preview_size(self._windows.source), whole, _bytes(path))

    def _chosen(self) -> list[Moment]:
        windows, spec = self._windows, self._windows.source
        return worst_moments_of(windows.folders, self._frames, windows.plan.rate, (spec.width, spec.height))

    def _clip(self) -> bytes:
        windows = self._windows
        span = preview_span(windows.plan)
        parts = [
            folder / PREVIEW
            for window, folder in zip(windows.plan.windows, windows.folders, strict=True)
            if window.start < span.stop
        ]
        if not all(part.exists() for part in parts):  # of windows that were finished before previews were kept
            return b""
        try:
            return join_previews([_bytes(part) for part in parts], windows.source.rate)
        except av.FFmpegError as error:
            raise damaged(parts[0]) from error

    def _save_stills(self, folder: Path) -> None:
        pairs = large_pairs(self._windows.folders, self._windows.plan)
        if not pairs:
            return
        pair = pairs[len(pairs) // 2]
        (folder / BEFORE).write_bytes(pair.before)
        (folder / AFTER).write_bytes(pair.after)
        (folder / POSTER).write_bytes(_half_and_half(pair.before, pair.after))

    def _paintings(self, moments: Sequence[Moment], engine: Engine, meter: Meter) -> Iterator[tuple[int, np.ndarray]]:
        """The number of each moment, and its painting, in ascending time."""
        numbered = sorted(enumerate(moments, 1), key=lambda pair: (pair[1].frame, pair[0]))
        places = [self._place(moment) for _, moment in numbered]
        for (number, _), picture in zip(numbered, engine.paint_alone(places, meter), strict=True):
            yield number, picture

    def _place(self, moment: Moment) -> Place:
        shot = next(shot for shot in self._windows.plan.shots if shot.start <= moment.frame < shot.stop)
        painted = [row.frame for row in self._frames if row.painted and row.shot == shot.index]
        nearest = min(painted, key=lambda frame: (abs(frame - moment.frame), frame))
        return Place(shot.index, moment.frame, nearest, moment.box)


def _half_and_half(before: bytes, after: bytes) -> bytes:
    """The left half of one picture and the right half of the other."""
    left, right = (np.asarray(Image.open(io.BytesIO(data))) for data in (before, after))
    middle = left.shape[1] // 2
    return jpeg_of(np.hstack([left[:, :middle], right[:, middle:]]))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise damaged(path) from error
