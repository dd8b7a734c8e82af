"""Small sound media of every kind that the documentation promises."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

__all__ = ["FRAMES", "KINDS", "moving", "pictures_in", "write_kind", "write_video"]

FRAMES = 12
RATE = 24
SIZE = (48, 64)
"""Height and width."""
VIDEOS: dict[str, tuple[str, str, str | None, str | None]] = {
    # name: video encoder, pixel format, audio encoder, muxer
    "h264.mp4": ("libx264", "yuv420p", "aac", None),
    "hevc.mp4": ("libx265", "yuv420p", "aac", None),
    "frag.mp4": ("libx264", "yuv420p", "aac", None),
    "prores.mov": ("prores_ks", "yuv422p10le", "pcm_s16le", None),
    "mjpeg.mov": ("mjpeg", "yuvj420p", "pcm_s24le", None),
    "h264.mkv": ("libx264", "yuv420p", "libopus", None),
    "ffv1.mkv": ("ffv1", "yuv420p", "flac", None),
    "vp9.webm": ("libvpx-vp9", "yuv420p", "libopus", None),
    "mjpeg.avi": ("mjpeg", "yuvj420p", "pcm_s16le", None),
    "mpeg4.avi": ("mpeg4", "yuv420p", "libmp3lame", None),
    "h264.ts": ("libx264", "yuv420p", "aac", None),
    "mpeg2.ts": ("mpeg2video", "yuv420p", "mp2", None),
    "turn.gif": ("gif", "rgb8", None, None),
    "turn.apng": ("apng", "rgb24", None, None),
    "bare.h264": ("libx264", "yuv420p", None, "h264"),
    "raw.y4m": ("wrapped_avframe", "yuv420p", None, "yuv4mpegpipe"),
}
STILLS = {
    "png": ("uint8", ".png"),
    "png16": ("uint16", ".png"),
    "jpeg": ("uint8", ".jpg"),
    "tiff": ("uint8", ".tif"),
    "tiff16": ("uint16", ".tif"),
    "webp": ("uint8", ".webp"),
    "exr": ("float32", ".exr"),
}
KINDS = (*VIDEOS, *STILLS)


def moving(count: int, *, cut: int | None = None, size: tuple[int, int] = SIZE) -> Iterator[np.ndarray]:
    """Pictures uint8 H x W x 3 of a texture that moves by two pixels a frame, and a bright block that moves against it; at
    ``cut`` another texture begins."""
    height, width = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    for number in range(count):
        phase = 40 if cut is not None and number >= cut else 0
        waves = [
            np.sin((x + 2 * number) * (0.21 + 0.07 * c) + phase + y * (0.13 + 0.02 * phase)) + np.sin(y * 0.37 + c)
            for c in range(3)
        ]
        picture = np.clip(np.stack(waves, axis=2) * 50 + 120, 0, 255).astype(np.uint8)
        left = 34 - number
        picture[18:32, left : left + 16] = (250, 240, 20)
        yield picture


def write_video(
    path: Path,
    *,
    count: int = FRAMES,
    cut: int | None = None,
    encoder: str = "libx264",
    pixels: str = "yuv420p",
    audio: str | None = None,
    muxer: str | None = None,
) -> Path:
    """Encode ``moving`` pictures, with a tone if ``audio`` names an encoder."""
    import av

    flags = {"movflags": "frag_keyframe+empty_moov"} if path.name.startswith("frag") else {}
    with av.open(f"file:{path}", "w", format=muxer, container_options=flags) as out:
        slow = {"preset": "ultrafast"} if encoder in ("libx264", "libx265") else {}
        if encoder == "libx265":
            slow["x265-params"] = "log-level=none"
        video = out.add_stream(encoder, rate=RATE, options=slow)
        video.height, video.width, video.pix_fmt = *SIZE, pixels
        video.codec_context.thread_count = 1
        tone = out.add_stream(audio, rate=48000) if audio else None
        packets = []
        for number, picture in enumerate(moving(count, cut=cut)):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            packets += video.encode(frame)
        packets += video.encode(None)
        if tone is not None:
            packets += _tone(tone, Fraction(count, RATE))
        packets.sort(key=lambda packet: packet.dts * packet.time_base if packet.dts is not None else -1)
        for packet in packets:
            out.mux(packet)
    return path


def _tone(stream: object, seconds: Fraction) -> list:
    import av

    context = stream.codec_context  # type: ignore[attr-defined]
    context.open()
    block = context.frame_size or 1024
    format = context.format.name
    packets = []
    for start in range(0, int(seconds * 48000), block):
        wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(start, start + block) / 48000)
        frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        for made in av.AudioResampler(format, context.layout.name, 48000).resample(frame):
            made.pts = start
            packets += context.encode(made)
    packets += context.encode(None)
    for packet in packets:
        packet.stream = stream
    return packets


def write_stills(folder: Path, dtype: str, suffix: str, *, count: int = FRAMES) -> Path:
    """Numbered pictures in ``folder``."""
    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
    import cv2

    folder.mkdir()
    scale = {"uint8": 1, "uint16": 257, "float32": 1 / 255}[dtype]
    for number, picture in enumerate(moving(count), 1):
        done, data = cv2.imencode(suffix, (picture[:, :, ::-1] * np.array(scale, dtype)).astype(dtype))
        assert done
        (folder / f"f.{number:04d}{suffix}").write_bytes(data.tobytes())
    return folder


def write_kind(folder: Path, kind: str) -> Path:
    """One medium of a kind, in ``folder``."""
    if kind in STILLS:
        return write_stills(folder / kind, *STILLS[kind])
    encoder, pixels, audio, muxer = VIDEOS[kind]
    return write_video(folder / kind, encoder=encoder, pixels=pixels, audio=audio, muxer=muxer)


def pictures_in(path: Path) -> list[bytes] | None:
    """Digest of each picture that FFmpeg gets out of a file, whatever is wrong with it; ``None``: it cannot be opened."""
    import av

    found: list[bytes] = []
    try:
        with av.open(f"file:{path}") as source:
            if not source.streams.video:
                return None
            stream = source.streams.video[0]
            for packet in _forgiving(source.demux(stream)):
                for frame in _forgiving(iter(packet.decode())):
                    planes = b"".join(bytes(plane) for plane in frame.planes)
                    found.append(hashlib.blake2b(planes, digest_size=8).digest())
    except (av.FFmpegError, OSError, ValueError):
        return found or None
    return found


def _forgiving(items: Iterator) -> Iterator:
    """What comes until something fails."""
    import av

    while True:
        try:
            yield next(items)
        except (StopIteration, av.FFmpegError):
            return
