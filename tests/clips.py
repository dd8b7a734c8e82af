"""Tiny real clips with known truth, for tests: ``from clips import moving_frames, write_clip, read_pictures``.

Written on PyAV and OpenCV alone, never on ``restyle.footage``, so that it can bear witness against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from restyle.footage.encoders import usual_priority

FULL = {"uint8": 255, "uint16": 65535, "float32": 1.0}

# Names as FFmpeg prints them -> numbers of ITU-T H.273.
PRIMARIES = {"bt709": 1, "bt470bg": 5, "smpte170m": 6, "bt2020": 9, "smpte432": 12}
TRANSFERS = {"bt709": 1, "smpte170m": 6, "iec61966-2-1": 13, "bt2020-10": 14, "smpte2084": 16, "arib-std-b67": 18}
MATRICES = {"bt709": 1, "bt470bg": 5, "smpte170m": 6, "bt2020nc": 9}
RANGES = {"tv": 1, "pc": 2}


def texture(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    """A smooth but richly textured picture: float64 height x width x 3 in [0, 1]; the same for the same seed."""
    # Fine detail is shared by the channels: 4:2:0 codecs keep colour at half the size.
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    out = np.zeros((height, width, 3))
    for channels, finest, strength in ((slice(None), 0.25, 1.0), (0, 0.03, 1.5), (1, 0.03, 1.5), (2, 0.03, 1.5)):
        for _ in range(6):
            fx, fy = rng.uniform(-finest, finest, 2)
            wave = strength * np.sin(2 * np.pi * (fx * x + fy * y) + rng.uniform(0, 2 * np.pi))
            out[..., channels] += wave if isinstance(channels, int) else wave[..., None]
    out -= out.min()
    return out / out.max()


def moving_frames(
    n: int,
    size: tuple[int, int] = (96, 64),
    *,
    shift: tuple[int, int] = (2, 1),
    dtype: str = "uint8",
    seed: int = 0,
    cuts: Sequence[int] = (),
    box: bool = False,
) -> list[np.ndarray]:
    """``n`` pictures height x width x 3 of ``dtype``; ``size`` is (width, height).

    The picture's content moves by exactly ``shift`` = (dx, dy) whole pixels a frame: ``frames[t + 1][y + dy, x + dx]``
    equals ``frames[t][y, x]``. At each frame number in ``cuts`` a new scene (another texture) begins. ``box`` lays
    a still bright rectangle in the middle, which hides what passes behind it.
    """
    width, height = size
    dx, dy = shift
    frames = []
    canvas: np.ndarray | None = None
    for t in range(n):
        if canvas is None or t in cuts:
            canvas = texture(height + abs(dy) * n, width + abs(dx) * n, seed=seed + 101 * t)
            origin = t
        left, top = -dx * (t - origin), -dy * (t - origin)
        left += abs(dx) * n if dx > 0 else 0
        top += abs(dy) * n if dy > 0 else 0
        picture = canvas[top : top + height, left : left + width].copy()
        if box:
            picture[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = (0.9, 0.8, 0.1)
        frames.append(as_depth(picture, dtype))
    return frames


def numbered_frames(n: int, size: tuple[int, int] = (96, 64), *, dtype: str = "uint8") -> list[np.ndarray]:
    """Pictures whose number survives any lossy codec: see ``number_of``. Up to 256 frames."""
    width, height = size
    frames = []
    for t in range(n):
        picture = np.full((height, width, 3), 0.5)
        for bit in range(8):
            left, right = bit * width // 8, (bit + 1) * width // 8
            picture[:, left:right] = 0.9 if t >> bit & 1 else 0.1
        frames.append(as_depth(picture, dtype))
    return frames


def number_of(picture: np.ndarray) -> int:
    """The number that ``numbered_frames`` drew into a picture."""
    width = picture.shape[1]
    full = FULL[str(picture.dtype)]
    bits = [picture[:, b * width // 8 : (b + 1) * width // 8].mean() > full / 2 for b in range(8)]
    return sum(1 << b for b, on in enumerate(bits) if on)


def as_depth(picture: np.ndarray, dtype: str) -> np.ndarray:
    """A picture of floats in [0, 1] in the named depth."""
    if dtype == "float32":
        return np.ascontiguousarray(picture, np.float32)
    return np.ascontiguousarray(np.round(np.clip(picture, 0, 1) * FULL[dtype]).astype(dtype))


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB, over the depth's full scale."""
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return 99.0 if error == 0 else float(10 * np.log10(FULL[str(a.dtype)] ** 2 / error))


def write_clip(
    path: Path | str,
    frames: Iterable[np.ndarray],
    *,
    rate: Fraction | int = 25,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    audio: bool | str = False,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    rotation: int = 0,
    display_matrix: Sequence[int] | None = None,
    pixel_aspect: Fraction | None = None,
    colour: Mapping[str, str] | None = None,
    timecode: str | None = None,
    metadata: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    muxer: str | None = None,
    muxer_options: Mapping[str, str] | None = None,
) -> Path:
    """Encode RGB pictures (uint8 or uint16) into a real file.

    ``audio``: ``True`` = a 440 Hz tone in AAC (Opus in .webm, PCM in .avi), or the name of an encoder.
    ``pts``: time stamps in ``time_base`` ticks (default: one a frame at ``rate``), for variable frame rates.
    ``rotation``: degrees counter-clockwise to turn the stored picture for display. ``colour``: any of ``primaries``,
    ``transfer``, ``matrix``, ``range`` by FFmpeg's names; the pixels follow (default: bt601, limited).
    """
    path = Path(path)
    rate = Fraction(rate)
    base = time_base or 1 / rate
    frames = list(frames)
    times = list(pts) if pts is not None else list(range(len(frames)))
    colour = dict(colour or {})
    with av.open(f"file:{path}", "w", format=muxer, container_options=dict(muxer_options or {})) as out:
        out.metadata.update(metadata or {})
        video = out.add_stream(codec, rate=rate, options=dict(options or {}))
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = pixel_format
        context = video.codec_context
        context.time_base = base
        video.time_base = base
        context.thread_count = 1
        if "primaries" in colour:
            context.color_primaries = PRIMARIES[colour["primaries"]]
        if "transfer" in colour:
            context.color_trc = TRANSFERS[colour["transfer"]]
        if "matrix" in colour:
            context.colorspace = MATRICES[colour["matrix"]]
        if "range" in colour:
            context.color_range = RANGES[colour["range"]]
        if pixel_aspect is not None:
            context.sample_aspect_ratio = pixel_aspect
        if rotation:
            video.set_display_rotation(rotation)
        if display_matrix is not None:
            video.set_display_matrix(display_matrix)
        if timecode is not None:
            (out if path.suffix == ".avi" else video).metadata["timecode"] = timecode
        tone = _add_tone(out, path, audio) if audio else None
        matrix = {"bt709": Colorspace.ITU709, "bt2020nc": Colorspace.BT2020}.get(
            colour.get("matrix", ""), Colorspace.ITU601
        )
        full = colour.get("range") == "pc" or pixel_format.startswith("yuvj")
        rgb_out = pixel_format.startswith(("rgb", "bgr", "gbr"))
        packets = []
        for picture, when in zip(frames, times, strict=True):
            name = "rgb24" if picture.dtype == np.uint8 else "rgb48le"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), name)
            if rgb_out:
                frame = frame.reformat(format=pixel_format)
            else:
                frame = frame.reformat(
                    format=pixel_format,
                    dst_colorspace=matrix,
                    src_color_range=ColorRange.JPEG,
                    dst_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
                    interpolation="BICUBIC",
                )
            frame.pts, frame.time_base = when, base
            with usual_priority():
                packets += video.encode(frame)
        packets += video.encode(None)
        if tone is not None:
            length = (times[-1] + (times[-1] - times[-2] if len(times) > 1 else 1)) * base
            packets += _tone_packets(tone, length)
        packets.sort(key=lambda p: (p.dts * p.time_base, p.stream_index))
        for packet in packets:
            out.mux(packet)
    return path


def _add_tone(out: av.container.OutputContainer, path: Path, audio: bool | str) -> av.AudioStream:
    name = audio if isinstance(audio, str) else {".webm": "libopus", ".avi": "pcm_s16le"}.get(path.suffix, "aac")
    stream = out.add_stream(name, rate=48000)
    stream.codec_context.layout = "mono"
    return stream


def _tone_packets(stream: av.AudioStream, seconds: Fraction) -> list[av.Packet]:
    total = int(seconds * 48000)
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(total) / 48000)
    packets = []
    stream.codec_context.open(strict=False)
    step = stream.codec_context.frame_size or 1024
    for start in range(0, total, step):
        part = wave[start : start + step].astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(part, "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def read_pictures(path: Path | str, *, pixel_format: str = "rgb24") -> list[np.ndarray]:
    """Every picture of a video file (or of a folder, in the order of the names), RGB, not turned upright."""
    path = Path(path)
    if path.is_dir():
        return [read_picture(p) for p in sorted(path.glob("[!.]*"))]
    with av.open(f"file:{path}") as source:
        stream = source.streams.video[0]
        matrix = {1: Colorspace.ITU709, 9: Colorspace.BT2020}.get(stream.codec_context.colorspace)
        if matrix is None:
            matrix = Colorspace.ITU709 if stream.codec_context.colorspace == 2 and stream.height >= 720 else None
        return [
            np.ascontiguousarray(
                frame.to_ndarray(
                    format=pixel_format,
                    src_colorspace=matrix if matrix is not None else Colorspace.ITU601,
                    dst_color_range=ColorRange.JPEG,
                    interpolation="BICUBIC",
                )
            )
            for frame in source.decode(stream)
        ]


def read_picture(path: Path | str) -> np.ndarray:
    """One still, RGB, in its own depth."""
    import os

    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
    import cv2

    data = cv2.imdecode(np.frombuffer(Path(path).read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if data is None:
        raise ValueError(f"{path} is no picture")
    if data.ndim == 2:
        data = np.repeat(data[..., None], 3, axis=2)
    return np.ascontiguousarray(data[..., 2::-1])


def write_pictures(
    folder: Path | str, frames: Iterable[np.ndarray], pattern: str = "frame.%04d.png", first: int = 1
) -> Path:
    """An image sequence in ``folder`` (made if needed); gives the pattern's path. uint8, uint16, or float32 for EXR."""
    import os

    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
    import cv2

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    suffix = Path(pattern).suffix
    for number, picture in enumerate(frames, first):
        order = [2, 1, 0, 3][: picture.shape[2]]
        done, data = cv2.imencode(suffix, np.ascontiguousarray(picture[..., order]))
        if not done:
            raise ValueError(f"cannot write {suffix}")
        (folder / (pattern % number)).write_bytes(data.tobytes())
    return folder / pattern


def read_pts(path: Path | str) -> list[Fraction]:
    """Presentation times in seconds, ascending, as the container's packets tell them."""
    with av.open(f"file:{path}") as source:
        stream = source.streams.video[0]
        assert stream.time_base is not None
        return sorted(p.pts * stream.time_base for p in source.demux(stream) if p.pts is not None and p.size)


def stream_packets(path: Path | str, kind: str = "audio", index: int = 0) -> list[tuple[Fraction, bytes]]:
    """(time in seconds, payload) of every packet of one stream, in file order."""
    with av.open(f"file:{path}") as source:
        stream = getattr(source.streams, kind)[index]
        return [(p.pts * p.time_base, bytes(p)) for p in source.demux(stream) if p.pts is not None and p.size]
