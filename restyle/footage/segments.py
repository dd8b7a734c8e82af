"""Segments: runs of consecutive frames, finished once, joined later without encoding again."""

from __future__ import annotations

import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np

from restyle.errors import OutputError, show_path
from restyle.files.writing import discard, finalise, partial_path
from restyle.footage.colour import FrameMaker, to_depth
from restyle.footage.encoders import configure, encoder_of, silence_encoders, usual_priority
from restyle.footage.opening import file_url
from restyle.footage.output import OutputSpec, output_trouble
from restyle.footage.reading import files_of
from restyle.footage.samples import keep_samples
from restyle.footage.saving import save_picture
from restyle.types import FootageSpec, Frame

__all__ = ["TICK", "SegmentWriter", "picture_name"]

TICK = Fraction(1, 1000)
"""Time base of a segment's packets: Matroska's millisecond stands for one frame, so that a stamp is the frame's number."""


_MOST_REORDERED = 1000
"""More frames than any codec reorders, so that no packet is decoded after it is shown."""


def picture_name(number: int) -> str:
    """Name of a picture in a sequence's segment."""
    return f"{number:09d}"


class SegmentWriter:
    """Encodes consecutive frames into one segment. A context manager; the segment appears whole at its end, or not at all.

    A video's segment is a Matroska file of encoded packets that begins with a keyframe and refers to no other segment; the time
    stamp of a packet is the number of its frame. A sequence's segment is a folder of finished pictures. The same frames give
    the same bytes. On an exception, and when the disk is full, nothing is left behind.
    """

    def __init__(self, path: str | os.PathLike[str], spec: OutputSpec, source: FootageSpec) -> None:
        self._final = Path(path)
        self._hidden = partial_path(self._final)
        self._spec = spec
        self._size = (source.height, source.width)
        self._sources = files_of(source.path) if source.headers and spec.codec == "exr" else []
        self._first: int | None = None
        self._next = 0
        self._stamps: list[int] = []
        self._container: Any = None

    def __enter__(self) -> SegmentWriter:
        try:
            if self._spec.kind == "sequence":
                self._hidden.mkdir()
            else:
                self._open()
        except (av.FFmpegError, OSError, ValueError) as error:
            self._abandon()
            raise output_trouble(self._final, error) from error
        return self

    def _open(self) -> None:
        spec = self._spec
        silence_encoders()
        self._container = av.open(
            file_url(self._hidden), "w", format="matroska", container_options={"avoid_negative_ts": "disabled"}
        )
        self._container.flags |= av.container.Flags.bitexact.value
        self._stream = self._container.add_stream(encoder_of(spec), rate=spec.rate)
        configure(self._stream.codec_context, spec)
        self._stream.time_base = TICK
        self._maker = FrameMaker(
            pixel_format=spec.pixel_format,
            tags=spec.colour,
            height=spec.height,
            rotation=spec.rotation,
            mirrored=spec.mirrored,
            field_order=spec.field_order,
            depth="uint16" if spec.dtype == "uint16" else "uint8",
        )

    def write(self, frame: Frame, *, region: np.ndarray | None = None) -> None:
        """Add the next frame: an upright picture of the footage's size, in any depth. Raises ``OutputError``.

        ``region``: float32 H x W, above 0 where the picture may differ from the source's. Outside of it the frame's ``samples``
        (of the source's frame, for an output that ``keeps_samples``) are encoded as they are.

        Raises ``ValueError`` if the frame does not follow the one before it, or has another size.
        """
        if self._first is None:
            self._first = self._next = frame.index
        if frame.index != self._next:
            raise ValueError(f"a segment's frames are consecutive: expected frame {self._next}, got {frame.index}")
        if frame.picture.shape[:2] != self._size:
            raise ValueError(f"a picture is {self._size[0]} x {self._size[1]} (H x W), got {frame.picture.shape}")
        self._next += 1
        try:
            if self._spec.kind == "sequence":
                self._write_picture(frame)
            else:
                encoded = self._maker.make(frame.picture, frame.alpha)
                if frame.samples and region is not None:
                    spec = self._spec
                    keep_samples(
                        encoded,
                        frame.samples,
                        region,
                        rotation=spec.rotation,
                        mirrored=spec.mirrored,
                        fields=spec.field_order != "progressive",
                    )
                encoded.pts = frame.index - self._first
                encoded.time_base = 1 / self._spec.rate
                with usual_priority():
                    packets = self._stream.encode(encoded)
                self._mux(packets)
        except (av.FFmpegError, OSError) as error:
            raise output_trouble(self._final, error) from error

    def _write_picture(self, frame: Frame) -> None:
        spec = self._spec
        alpha = None
        if frame.alpha is not None and spec.has_alpha:
            alpha = to_depth(frame.alpha, spec.dtype, linear=False)
        save_picture(
            self._hidden / picture_name(frame.index),
            spec.codec,
            to_depth(frame.picture, spec.dtype, transfer=spec.colour.transfer),
            alpha,
            quality=spec.quality,
            like=self._sources[frame.index] if self._sources else None,
        )

    def _mux(self, packets: list[Any]) -> None:
        assert self._first is not None
        for packet in packets:
            packet.pts += self._first
            # Matroska keeps the coding order and the presentation times; decoding times need only grow (x265's may not).
            packet.dts = self._first + len(self._stamps) - _MOST_REORDERED
            packet.time_base = TICK
            packet.duration = 1
            self._stamps.append(packet.pts)
            self._container.mux_one(packet)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            if self._first is None:
                raise OutputError(f"no frame was written into {show_path(self._final)}")
            if self._container is not None:
                self._mux(self._stream.encode(None))
                self._container.close()
                if sorted(self._stamps) != list(range(self._first, self._next)):
                    raise OutputError(
                        f"{self._spec.codec} gave {len(self._stamps)} packets for {self._next - self._first} frames"
                    )
            finalise(self._hidden, self._final)
        except (av.FFmpegError, OSError, OutputError) as trouble:
            self._abandon()
            raise output_trouble(self._final, trouble) from trouble
        except BaseException:
            self._abandon()
            raise

    def _abandon(self) -> None:
        if self._container is not None:
            container, self._container, self._stream = self._container, None, None
            with suppress(av.FFmpegError, OSError):  # the disk is full, say: the file goes anyway
                container.close()
            del container
        discard(self._hidden)
