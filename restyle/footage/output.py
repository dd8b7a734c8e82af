"""Output formats: container, codec, pixel format, colour, chosen by the output's name and by the footage."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np

from restyle.errors import OutputError, show_path, why
from restyle.footage.colour import FrameMaker, has_alpha
from restyle.footage.companions import Companion, plan_companions
from restyle.footage.encoders import (
    CODECS,
    Codec,
    configure,
    encoder_of,
    encoder_options,
    silence_encoders,
    usual_priority,
)
from restyle.footage.formats import FORMATS
from restyle.footage.hdr import HDR_CODECS
from restyle.footage.numbering import Numbering
from restyle.footage.opening import reason
from restyle.footage.timecode import label_rate
from restyle.types import ColourTags, Depth, FootageSpec, Hdr10

__all__ = ["CODECS", "CONTAINERS", "PICTURES", "OutputSpec", "output_trouble", "plan_output"]

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".avi": "avi"}
"""Muxer by file name extension."""
PICTURES = ("png", "jpeg", "tiff", "webp", "exr")
DEFAULT_QUALITY = 80


@dataclass(frozen=True)
class OutputSpec:
    """Format of an output. Built by ``plan_output``."""

    path: str
    """The file, the sequence pattern (``out/frame.%04d.png``) or the folder."""
    kind: Literal["video", "sequence"]
    container: str
    """FFmpeg's muxer (``mp4``, ``mov``, ``matroska``, ``webm``, ``avi``), or "" for a sequence."""
    codec: str
    """Name in ``CODECS`` (``h264``), or the picture format (``png``)."""
    pixel_format: str
    width: int
    """Width of the picture as it is stored: with a rotation tag, before it is turned upright."""
    height: int
    dtype: Depth
    """Depth in which pictures reach the encoder; ``SegmentWriter`` converts."""
    rate: Fraction
    quality: int
    """0 (worst) to 100; 80 is about visually lossless. Lossless codecs ignore it."""
    colour: ColourTags
    hdr10: Hdr10 | None = None
    rotation: int = 0
    """The rotation tag that is written, degrees counter-clockwise. 0 where the container carries none: stored upright."""
    mirrored: bool = False
    """True if the tag mirrors the stored picture left to right, before it is turned."""
    field_order: Literal["progressive", "top", "bottom"] = "progressive"
    """Field that is first of a frame's two, where the result is flagged as interlaced."""
    pixel_aspect: Fraction = Fraction(1)
    """Aspect of the stored picture's pixels."""
    has_alpha: bool = False
    companions: tuple[Companion, ...] = ()
    """Other streams of the source that come along."""
    notes: tuple[str, ...] = ()
    """Remarks for a person: depth or alpha that the codec cannot hold; sound that changes; what is left out."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a picture is at least 1x1, got {self.width}x{self.height}")
        if not 0 <= self.quality <= 100:
            raise ValueError(f"quality is 0 to 100, got {self.quality}")

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the bytes of a segment, as plain JSON."""
        tags = self.colour
        return {
            "kind": self.kind,
            "codec": self.codec,
            "pixel_format": self.pixel_format,
            "size": [self.width, self.height],
            "dtype": self.dtype,
            "rate": str(self.rate),
            "quality": self.quality,
            "colour": [tags.primaries, tags.transfer, tags.matrix, tags.range],
            "rotation": self.rotation,
            "mirrored": self.mirrored,
            "field_order": self.field_order,
            "pixel_aspect": str(self.pixel_aspect),
            "options": encoder_options(self) if self.kind == "video" else {},
        }

    @property
    def target(self) -> Path:
        """Path to lock: the file or folder that appears, or the pattern of pictures that go into a folder which is there."""
        if self.kind == "video":
            return Path(self.path)
        numbering = self.numbering
        folder = numbering.folder
        return folder / f"{numbering.prefix}%0{numbering.digits}d{numbering.suffix}" if folder.is_dir() else folder

    @property
    def numbering(self) -> Numbering:
        """Names of a sequence output's pictures."""
        pattern = Numbering.of(self.path)
        if pattern is not None and Path(self.path).suffix.lower() in FORMATS:
            return pattern
        suffix = {"jpeg": ".jpg", "tiff": ".tif"}.get(self.codec, "." + self.codec)
        return Numbering(Path(self.path), "frame.", 4, suffix)


def plan_output(
    source: FootageSpec,
    path: str | os.PathLike[str],
    *,
    codec: str | None = None,
    quality: int | None = None,
    sound: Literal["keep", "stretch", "drop"] = "keep",
    slow: Fraction = Fraction(1),
) -> OutputSpec:
    """Decide how the output is written.

    The container follows the name: .mp4, .mov, .mkv, .webm, .avi; ``name.%04d.png`` (or .jpg, .tif, .webp, .exr) is an image
    sequence, and so is a folder, as PNG or as ``codec`` says. ``codec``: one of ``CODECS``, or a picture format. ``quality``:
    0 to 100, 80 if not given, mapped to the codec's own scale. Depth, chroma, colour tags, pixel aspect and rotation are those
    of the source as far as the codec and the container carry them; ``notes`` say what they do not. ``sound``, ``slow``: of an
    output that lasts longer than its source: see ``plan_companions``, which decides what comes along beside the pictures.

    Raises ``OutputError`` in one line for a pair that cannot be, with what can.
    """
    target = Path(path)
    chosen = DEFAULT_QUALITY if quality is None else quality
    if not 0 <= chosen <= 100:
        raise OutputError(f"quality is 0 to 100, got {chosen}")
    codec = {"h265": "hevc", "x264": "h264", "x265": "hevc", "jpg": "jpeg", "tif": "tiff"}.get(codec or "", codec)
    if codec is not None and codec not in CODECS and codec not in PICTURES:
        raise OutputError(f"unknown codec {codec!r}; there are {', '.join(CODECS)}; for pictures {', '.join(PICTURES)}")
    suffix = target.suffix.lower()
    if suffix in CONTAINERS and not target.is_dir():
        spec = _plan_video(source, target, suffix, codec, chosen)
        companions = plan_companions(source, spec.path, spec.container, sound=sound, slow=slow)
        return replace(spec, companions=companions.streams, notes=(*spec.notes, *companions.notes))
    if suffix in FORMATS and not target.is_dir():
        if Numbering.of(target) is None:
            raise OutputError(
                f"{show_path(path)} is one picture, the footage is a film: number them, as {target.stem}.%04d{target.suffix}"
            )
        if codec is not None and codec != FORMATS[suffix]:
            raise OutputError(f"{show_path(path)} is named {suffix}, which cannot hold {codec}; leave out the codec")
        return _plan_sequence(source, target, FORMATS[suffix], chosen)
    if suffix and not target.is_dir() and codec is None:
        raise OutputError(
            f"{show_path(path)}: no output is known for {suffix!r}; there are {', '.join(CONTAINERS)}, "
            "a picture sequence (frame.%04d.png), or a folder"
        )
    if codec is not None and codec not in PICTURES:
        raise OutputError(
            f"{show_path(path)} is a folder of pictures, which cannot hold {codec}; choose {', '.join(PICTURES)}"
        )
    return _plan_sequence(source, target, codec or "png", chosen)


def _plan_sequence(source: FootageSpec, path: Path, kind: str, quality: int) -> OutputSpec:
    depth: Depth = source.dtype
    if kind in ("jpeg", "webp"):
        depth = "uint8"
    elif kind == "exr":
        depth = "float32"
    elif kind == "png" and depth == "float32":
        depth = "uint16"
    notes = []
    if depth == "uint8" and source.dtype != "uint8":
        notes.append(f"{kind} holds 8 bits a channel; the footage's {source.bits} are reduced")
    if source.hdr10 is not None:
        notes.append(_without_hdr10(kind))
    if source.has_alpha and kind == "jpeg":
        notes.append("jpeg holds no alpha; it is left out")
    if source.field_order != "progressive":
        notes.append(f"pictures are not flagged as interlaced; their fields stay, {source.field_order} field first")
    return OutputSpec(
        path=os.fspath(path),
        kind="sequence",
        container="",
        codec=kind,
        pixel_format={"uint8": "rgb24", "uint16": "rgb48le", "float32": "rgbf32le"}[depth],
        width=source.width,
        height=source.height,
        dtype=depth,
        rate=source.rate,
        quality=quality,
        colour=source.colour,
        pixel_aspect=source.pixel_aspect,
        has_alpha=source.has_alpha and kind != "jpeg",
        notes=tuple(notes),
    )


def _plan_video(source: FootageSpec, path: Path, suffix: str, codec: str | None, quality: int) -> OutputSpec:
    container = CONTAINERS[suffix]
    name = codec or _default_codec(suffix, source)
    entry = CODECS.get(name)
    if entry is None or container not in entry.containers:
        fits = [n for n, c in CODECS.items() if container in c.containers]
        holders = [s for s, c in CONTAINERS.items() if entry and c in entry.containers and s != ".m4v"]
        other = (
            f"; {name} goes into {', '.join(holders)}" if holders else f"; {name} is a picture format: name a sequence"
        )
        raise OutputError(f"{show_path(path)}: {suffix} cannot hold {name}; it takes {', '.join(fits)}{other}")
    if container == "avi" and source.variable_rate:
        raise OutputError(
            f"{show_path(path)}: .avi has no variable frame rate, which the footage has; choose .mov, .mp4 or .mkv"
        )
    tagged = container in ("mp4", "mov")
    rotation = source.rotation if tagged else 0
    turned = rotation % 180 != 0
    width, height = (source.height, source.width) if turned else (source.width, source.height)
    notes: list[str] = []
    layout = entry.layout(source, width, height, container, notes)
    if container == "avi" and entry.encoder == "ffv1" and source.pixel_aspect != 1:
        notes.append(".avi holds no pixel aspect; players will show the picture with square pixels")
    order = source.field_order
    if order != "progressive":
        trouble = _field_trouble(source, entry, layout, height, tagged)
        if trouble is not None:
            notes.append(
                f"the result is not flagged as interlaced, {order} field first, though its fields stay: {trouble}"
            )
            order = "progressive"
    if source.hdr10 is not None and name not in HDR_CODECS:
        notes.append(_without_hdr10(name))
    if source.timecode and label_rate(source.timecode, source.rate, variable=source.variable_rate) is None:
        notes.append(
            f"the timecode {source.timecode!r} cannot be counted at {float(source.rate):.6g} frames a second; it is left out"
        )
    spec = OutputSpec(
        path=os.fspath(path),
        kind="video",
        container=container,
        codec=name,
        pixel_format=layout,
        width=width,
        height=height,
        dtype="uint16" if entry.bits(layout) > 8 else "uint8",
        rate=source.rate,
        quality=quality,
        colour=_colour(source, entry, layout, height),
        hdr10=source.hdr10 if name in HDR_CODECS else None,
        rotation=rotation,
        mirrored=source.mirrored and tagged,
        field_order=order,
        pixel_aspect=1 / source.pixel_aspect if turned else source.pixel_aspect,
        has_alpha=has_alpha(layout),
        notes=tuple(notes),
    )
    _try_encoder(spec)
    return spec


def _field_trouble(source: FootageSpec, codec: Codec, layout: str, height: int, tagged: bool) -> str | None:
    """Say why the two fields of a frame cannot be flagged; ``None``: they can."""
    if not codec.fields:
        return f"{codec.name} codes whole pictures; h264, prores and ffv1 keep the flag"
    if (source.rotation or source.mirrored) and not tagged:
        return "its pictures are stored upright; .mp4 and .mov keep them as they lie"
    if codec.name == "h264" and "420" in layout and height % 4:
        return f"h264 codes fields of 4:2:0 in heights that are multiples of 4, not {height}; prores and ffv1 keep the flag"
    return None


def _without_hdr10(codec: str) -> str:
    keepers = ", ".join(HDR_CODECS)
    return f"{codec} carries no mastering display and light levels of HDR10; they are left out ({keepers} keep them)"


def _default_codec(suffix: str, source: FootageSpec) -> str:
    if suffix == ".mov" and (source.bits > 8 or source.has_alpha):
        return "prores"
    return {".webm": "vp9", ".avi": "mjpeg"}.get(suffix, "h264")


def _colour(source: FootageSpec, codec: Codec, layout: str, height: int) -> ColourTags:
    """Choose the tags to write: the source's own; for RGB sources, which have no matrix, bt709 (bt601 for MJPEG's JFIF)."""
    tags = source.colour
    if av.VideoFormat(layout).is_rgb:
        return ColourTags(tags.primaries, tags.transfer, "gbr", "pc")
    if codec.name == "mjpeg":
        return ColourTags(tags.primaries, tags.transfer, "bt470bg", "pc")
    from_rgb = source.kind == "sequence" or tags.matrix == "gbr"
    matrix = "bt709" if from_rgb else tags.matrix
    range_ = "tv" if from_rgb or codec.limited_only else tags.range
    if matrix == "bt2020c":
        matrix = "bt2020nc"
    if source.dtype == "float32":
        return ColourTags("bt709", "bt709", matrix, range_)
    if from_rgb:
        return ColourTags(tags.primaries or "bt709", tags.transfer or "bt709", matrix, range_)
    return ColourTags(tags.primaries, tags.transfer, matrix, range_)


def _try_encoder(spec: OutputSpec) -> None:
    """Open the encoder and give it one frame, so that what it cannot do is known before the work, not after it."""
    silence_encoders()
    try:
        context: Any = av.CodecContext.create(encoder_of(spec), "w")
        configure(context, spec)
        depth = "uint16" if spec.dtype == "uint16" else "uint8"
        size = (spec.height, spec.width) if spec.rotation % 180 == 0 else (spec.width, spec.height)
        maker = FrameMaker(
            pixel_format=spec.pixel_format,
            tags=spec.colour,
            height=spec.height,
            rotation=spec.rotation,
            mirrored=spec.mirrored,
            field_order=spec.field_order,
            depth=depth,
        )
        frame = maker.make(np.zeros((*size, 3), depth), None)
        frame.pts = 0
        with usual_priority():
            packets = context.encode(frame) + context.encode(None)
        if not packets:
            raise OutputError("no packet came out")
    except (av.FFmpegError, OSError, ValueError, OutputError) as error:
        raise OutputError(
            f"{show_path(spec.path)}: {spec.codec} cannot encode {spec.width}x{spec.height} as {spec.pixel_format} "
            f"({reason(error)}); choose another codec (--codec ffv1 takes any size) or size"
        ) from error


def output_trouble(path: str | os.PathLike[str], error: BaseException) -> OutputError:
    """Make the error of an output that could not be written, with its reason in one line."""
    return OutputError(
        f"cannot write {show_path(path)}: {reason(error) if not isinstance(error, OutputError) else why(error)}"
    )
