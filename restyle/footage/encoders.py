"""The video codecs: their encoders, containers, pixel formats, and how quality maps to each one's own scale."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from restyle.footage.colour import MATRICES, PRIMARIES, RANGES, TRANSFERS, number_of_tag
from restyle.footage.hdr import hdr10_options
from restyle.footage.samples import planar
from restyle.types import FootageSpec

if TYPE_CHECKING:
    from restyle.footage.output import OutputSpec

__all__ = [
    "CODECS",
    "Codec",
    "configure",
    "encoder_of",
    "encoder_options",
    "fourcc",
    "silence_encoders",
    "usual_priority",
]

_THREADS = 4
"""Fixed, whatever the machine: x264's and x265's choices, and so the bytes, depend on the number of threads."""


@dataclass(frozen=True)
class Codec:
    """One way to encode video."""

    name: str
    encoder: str
    """FFmpeg's encoder."""
    containers: tuple[str, ...]
    scale: tuple[float, float, float] | None
    """The encoder's own measure at quality 0, 80 and 100; ``None``: lossless, or by profile."""
    even: bool = False
    """Subsampled pictures must have even sides; odd ones are encoded without subsampling."""
    limited_only: bool = False
    """The codec has no full range."""
    fields: bool = False
    """The encoder codes the two fields of a frame, and says which is first."""
    tag: str | None = None
    """FourCC in mp4 and mov, where the muxer's own choice is not what players expect."""

    def bits(self, layout: str) -> int:
        """Bits a channel of a pixel format."""
        return max(c.bits for c in av.VideoFormat(layout).components)

    def layout(self, source: FootageSpec, width: int, height: int, container: str, notes: list[str]) -> str:
        """Choose the pixel format: the source's depth, chroma and alpha as far as the encoder and the container have them.

        ``notes`` gets the rest."""
        bits = 8 if source.dtype == "uint8" else min(16, max(10, source.bits)) if source.dtype == "uint16" else 16
        if self.name == "ffv1-yuv" and not source.has_alpha and (own := planar(source.pixel_format)) is not None:
            return own  # what is not changed keeps its very samples
        if self.encoder == "ffv1":
            # RGB, so that every picture comes back bit for bit.
            if bits == 8:
                return "bgra" if source.has_alpha else "bgr0"
            return "gbrap16le" if source.has_alpha else "gbrp16le"
        chroma = next((c for c in ("444", "422", "420") if c in source.pixel_format), "420")
        if self.name == "prores":
            # Odd widths: the encoder gets the last column of subsampled colour wrong.
            chroma = "444" if source.has_alpha or (chroma == "444" and bits > 8) or width % 2 else "422"
            return "yuva444p10le" if source.has_alpha else f"yuv{chroma}p10le"
        if self.name == "mjpeg" and source.kind == "sequence":
            chroma = "422"
        if self.name == "vp9" and source.has_alpha and container in ("matroska", "webm"):
            if bits > 8:
                notes.append(f"vp9 takes 8 bits a channel beside alpha; the footage's {source.bits} are reduced")
            return "yuva420p"
        odd = (width % 2 and chroma != "444") or (height % 2 and chroma == "420")
        if self.even and odd:
            chroma = "444"
        if source.has_alpha:
            notes.append(f"{self.name} carries no alpha; it is left out (prores, ffv1, png and .webm keep it)")
        # 16-bit and 12-bit sources become 10-bit where there is no more; 14 and 16 bits have no lossy codec at all.
        depths = [12, 10, 8] if bits == 12 else [10, 8] if bits > 8 else [8]
        formats = {f.name for f in av.codec.Codec(self.encoder, "w").video_formats or ()}
        for depth in depths:
            for form in (chroma, "420"):
                name = f"yuv{form}p" + (f"{depth}le" if depth > 8 else "")
                if name in formats and not (self.even and odd and form == "420"):
                    if depth < bits and not (depth == 10 and bits > 12):
                        notes.append(
                            f"{self.name} takes {depth} bits a channel here; the footage's {source.bits} are reduced"
                        )
                    if form != chroma:
                        notes.append(
                            f"{self.name} halves the colour's resolution here (4:2:0); the footage has {':'.join(chroma)}"
                        )
                    return name
        return f"yuv{chroma}p"


CODECS = {
    codec.name: codec
    for codec in (
        Codec("h264", "libx264", ("mp4", "mov", "matroska"), (45, 17, 6), even=True, fields=True),
        Codec("hevc", "libx265", ("mp4", "mov", "matroska"), (45, 17, 6), even=True, tag="hvc1"),
        Codec("vp9", "libvpx-vp9", ("mp4", "matroska", "webm"), (60, 20, 4)),
        Codec("av1", "libsvtav1", ("mp4", "matroska", "webm"), (60, 16, 4)),
        Codec("prores", "prores_aw", ("mov", "matroska"), None, limited_only=True, fields=True),
        Codec("ffv1", "ffv1", ("matroska", "avi"), None, fields=True),
        Codec("ffv1-yuv", "ffv1", ("matroska", "avi"), None, fields=True),
        Codec("mjpeg", "mjpeg", ("mov", "matroska", "avi"), (25, 3, 2)),
    )
}
"""The video codecs by name."""

_PRORES = ((25, "0", "apco"), (50, "1", "apcs"), (70, "2", "apcn"), (101, "3", "apch"))
"""Quality below which it holds, the encoder's profile (proxy, LT, 422, 422 HQ), and its FourCC."""


def _measure(codec: Codec, quality: int) -> float:
    """Map a quality of 0 to 100 to the encoder's own scale, linearly between its three known points."""
    assert codec.scale is not None
    worst, good, best = codec.scale
    if quality <= 80:
        return worst + (good - worst) * quality / 80
    return good + (best - good) * (quality - 80) / 20


def prores_profile(quality: int, pixel_format: str) -> tuple[str, str]:
    """The encoder's profile and the FourCC."""
    if "444" in pixel_format:
        return "4", "ap4h"
    return next((name, tag) for below, name, tag in _PRORES if quality < below)


def encoder_of(spec: OutputSpec) -> str:
    """FFmpeg's encoder for an output."""
    if spec.codec == "prores" and spec.width % 2:
        return "prores_ks"  # six times as slow as prores_aw and 8 dB off its quality, but it takes odd widths
    return CODECS[spec.codec].encoder


def fourcc(spec: OutputSpec) -> str | None:
    """The FourCC to write, where the muxer must be told."""
    if spec.codec == "prores":
        return prores_profile(spec.quality, spec.pixel_format)[1]
    return CODECS[spec.codec].tag if spec.container in ("mp4", "mov") else None


@cache
def _has_avx512() -> bool:
    try:
        return "avx512f" in Path("/proc/cpuinfo").read_text()
    except OSError:  # not Linux
        return False


def encoder_options(spec: OutputSpec) -> dict[str, str]:
    """Options of the encoder: fast presets, fixed quality, closed groups of pictures; which field is first; what HDR10 adds."""
    options = _options(spec.codec, spec.quality, spec.pixel_format, spec.width * spec.height)
    added = [] if spec.hdr10 is None else [hdr10_options(spec.codec, spec.hdr10)]
    if spec.codec == "h264" and spec.field_order != "progressive":
        added.append("tff=1" if spec.field_order == "top" else "bff=1")
    if added:
        params = {"h264": "x264-params", "hevc": "x265-params", "av1": "svtav1-params"}[spec.codec]
        options[params] = ":".join([*filter(None, [options.get(params)]), *added])
    return options


def _options(name: str, quality: int, pixel_format: str, pixels: int) -> dict[str, str]:
    codec = CODECS[name]
    if name == "h264":
        options = {"preset": "veryfast", "crf": f"{_measure(codec, quality):.4g}"}
        if _has_avx512():
            # x264's AVX-512 code weighs macroblocks by memory that nobody has set: the same pictures, other bytes.
            options["x264-params"] = "asm=avx2"
        return options
    if name == "hevc":
        params = f"log-level=none:open-gop=0:info=0:pools={_THREADS}:frame-threads=2"
        return {"preset": "veryfast", "crf": f"{_measure(codec, quality):.4g}", "x265-params": params}
    if name == "vp9":
        scale = str(round(_measure(codec, quality)))
        return {"deadline": "realtime", "cpu-used": "7", "crf": scale, "b": "0", "row-mt": "1", "tile-columns": "2"}
    if name == "av1":
        return {"preset": "10", "crf": str(round(_measure(codec, quality))), "svtav1-params": f"lp={_THREADS}"}
    if name == "prores":
        return {"profile": prores_profile(quality, pixel_format)[0], "vendor": "apl0"}
    if CODECS[name].encoder == "ffv1":
        return {"level": "3", "coder": "1", "context": "0", "slices": "4" if pixels >= 4096 else "1", "slicecrc": "1"}
    scale = str(round(_measure(codec, quality)))
    return {"qmin": scale, "qmax": scale, "huffman": "optimal"}


def configure(context: Any, spec: OutputSpec) -> None:
    """Set up an encoder (a ``VideoCodecContext``) for an output."""
    codec = CODECS[spec.codec]
    context.width, context.height = spec.width, spec.height
    context.pix_fmt = spec.pixel_format
    context.framerate = spec.rate
    context.time_base = 1 / spec.rate
    context.thread_count = (
        1 if codec.name == "mjpeg" else _THREADS
    )  # quick enough, and frame threads upset its quantiser
    context.thread_type = "AUTO"
    context.flags |= av.codec.context.Flags.bitexact
    context.gop_size = 1 if codec.name in ("ffv1", "ffv1-yuv", "mjpeg", "prores") else max(1, round(2 * spec.rate))
    context.sample_aspect_ratio = spec.pixel_aspect
    tags = spec.colour
    context.color_primaries = number_of_tag(PRIMARIES, tags.primaries)
    context.color_trc = number_of_tag(TRANSFERS, tags.transfer)
    context.colorspace = number_of_tag(MATRICES, tags.matrix)
    context.color_range = number_of_tag(RANGES, tags.range, unknown=0)
    if spec.field_order != "progressive":
        context.flags |= av.codec.context.Flags.interlaced_dct | av.codec.context.Flags.interlaced_me
        context.field_order = {"top": 2, "bottom": 3}[spec.field_order]  # AVFieldOrder
    context.options = encoder_options(spec)


def silence_encoders() -> None:
    """Keep SVT-AV1 from writing on standard error, by its environment; errors still come out as exceptions."""
    os.environ.setdefault("SVT_LOG", "0")


@contextmanager
def usual_priority() -> Iterator[None]:
    """Keep SVT-AV1 from making this thread and its own real-time ones, which it does where root opens it: nothing else on the
    machine gets past them, and processes that are begun later inherit it."""
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    before, rank = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if (now := os.sched_getscheduler(0)) != before:
            for thread in map(int, os.listdir("/proc/self/task")):
                with suppress(OSError):  # it may have ended meanwhile
                    if os.sched_getscheduler(thread) == now:
                        os.sched_setscheduler(thread, before, rank)
