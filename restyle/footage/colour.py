"""Colour tags by name, and the two conversions that footage needs: decoded YUV to RGB arrays, and back.

The numbers are those of ITU-T H.273, which FFmpeg shares; the names are those that FFmpeg prints.
"""

from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from interp.pixels.depth import to_uint8
from restyle.footage import transfer as curves
from restyle.footage.fields import FieldFlag, FieldOrder
from restyle.footage.orientation import stored, upright
from restyle.types import ColourTags

__all__ = ["FULL_SCALE", "FrameMaker", "FrameReader", "number_of_tag", "tags_of", "working_matrix"]

PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020", 10: "smpte428",
    11: "smpte431", 12: "smpte432", 22: "ebu3213",
}  # fmt: skip
TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100", 10: "log316",
    11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084",
    17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
MATRICES = {
    0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco", 9: "bt2020nc", 10: "bt2020c",
    11: "smpte2085", 12: "chroma-derived-nc", 13: "chroma-derived-c", 14: "ictcp",
}  # fmt: skip
RANGES = {1: "tv", 2: "pc"}

# Matrices that the converter knows. Constant-luminance bt2020 is read as the usual kind, as players do.
_KNOWN = {
    "bt709": Colorspace.ITU709,
    "fcc": Colorspace.FCC,
    "bt470bg": Colorspace.ITU601,
    "smpte170m": Colorspace.ITU601,
    "smpte240m": Colorspace.SMPTE240M,
    "bt2020nc": Colorspace.BT2020,
    "bt2020c": Colorspace.BT2020,
}

FULL_SCALE = {"uint8": 255, "uint16": 65535, "float32": 1}

# Measured on photographs, YUV 4:2:0 -> RGB -> YUV 4:2:0: 63 dB for luma, 49 dB for chroma; FFmpeg's defaults give 46 and 43.
# (Bilinear with the same two flags is broken for 10-bit 4:2:0 in libswscale 9.5: 12 dB.)
_TO_RGB = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_TO_YUV = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
_THREADS = 2


def tags_of(primaries: int, transfer: int, matrix: int, range_: int) -> ColourTags:
    """Tags by name from H.273 numbers; what is unspecified or reserved is ``None``."""
    return ColourTags(PRIMARIES.get(primaries), TRANSFERS.get(transfer), MATRICES.get(matrix), RANGES.get(range_))


def number_of_tag(kind: dict[int, str], name: str | None, unknown: int = 2) -> int:
    """The H.273 number of a tag's name."""
    return next((number for number, known in kind.items() if known == name), unknown)


def working_matrix(tags: ColourTags, height: int) -> int | None:
    """swscale's number of the tagged matrix; untagged: bt709 from 720 lines on, else bt601. ``None``: cannot be converted."""
    if tags.matrix is None or tags.matrix == "gbr":
        return Colorspace.ITU709 if height >= 720 else Colorspace.ITU601
    return _KNOWN.get(tags.matrix)


def rescale(picture: np.ndarray, factor: float) -> np.ndarray:
    """A uint16 picture times a factor, rounded and clipped."""
    if factor == 1:
        return picture
    flat = picture.reshape(picture.shape[0], -1)  # one channel: OpenCV would scale the first of several only
    return np.asarray(cv2.multiply(flat, np.ones_like(flat), scale=factor)).reshape(picture.shape)


class FrameReader:
    """Turns decoded frames of one stream into upright RGB arrays. Keeps the converter's tables between frames.

    ``size`` = (width, height) of the upright result: scaled straight from the decoded picture, as uint8 RGB without alpha.
    """

    def __init__(
        self,
        *,
        dtype: str,
        tags: ColourTags,
        height: int,
        rotation: int,
        mirrored: bool = False,
        alpha: bool,
        size: tuple[int, int] | None,
    ):
        matrix = working_matrix(tags, height)
        if matrix is None:
            raise ValueError(
                f"the colour matrix {tags.matrix} cannot be converted to RGB; convert the footage to bt709 first"
            )
        self._matrix = matrix
        self._tags = tags
        self._orientation = rotation, mirrored
        self._dtype = "uint8" if size else dtype
        self._alpha = alpha and not size
        self._size = size if size is None or rotation % 180 == 0 else (size[1], size[0])
        self._scaler = VideoReformatter()

    def read(self, frame: av.VideoFrame) -> tuple[np.ndarray, np.ndarray | None]:
        """Convert a decoded frame to a picture (and alpha)."""
        layout = frame.format
        rgb = layout.is_rgb or layout.has_palette
        full = self._tags.range == "pc" or layout.name.startswith(("yuvj", "gray", "ya"))
        target = {
            ("uint8", False): "rgb24", ("uint8", True): "rgba",
            ("uint16", False): "rgb48le", ("uint16", True): "rgba64le",
            ("float32", False): "gbrpf32le", ("float32", True): "gbrapf32le",
        }[self._dtype, self._alpha]  # fmt: skip
        options: dict[str, Any] = {"interpolation": _TO_RGB, "threads": _THREADS}
        if self._size:
            options |= {"width": self._size[0], "height": self._size[1], "interpolation": Interpolation.AREA}
        if not rgb:
            options |= {"src_colorspace": self._matrix, "src_color_range": ColorRange.JPEG if full else ColorRange.MPEG}
        data = self._scaler.reformat(frame, format=target, **options).to_ndarray()
        if self._dtype == "uint16" and not rgb:
            # libswscale maps white to 255 * 256 (limited) or to the code shifted up (full range), not to 65535.
            bits = layout.components[0].bits
            white = ((1 << bits) - 1) << (16 - bits) if full else 255 << 8
            if not self._alpha:
                data = rescale(data, 65535 / white)
            else:
                data = np.dstack([rescale(np.ascontiguousarray(data[..., :3]), 65535 / white), data[..., 3]])
        data = upright(np.ascontiguousarray(data), *self._orientation)
        if not self._alpha:
            return data, None
        return np.ascontiguousarray(data[..., :3]), np.ascontiguousarray(data[..., 3])


class FrameMaker:
    """Turns upright RGB arrays into frames that an encoder takes: turned back, in its pixel format, matrix and range."""

    def __init__(
        self,
        *,
        pixel_format: str,
        tags: ColourTags,
        height: int,
        rotation: int,
        mirrored: bool = False,
        depth: str,
        field_order: FieldOrder = "progressive",
    ):
        self._format = pixel_format
        self._rgb = av.VideoFormat(pixel_format).is_rgb
        self._alpha = has_alpha(pixel_format)
        self._depth = depth
        matrix = working_matrix(tags, height)
        assert matrix is not None, tags
        self._matrix = matrix
        self._full = tags.range == "pc"
        self._tags = tags
        self._orientation = rotation, mirrored
        self._scaler = VideoReformatter()
        self._fields = FieldFlag(field_order)

    def make(self, picture: np.ndarray, alpha: np.ndarray | None) -> av.VideoFrame:
        """Make a frame of an H x W x 3 picture (and H x W alpha) of uint8 or uint16."""
        picture = to_depth(picture, self._depth)
        if self._depth == "uint16" and not self._rgb:
            picture = rescale(picture, (255 << 8) / 65535)  # libswscale's white, see FrameReader
        if self._alpha:
            opaque = FULL_SCALE[self._depth]
            alpha_plane = (
                np.full(picture.shape[:2], opaque, picture.dtype)
                if alpha is None
                else to_depth(alpha, self._depth, linear=False)
            )
            picture = np.dstack([picture, alpha_plane])
        picture = np.ascontiguousarray(stored(picture, *self._orientation))
        wide = self._depth == "uint16"
        name = ("rgba64le" if wide else "rgba") if self._alpha else ("rgb48le" if wide else "rgb24")
        frame = self._fields.put(av.VideoFrame.from_numpy_buffer(picture, name))
        if name != self._format:
            options: dict[str, Any] = {}
            if not self._rgb:
                options = {
                    "src_color_range": ColorRange.JPEG,
                    "dst_colorspace": self._matrix,
                    "dst_color_range": ColorRange.JPEG if self._full else ColorRange.MPEG,
                }
            frame = self._scaler.reformat(
                frame, format=self._format, interpolation=_TO_YUV, threads=_THREADS, **options
            )
        # Some encoders (ProRes) take the tags from the frame, not from their set-up.
        tags = self._tags
        frame.color_primaries = number_of_tag(PRIMARIES, tags.primaries)
        frame.color_trc = number_of_tag(TRANSFERS, tags.transfer)
        frame.colorspace = number_of_tag(MATRICES, tags.matrix)
        frame.color_range = number_of_tag(RANGES, tags.range, unknown=0)
        return frame


def has_alpha(pixel_format: str) -> bool:
    """Tell whether a pixel format carries alpha."""
    return any(component.is_alpha for component in av.VideoFormat(pixel_format).components)


def to_depth(picture: np.ndarray, depth: str, *, linear: bool = True, transfer: str | None = None) -> np.ndarray:
    """Convert a picture to another depth. Floats are scene-linear light, as EXR holds it; integers are encoded by ``transfer``,
    a tag of footage: PQ's or HLG's curve, else sRGB's (see ``restyle.footage.transfer``).

    ``linear=False``: no curve (alpha). Values outside of [0, 1] are clipped when they become integers.
    """
    source_depth = str(picture.dtype)
    if source_depth == depth:
        return picture
    if source_depth == "float32":
        value = np.nan_to_num(picture)
        value = curves.encoded(value, transfer) if linear else np.clip(value, 0, 1)
        return np.rint(value * FULL_SCALE[depth]).astype(depth)
    if depth == "float32":
        value = np.arange(FULL_SCALE[source_depth] + 1, dtype=np.float64) / FULL_SCALE[source_depth]
        if linear:
            value = curves.linear(value, transfer)
        return np.take(value.astype(np.float32), picture)
    if depth == "uint16":
        return picture.astype(np.uint16) * np.uint16(257)
    return to_uint8(picture)
