"""Interlaced footage: which field of a frame comes first, whole pictures made of fields, and frames flagged as fields."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from fractions import Fraction
from typing import Any, Literal

import av
import numpy as np

__all__ = ["FieldFlag", "FieldOrder", "deinterlaced", "field_order_of"]

FieldOrder = Literal["progressive", "top", "bottom"]
_ORDERS: dict[int, FieldOrder] = {2: "top", 3: "bottom", 4: "bottom", 5: "top"}
"""Field that is shown first, by FFmpeg's ``AVFieldOrder``, which also tells the one that is stored first."""


def field_order_of(frame: av.VideoFrame, context: Any) -> FieldOrder:
    """Tell whether a stream's frames hold two fields, by its header or by a decoded frame, and which one is shown first."""
    tagged = _ORDERS.get(int(context.field_order))
    if tagged is not None or not frame.interlaced_frame:
        return tagged or "progressive"
    # PyAV does not show a frame's own flag: a filter that goes by it does.
    first = _rows((_Graph(("separatefields", "")).push(frame))[0])
    lines = _rows(frame)
    bottom = np.array_equal(first, lines[1::2]) and not np.array_equal(first, lines[0::2])
    return "bottom" if bottom else "top"


def _rows(frame: av.VideoFrame) -> np.ndarray:
    """Bytes of the first plane, line by line."""
    plane: Any = frame.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


class _Graph:
    """A chain of FFmpeg's filters; made anew where the frames change."""

    def __init__(self, *filters: tuple[str, str]) -> None:
        self._filters = filters
        self._shape: tuple[int, int, str] | None = None
        self._graph: Any = None

    def push(self, frame: av.VideoFrame) -> list[av.VideoFrame]:
        shape = frame.width, frame.height, frame.format.name
        frames = []
        if shape != self._shape:
            frames = self.finish()
            self._open(*shape)
        self._graph.push(frame)
        return frames + self._pull()

    def finish(self) -> list[av.VideoFrame]:
        """Drain the graph, which is opened anew by the next frame."""
        if self._graph is None:
            return []
        self._graph.push(None)
        frames = self._pull()
        self._graph = self._shape = None
        return frames

    def _open(self, width: int, height: int, form: str) -> None:
        graph = av.filter.Graph()
        last: Any = graph.add_buffer(
            width=width, height=height, format=av.VideoFormat(form), time_base=Fraction(1, 1000)
        )
        for name, arguments in self._filters:
            step = graph.add(name, arguments)
            last.link_to(step)
            last = step
        last.link_to(graph.add("buffersink"))
        graph.configure()
        self._graph, self._shape = graph, (width, height, form)

    def _pull(self) -> list[av.VideoFrame]:
        frames = []
        while True:
            try:
                frames.append(self._graph.pull())
            except (av.BlockingIOError, av.EOFError):
                return frames


class FieldFlag:
    """Flags frames as interlaced: converters and encoders then treat each field for itself."""

    def __init__(self, order: FieldOrder) -> None:
        self._graph = None if order == "progressive" else _Graph(("setfield", {"top": "tff", "bottom": "bff"}[order]))

    def put(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Flag one frame."""
        if self._graph is None:
            return frame
        frame.pts, frame.time_base = 0, Fraction(1, 1000)
        (flagged,) = self._graph.push(frame)
        return flagged


def deinterlaced(
    source: Generator[tuple[int, int, av.VideoFrame], None, None],
) -> Generator[tuple[int, int, av.VideoFrame], None, None]:
    """Make one whole picture of every frame of ``source`` (index, stamp, frame), by FFmpeg's ``bwdif``, which looks at the
    frame before and the one after. All frames are deinterlaced, as flags are often lost; where a frame has them, they tell
    which field is first."""
    graph = _Graph(("bwdif", "mode=send_frame:parity=auto:deint=all"))
    waiting: deque[tuple[int, int]] = deque()
    try:
        for index, stamp, frame in source:
            waiting.append((index, stamp))
            frame.pts, frame.time_base = index, Fraction(1, 1000)
            for picture in graph.push(frame):
                yield *waiting.popleft(), picture
        for picture in graph.finish():
            yield *waiting.popleft(), picture
    finally:
        source.close()
