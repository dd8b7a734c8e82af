"""Preview clips: footage above its result in one small H.264 stream, so that both can be shown in step.

A preview is encoded window by window, while the frames are in memory, as raw H.264 streams that begin with an IDR picture each
(ITU-T H.264, annex B): joined, they are one stream.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from interp.pixels.depth import to_uint8
from interp.pixels.sizes import scaled_size, shrunk
from restyle.footage.colour import MATRICES, PRIMARIES, RANGES, TRANSFERS, FrameMaker, number_of_tag
from restyle.types import ColourTags, FootageSpec

__all__ = ["PreviewEncoder", "join_previews", "preview_size"]

LONG_SIDE = 640  # pixels, of either picture
TAGS = ColourTags("bt709", "bt709", "bt709", "tv")
OPTIONS = {
    "preset": "superfast",
    "crf": "33",
    # x264's AVX-512 code weighs macroblocks by memory that nobody has set: other bytes. The rate is held to 2 Mbit/s.
    "x264-params": "asm=avx2:vbv-maxrate=2000:vbv-bufsize=2000",
}


def preview_size(spec: FootageSpec) -> tuple[int, int]:
    """Width and height of either picture, both even: of the footage as it is shown, never enlarged."""
    wide = spec.width * float(spec.pixel_aspect)
    scale = min(1.0, LONG_SIDE / max(wide, spec.height))
    width, height = scaled_size(round(wide), spec.height, scale)
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


class PreviewEncoder:
    """Encodes pairs of frames. The same pairs give the same bytes, whatever the machine."""

    def __init__(self, spec: FootageSpec) -> None:
        self._size = width, height = preview_size(spec)
        self._context = av.CodecContext.create("libx264", "w")
        self._context.width, self._context.height = width, 2 * height
        self._context.pix_fmt = "yuv420p"
        self._context.framerate = spec.rate
        self._context.time_base = 1 / spec.rate
        self._context.thread_count = 1
        self._context.max_b_frames = 0  # packets in the order in which they are shown
        self._context.gop_size = max(1, round(spec.rate / 2))  # a step back decodes half a second at most
        self._context.flags |= av.codec.context.Flags.bitexact
        self._context.color_primaries = number_of_tag(PRIMARIES, TAGS.primaries)
        self._context.color_trc = number_of_tag(TRANSFERS, TAGS.transfer)
        self._context.colorspace = number_of_tag(MATRICES, TAGS.matrix)
        self._context.color_range = number_of_tag(RANGES, TAGS.range, unknown=0)
        self._context.options = OPTIONS
        self._maker = FrameMaker(pixel_format="yuv420p", tags=TAGS, height=2 * height, rotation=0, depth="uint8")
        self._data = io.BytesIO()
        self._count = 0

    def add(self, source: np.ndarray, result: np.ndarray) -> None:
        """Encode the next pair: pictures H x W x 3 RGB of any depth, of the footage's size."""
        width, height = self._size
        both = np.empty((2 * height, width, 3), np.uint8)
        for part, picture in ((both[:height], source), (both[height:], result)):
            small = to_uint8(shrunk(picture, 2 * LONG_SIDE))
            cv2.resize(small, (width, height), dst=part, interpolation=cv2.INTER_AREA)
        frame = self._maker.make(both, None)
        frame.pts = self._count
        self._count += 1
        self._take(self._context.encode(frame))

    def finish(self) -> bytes:
        """End the stream and give it."""
        if self._count:
            self._take(self._context.encode(None))
        return self._data.getvalue()

    def _take(self, packets: Sequence[av.Packet[av.VideoStream]]) -> None:
        for packet in packets:
            self._data.write(bytes(packet))


def join_previews(streams: Sequence[bytes], rate: Fraction) -> bytes:
    """Join encoders' streams into one MP4 file, without encoding again. Raises ``av.FFmpegError`` for damaged ones."""
    joined, data = io.BytesIO(b"".join(streams)), io.BytesIO()
    target: Any = av.open(data, "w", format="mp4")
    with av.open(joined, "r", format="h264") as source, target:
        target.flags |= av.container.Flags.bitexact.value
        stream = target.add_stream_from_template(source.streams.video[0])
        base = 1 / rate
        stream.time_base = base
        packets = [packet for packet in source.demux(video=0) if packet.size]
        for number, packet in enumerate(packets):
            packet.stream, packet.time_base = stream, base
            packet.pts = packet.dts = number
            packet.duration = 1
            target.mux_one(packet)
    return data.getvalue()
