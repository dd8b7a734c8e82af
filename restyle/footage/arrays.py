"""Footage from arrays: pictures that a program holds become a lossless clip, which jobs read like any other."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from restyle.errors import FootageError

__all__ = ["save_arrays"]

FORMATS = {np.dtype(np.uint8): ("rgb24", "bgr0"), np.dtype(np.uint16): ("gbrp16le", "gbrp16le")}


def save_arrays(path: Path, frames: Iterable[np.ndarray], rate: Fraction) -> None:
    """Write frames as a clip without loss (FFV1 in Matroska), one at a time. ``frames``: H x W x 3 RGB, all of one size, uint8
    or uint16; an array of N x H x W x 3 is N of them. ``rate``: frames a second.

    The same frames give the same bytes. Raises ``FootageError`` for what is no picture, or not as the first one.
    """
    first: np.ndarray | None = None
    with av.open(str(path), "w", format="matroska", options={"fflags": "bitexact"}) as container:
        for number, frame in enumerate(frames):
            picture = np.asarray(frame)
            _check(picture, number, first)
            seen, kept = FORMATS[picture.dtype]
            if first is None:
                first = picture
                stream = container.add_stream("ffv1", rate=rate)
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = kept
            video = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=seen)
            video.pts, video.time_base = number, 1 / rate
            container.mux(stream.encode(video))
        if first is None:
            raise FootageError("there are no frames: an array of N x H x W x 3, or an iterable of pictures, is needed")
        container.mux(stream.encode())


def _check(picture: np.ndarray, number: int, first: np.ndarray | None) -> None:
    what = f"frame {number} is {' x '.join(map(str, picture.shape))} of {picture.dtype}"
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype not in FORMATS or not picture.size:
        raise FootageError(f"{what}: frames are H x W x 3 in RGB, uint8 or uint16")
    if first is not None and (picture.shape != first.shape or picture.dtype != first.dtype):
        raise FootageError(
            f"{what}, and the first is {' x '.join(map(str, first.shape))} of {first.dtype}: all are alike"
        )
