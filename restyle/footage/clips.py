"""Clips written in one go: encoded frame by frame, and joined into the output when all frames are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType

from restyle.files.writing import output_lock, partial_path
from restyle.footage.joining import conform
from restyle.footage.output import OutputSpec
from restyle.footage.passthrough import Retimed
from restyle.footage.segments import SegmentWriter
from restyle.types import FootageSpec, Frame

__all__ = ["ClipWriter"]


class ClipWriter:
    """Writes one output from the frames of ``span``, all of them, in order. A context manager: the output appears whole when
    the block ends, or not at all; nothing else of it is left behind.

    ``out``: of ``plan_output``. The other arguments are those of ``conform``. Holds the output's lock meanwhile.
    Raises ``OutputError``, ``OutputLockedError``, and what ``conform`` raises.
    """

    def __init__(
        self,
        out: OutputSpec,
        source: FootageSpec,
        *,
        pts: Sequence[int],
        span: range,
        overwrite: bool = False,
        retimed: Retimed | None = None,
        unchanged: Callable[[], None] = lambda: None,
    ) -> None:
        self._out = out
        self._source = source
        self._pts = pts
        self._span = span
        self._overwrite = overwrite
        self._retimed = retimed
        self._unchanged = unchanged
        self.notes: list[str] = []
        """The warnings that a person should read, when the block has ended."""

    def __enter__(self) -> ClipWriter:
        with ExitStack() as stack:
            stack.enter_context(output_lock(self._out.target))
            folder = partial_path(self._out.target)  # killed, it is swept with all that the segment's writer left in it
            folder.mkdir()
            self._segment = folder / "segment"
            self._writer = SegmentWriter(self._segment, self._out, self._source)
            self._writer.__enter__()
            self._lock = stack.pop_all()
        return self

    def write(self, frame: Frame) -> None:
        """Add the next frame. Raises as ``SegmentWriter.write``."""
        self._writer.write(frame)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._writer.__exit__(kind, error, trace)
            if kind is None:
                self.notes = conform(
                    [self._segment],
                    self._out,
                    self._source,
                    pts=self._pts,
                    span=self._span,
                    overwrite=self._overwrite,
                    retimed=self._retimed,
                    unchanged=self._unchanged,
                )
