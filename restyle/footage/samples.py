"""A decoded frame's own samples: carried beside its picture, and laid back into the frame that an encoder gets.

Converted to RGB and back, a sample of YUV may come back off by one, which a person who compares in YUV sees. Where an output
keeps its source's pixel format, what is not changed is therefore not converted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

from restyle.footage.colour import working_matrix
from restyle.footage.orientation import stored
from restyle.types import FootageSpec

if TYPE_CHECKING:
    from restyle.footage.output import OutputSpec

__all__ = ["keep_samples", "keeps_samples", "outside_of_planes", "planar", "planes_of"]

_DEPTHS = ("", "9le", "10le", "12le", "14le", "16le")
_PLANAR = {f"yuv{chroma}p{depth}" for chroma in ("420", "422", "440", "444") for depth in _DEPTHS}


def planar(pixel_format: str) -> str | None:
    """The plain name of a planar YUV format without alpha (``yuvj420p`` is ``yuv420p`` in full range); ``None`` for others."""
    plain = pixel_format.replace("yuvj", "yuv")
    return plain if plain in _PLANAR else None


def planes_of(frame: av.VideoFrame) -> tuple[np.ndarray, ...]:
    """Y, U and V of a decoded frame as it is stored, uint8 or uint16 h x w; nothing where it is no planar YUV."""
    if planar(frame.format.name) is None:
        return ()
    return tuple(_view(plane, frame.format.components[0].bits).copy() for plane in frame.planes)


def _view(plane: Any, bits: int) -> np.ndarray:
    kind = np.dtype(np.uint8 if bits <= 8 else np.uint16)
    lines = np.frombuffer(plane, kind).reshape(plane.height, plane.line_size // kind.itemsize)
    return lines[:, : plane.width]


def keeps_samples(out: OutputSpec, source: FootageSpec) -> bool:
    """Tell whether an output's frames are of the source's pixel format, matrix, range and orientation, so that its samples
    fit."""
    if source.kind != "video" or out.kind != "video" or source.deinterlaced or out.has_alpha:
        return False
    lines = source.height if source.rotation % 180 == 0 else source.width
    matrices = [working_matrix(tags, lines) for tags in (source.colour, out.colour)]
    full = [tags.range == "pc" for tags in (source.colour, out.colour)]
    name = planar(source.pixel_format)
    same_place = (out.rotation, out.mirrored) == (source.rotation, source.mirrored)
    if name is None or planar(out.pixel_format) != name or not same_place:
        return False
    return matrices[0] == matrices[1] and full[0] == full[1]


def outside_of_planes(
    region: np.ndarray, planes: Sequence[np.ndarray], *, rotation: int, mirrored: bool, fields: bool
) -> list[np.ndarray]:
    """Find which samples of each plane lie outside of a region: bool h x w.

    ``region``: float32 H x W of the upright picture, 0 outside. A sample of chroma lies outside only if all samples of luma do
    for which it stands; with two ``fields`` in a frame those are of either field.
    """
    inside = np.ascontiguousarray(stored(region, rotation, mirrored) > 0).astype(np.uint8)
    found = []
    for plane in planes:
        across, down = -(-inside.shape[1] // plane.shape[1]), -(-inside.shape[0] // plane.shape[0])
        lines = 2 * down if fields and down > 1 else down
        grown = _any_of(inside, across, lines)
        if lines != down:
            grown = np.repeat(grown, 2, axis=0)
        found.append(grown[: plane.shape[0], : plane.shape[1]] == 0)
    return found


def _any_of(inside: np.ndarray, across: int, down: int) -> np.ndarray:
    """The largest value of each block of ``across`` x ``down`` pixels; blocks at the far edges may be smaller."""
    height, width = (-(-side // step) for side, step in zip(inside.shape, (down, across), strict=True))
    padded = cv2.copyMakeBorder(
        inside, 0, height * down - inside.shape[0], 0, width * across - inside.shape[1], cv2.BORDER_CONSTANT, value=0
    )
    return np.asarray(padded.reshape(height, down, width, across).max(axis=(1, 3)))


def keep_samples(
    frame: av.VideoFrame,
    planes: Sequence[np.ndarray],
    region: np.ndarray,
    *,
    rotation: int,
    mirrored: bool,
    fields: bool,
) -> None:
    """Lay a source's ``planes`` into a frame that is about to be encoded, in place, wherever they are outside of ``region``:
    see ``outside_of_planes``. Raises ``ValueError`` if the frame's planes are of other sizes."""
    bits = frame.format.components[0].bits
    outside = outside_of_planes(region, planes, rotation=rotation, mirrored=mirrored, fields=fields)
    for plane, own, keep in zip(frame.planes, planes, outside, strict=True):
        view = _view(plane, bits)
        if view.shape != own.shape or view.dtype != own.dtype:
            raise ValueError(f"a plane {own.shape} of {own.dtype} cannot be laid into one {view.shape} of {view.dtype}")
        np.copyto(view, own, where=keep)
