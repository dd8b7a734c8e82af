"""Clips for the benchmarks: made on the spot, or real ones brought to the benchmark's size."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

__all__ = ["moving_clip", "resized_clip"]


def moving_clip(path: Path, *, frames: int, width: int, height: int) -> Path:
    """A textured plane under a moving camera, with a disc that passes over it; a cut every 100 frames. H.264, 24 fps."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast", "crf": "18"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        plane = np.zeros(0)
        for number in range(frames):
            step = number % 100
            if step == 0:
                plane = _plane(number // 100, height * 2, width * 2)
            centre = (width + 0.5 * width * np.sin(step / 40), height + 0.3 * height * np.cos(step / 30))
            zoom = 1 + 0.1 * np.sin(step / 50)
            turn = cv2.getRotationMatrix2D(centre, 4 * np.sin(step / 25), zoom)
            turn[:, 2] += np.array([width / 2, height / 2]) - centre
            picture = cv2.warpAffine(
                plane, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
            )
            at = (int(width * (0.1 + 0.008 * step)), int(height * (0.5 + 0.2 * np.sin(step / 9))))
            cv2.circle(picture, at, height // 8, (220, 60, 40), -1, cv2.LINE_AA)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def resized_clip(source: Path, path: Path, *, width: int, height: int, frames: int | None = None) -> Path:
    """The first ``frames`` frames of a real clip, scaled to fill width x height (cropped, not squeezed), H.264 at crf 16."""
    with av.open(str(source)) as read, av.open(str(path), "w") as write:
        inward = read.streams.video[0]
        rate = inward.average_rate or Fraction(24)
        outward = write.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "16"})
        outward.width, outward.height, outward.pix_fmt = width, height, "yuv420p"
        for number, frame in enumerate(read.decode(inward)):
            if frames is not None and number >= frames:
                break
            picture = frame.to_ndarray(format="rgb24")
            scale = max(width / picture.shape[1], height / picture.shape[0])
            size = (max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale)))
            big = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
            top, left = (size[1] - height) // 2, (size[0] - width) // 2
            cut = np.ascontiguousarray(big[top : top + height, left : left + width])
            for packet in outward.encode(av.VideoFrame.from_ndarray(cut, format="rgb24")):
                write.mux(packet)
        for packet in outward.encode():
            write.mux(packet)
    return path


def _plane(seed: int, height: int, width: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for octave in (4, 8, 16, 32, 64, 128):
        grid = random.random((octave * height // width + 2, octave + 2, 3)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) / octave**0.6
    low, high = np.percentile(total, (1, 99))
    return (np.clip((total - low) / (high - low), 0, 1) * 255).astype(np.uint8)
