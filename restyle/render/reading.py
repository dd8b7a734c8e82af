"""Frames read ahead for rendering, with the motion between them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from interp.pixels.boxes import Box, cropped, part_of
from interp.pixels.sizes import motion_size
from interp.tracks import MotionTrack
from restyle.errors import FootageError, show_path
from restyle.footage import Footage
from restyle.progress import Meter
from restyle.registry import make_estimator
from restyle.render.protocols import RenderParts
from restyle.render.stream import prefetch
from restyle.types import Frame, Window

__all__ = ["FrameSeeker", "FrameView", "WindowFrames", "WindowReader", "view_of"]

AHEAD = 16  # frames that decoding and motion run ahead of painting
NEAR = 48  # frames that are decoded and dropped, rather than sought


class FrameSeeker:
    """Reads single frames, mostly in ascending order; where it was, it goes on. Used by one thread at a time.

    ``pts``: presentation time of every frame. ``samples``: as ``Footage.frames`` takes it."""

    def __init__(self, footage: Footage, pts: Sequence[int], *, samples: bool = False) -> None:
        self._footage, self._pts, self._samples = footage, pts, samples
        self._stream: Generator[Frame, None, None] | None = None
        self._last: Frame | None = None

    def frame(self, number: int) -> Frame:
        """Read a frame. Raises ``FootageError``."""
        if self._last is not None and self._last.index == number:
            return self._last
        if self._stream is None or self._last is None or not 0 < number - self._last.index <= NEAR:
            self.close()
            self._stream = self._footage.frames(number, pts=self._pts, samples=self._samples)
        self._last = next((frame for frame in self._stream if frame.index == number), None)
        if self._last is None:
            name = show_path(self._footage.spec.path)
            raise FootageError(f"{name} changed while it was read: frame {number} is gone; run again")
        return self._last

    def close(self) -> None:
        """Let go of the decoder."""
        stream, self._stream, self._last = self._stream, None, None
        if stream is not None:
            stream.close()


@dataclass(frozen=True)
class FrameView:
    """One frame in its three forms."""

    source: Frame
    """The footage's own."""
    frame: Frame
    """The frame that is painted and composited upon: the source, or its clean plate."""
    picture: np.ndarray
    """The part of it that painter and filler see."""
    box: Box | None
    """The place of that part; ``None``: it is all of the frame."""

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of the whole frame in pixels."""
        return self.frame.picture.shape[1], self.frame.picture.shape[0]

    def crop(self, picture: np.ndarray) -> np.ndarray:
        """The same part of another picture or plane of the frame's size."""
        return picture if self.box is None else cropped(picture, self.box)

    def paste(self, part: np.ndarray) -> np.ndarray:
        """The frame's picture with ``part`` where the crop was taken from."""
        if self.box is None:
            return part
        picture = self.frame.picture.copy()
        picture[part_of(self.box)] = part
        return picture


def view_of(source: Frame, parts: RenderParts) -> FrameView:
    """A frame of the footage as its parts see it."""
    frame = source if parts.clean_plate is None else parts.clean_plate(source)
    box = None if parts.framing is None else parts.framing.of(frame.index)
    return FrameView(source, frame, frame.picture if box is None else cropped(frame.picture, box), box)


@dataclass(frozen=True)
class WindowFrames:
    """All frames of one window, those up to ``window.last``, and the motion between any two of them."""

    window: Window
    views: Sequence[FrameView]
    track: MotionTrack

    def view(self, number: int) -> FrameView:
        """A frame by its number in the footage."""
        return self.views[number - self.window.start]


class WindowReader:
    """Reads the frames of ``windows``, in order and ahead of what is asked for, in a thread. A context manager."""

    def __init__(self, seeker: FrameSeeker, parts: RenderParts, windows: Sequence[Window]) -> None:
        self._seeker = seeker
        self._parts = parts
        self._feed = prefetch(self._views(windows), depth=AHEAD)

    def __enter__(self) -> WindowReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._feed.close()

    def read(self, window: Window, meter: Meter) -> WindowFrames:
        """The next window's frames. Raises ``FootageError``, ``Cancelled``."""
        views: list[FrameView] = []
        while len(views) <= window.last - window.start:
            view, track = next(self._feed)
            views.append(view)
            meter.report("reading")
        return WindowFrames(window, views, track)

    def _views(self, windows: Sequence[Window]) -> Iterator[tuple[FrameView, MotionTrack]]:
        """Frames of the windows in order, each with its window's track; a shared boundary keyframe comes twice."""
        flow = make_estimator("dis")
        for window in windows:
            track: MotionTrack | None = None
            for number in range(window.start, window.last + 1):
                view = view_of(self._seeker.frame(number), self._parts)
                if track is None:
                    track = MotionTrack(flow, working=motion_size(*view.picture.shape[1::-1]))
                track.add(view.picture)
                yield view, track
