"""OpenEXR by OpenImageIO: which layer is the picture, where its pixels lie in the frame, and both on the way out.

A file may hold several parts, each with layers of channels (``diffuse.R``); the picture is the beauty pass. Its *display
window* is the frame; its *data window*, where there are pixels, may be smaller (a crop) or larger (overscan).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from interp.oiio import first_line, opened, openimageio
from restyle.errors import FootageError, OutputError, show_path, why

__all__ = ["ExrHeader", "Region", "read_exr", "read_header", "write_exr"]

BEAUTY = ("combined", "beauty", "rgba", "rgb", "image", "main", "default", "composite", "color", "colour")
"""Names that renderers give to the layer of the finished picture."""
ROLES = {"r": "R", "g": "G", "b": "B", "a": "A", "red": "R", "green": "G", "blue": "B", "alpha": "A", "y": "Y"}
CARRIED_ATTRIBUTES = (
    "chromaticities", "smpte:TimeCode", "smpte:KeyCode", "FramesPerSecond", "PixelAspectRatio", "screenWindowCenter",
    "screenWindowWidth", "worldtocamera", "worldtoscreen", "DateTime", "Copyright", "ImageDescription",
)  # fmt: skip
"""Attributes of a header that still hold for a picture made of that one."""


@dataclass(frozen=True)
class Region:
    """A rectangle of pixels, in the coordinates of the file."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """Column after the last one."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """Row after the last one."""
        return self.top + self.height

    def within(self, other: Region) -> Region:
        """Intersect with another region; of no size if they have nothing in common."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Region(left, top, max(0, right - left), max(0, bottom - top))

    def around(self, other: Region) -> Region:
        """Unite with another region: the smallest one that holds both."""
        left, top = min(self.left, other.left), min(self.top, other.top)
        return Region(left, top, max(self.right, other.right) - left, max(self.bottom, other.bottom) - top)

    def inside(self, other: Region) -> tuple[slice, slice]:
        """Index this region in an array of the other: rows and columns."""
        top, left = self.top - other.top, self.left - other.left
        return slice(top, top + self.height), slice(left, left + self.width)


@dataclass(frozen=True)
class ExrHeader:
    """The picture in an EXR, as its header describes it."""

    part: int
    channels: tuple[str, ...]
    """Names of the picture's red, green and blue, and alpha if it has one; or of its grey alone."""
    display: Region
    data: Region
    half: bool
    """True if all of them are 16-bit floats."""
    alpha: bool
    layer: str
    """Name of the layer, "" if it has none."""
    left_out: tuple[str, ...]
    """Other layers and channels of the file."""
    pixel_aspect: float = 1.0


def read_header(path: Path) -> ExrHeader:
    """Find the picture in an EXR. Raises ``FootageError`` if there is no colour in it, ``ValueError`` if it is damaged."""
    with opened(path) as file:
        parts: list[Any] = []
        while file.seek_subimage(len(parts), 0):
            parts.append(file.spec())
    layers = [layer for number, part in enumerate(parts) for layer in _layers(number, part)]
    coloured = sorted((layer for layer in layers if layer.rank is not None), key=lambda layer: layer.rank or 0)
    shown = show_path(path)
    if not coloured:
        if any(part.deep for part in parts):
            raise FootageError(f"{shown} is a deep EXR; flatten it first")
        names = [name for part in parts for name in part.channelnames]
        raise FootageError(
            f"{shown} holds no colours (R, G, B), only {_listed(names)}; name the file that holds the picture"
        )
    best = coloured[0]
    spec = parts[best.part]
    formats = {str(spec.channelformats[spec.channelindex(name)] if spec.channelformats else spec.format)
               for name in best.channels}  # fmt: skip
    if formats - {"half", "float"}:
        raise FootageError(f"{shown} holds whole numbers ({', '.join(sorted(formats))}), not colours in floats")
    aspect = spec.getattribute("PixelAspectRatio")
    return ExrHeader(
        part=best.part,
        channels=best.channels,
        display=Region(spec.full_x, spec.full_y, spec.full_width, spec.full_height),
        data=Region(spec.x, spec.y, spec.width, spec.height),
        half=formats == {"half"},
        alpha=len(best.channels) in (2, 4),
        layer=best.name,
        left_out=tuple(
            name for layer in layers if layer is not best for name in ([layer.name] if layer.named else layer.channels)
        ) + best.spare,
        pixel_aspect=float(aspect) if aspect and aspect > 0 else 1.0,
    )  # fmt: skip


@dataclass(frozen=True)
class _Layer:
    part: int
    name: str
    named: bool
    channels: tuple[str, ...]
    """R, G, B and A, or Y, if it is a picture; else all."""
    spare: tuple[str, ...]
    """The layer's channels beside those."""
    rank: int | None
    """The lower, the likelier it is the beauty; ``None``: no picture."""


def _layers(number: int, spec: Any) -> Iterator[_Layer]:
    """The layers of a part. A part's own name counts for its channels that have none."""
    if spec.deep:
        return
    part = str(spec.getattribute("oiio:subimagename") or "")
    groups: dict[str, dict[str, str]] = {}
    for channel in spec.channelnames:
        layer, _, last = channel.rpartition(".")
        groups.setdefault(layer, {})[last] = channel
    for layer, members in groups.items():
        name = layer or part
        roles = {ROLES.get(last.casefold(), last): channel for last, channel in members.items()}
        if all(role in roles for role in "RGB"):
            wanted, rank = "RGBA", 0
        elif "Y" in roles and not roles.keys() & {"X", "RY"}:
            wanted, rank = "YA", 8
        else:
            yield _Layer(number, name, bool(name), tuple(members.values()), (), None)
            continue
        beauty = name.rpartition(".")[2].casefold() in BEAUTY
        channels = tuple(roles[role] for role in wanted if role in roles)
        spare = tuple(channel for channel in members.values() if channel not in channels)
        yield _Layer(number, name, bool(name), channels, spare, rank + (2 if layer else 0) + (0 if beauty else 1))


def read_exr(path: Path, header: ExrHeader, *, region: Region | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Read the picture, float32 H x W x 3, and its alpha, in the display window (or ``region``); 0 where there are no pixels.

    Raises ``ValueError`` if it is damaged."""
    with opened(path) as file:
        if not file.seek_subimage(header.part, 0):
            raise ValueError("it has changed")
        spec = file.spec()
        indices = [spec.channelindex(name) for name in header.channels]
        if min(indices) < 0 or (spec.width, spec.height) != (header.data.width, header.data.height):
            raise ValueError("it has changed")
        data = file.read_image(header.part, 0, min(indices), max(indices) + 1, "float")
        if data is None:
            raise ValueError(first_line(file.geterror()))
    data = data.reshape(spec.height, spec.width, -1)
    grey = len(indices) < 3
    wanted = [index - min(indices) for index in ([indices[0]] * 3 + indices[1:] if grey else indices)]
    frame = region or header.display
    if frame == header.data and wanted == [0, 1, 2] and data.shape[2] == 3:
        return np.ascontiguousarray(data), None
    overlap = header.data.within(frame)
    canvas = np.zeros((frame.height, frame.width, len(wanted)), np.float32)
    canvas[overlap.inside(frame)] = data[overlap.inside(header.data)][..., wanted]
    alpha = np.ascontiguousarray(canvas[..., 3]) if len(wanted) == 4 else None
    return np.ascontiguousarray(canvas[..., :3]), alpha


def write_exr(path: Path, picture: np.ndarray, alpha: np.ndarray | None = None, *, like: Path | None = None) -> None:
    """Write an EXR of 32-bit floats: H x W (grey) or H x W x 3, and alpha, which has been multiplied in.

    ``like``: the EXR that the picture was made of. Then the windows are its own, with its overscan, which nobody changed; the
    data window grows where the picture is not black outside of it. So are time code, primaries and the camera.
    Raises ``OutputError``, ``OSError``, ``FootageError`` (``like`` cannot be read).
    """
    oiio = openimageio()
    values = picture if picture.ndim == 3 else picture[..., None]
    names = ("R", "G", "B") if values.shape[2] == 3 else ("Y",)
    if alpha is not None:
        values, names = np.dstack([values, alpha]), (*names, "A")
    display = data = Region(0, 0, values.shape[1], values.shape[0])
    attributes: list[Any] = []
    if like is not None:
        values, display, data, attributes = _in_windows_of(like, values)
    spec = oiio.ImageSpec(data.width, data.height, len(names), "float")
    spec.channelnames = names
    spec.x, spec.y = data.left, data.top
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = (
        display.left, display.top, display.width, display.height,
    )  # fmt: skip
    spec.attribute("compression", "zip")
    spec.attribute("DateTime", "")  # else the time of writing, and no two files would be alike
    for attribute in attributes:
        spec.attribute(attribute.name, attribute.type, attribute.value)
    out = oiio.ImageOutput.create("openexr")
    with open(path, "wb") as file:
        done = out.open(f"/dev/fd/{file.fileno()}", spec) and out.write_image(np.ascontiguousarray(values, np.float32))
        if not (out.close() and done):
            raise OutputError(f"OpenImageIO cannot write an EXR of {values.shape}: {first_line(out.geterror())}")


def _in_windows_of(like: Path, values: np.ndarray) -> tuple[np.ndarray, Region, Region, list[Any]]:
    """Put a picture of the display window into the windows of the EXR ``like``; give its ``CARRIED_ATTRIBUTES``, too."""
    try:
        header = read_header(like)
        with opened(like) as file:
            file.seek_subimage(header.part, 0)
            attributes = [attribute for attribute in file.spec().extra_attribs if attribute.name in CARRIED_ATTRIBUTES]
        if (header.display.height, header.display.width) != values.shape[:2]:
            raise ValueError("it has changed")
        data = header.data
        visible = data.within(header.display).inside(header.display)
        outside: Any = values.any(axis=2)
        outside[visible] = False
        if outside.any():
            rows, columns = np.flatnonzero(outside.any(axis=1)), np.flatnonzero(outside.any(axis=0))
            left, top = int(columns[0]), int(rows[0])
            painted = Region(
                header.display.left + left,
                header.display.top + top,
                int(columns[-1]) + 1 - left,
                int(rows[-1]) + 1 - top,
            )
            data = data.around(painted)
        canvas = np.zeros((data.height, data.width, values.shape[2]), np.float32)
        if data.within(header.display) != data:
            overscan, alpha = read_exr(like, header, region=data)
            if values.shape[2] == 3 or alpha is not None:
                canvas[..., :3] = overscan
            if values.shape[2] == 4 and alpha is not None:
                canvas[..., 3] = alpha
        overlap = data.within(header.display)
        canvas[overlap.inside(data)] = values[overlap.inside(header.display)]
    except (OSError, ValueError) as error:
        raise FootageError(f"cannot read {show_path(like)} any more: {why(error)}") from error
    return canvas, header.display, data, attributes


def _listed(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
