"""Mattes in picture files: PNG, TIFF (8 and 16 bits), EXR (half and float), and whatever else OpenCV reads.

Most are levels of grey, white where the object is. Data sets for video segmentation number their objects instead: *labels*, as
the indices of a coloured palette (DAVIS, YouTube-VOS), or as small whole numbers in a grey picture, 0 and 1 for one object.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import ImageOps, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from interp.oiio import first_line, opened

__all__ = ["MattePicture", "labelled", "load_matte", "read_matte"]

MOST_PIXELS = 1 << 28
FEW = 15
"""The largest label in a grey picture: as levels, that is 6 %, which no matte is meant to be at its strongest."""


@dataclass(frozen=True)
class MattePicture:
    """Content of a matte's file."""

    path: Path
    values: np.ndarray
    """H x W: uint8, uint16, or float32."""
    indexed: bool = False
    """Whether the values are indices of a palette of colours: labels, whatever they are."""

    @property
    def few(self) -> bool:
        """True if the values may be labels in grey."""
        return self.values.dtype.kind == "u" and int(self.values.max(initial=0)) <= FEW

    def labels(self) -> set[int]:
        """The labels in it, if it has labels, without 0, which is the background."""
        return {int(value) for value in np.unique(self.values)} - {0}

    def of_label(self, label: int | None) -> np.ndarray:
        """float32 H x W: 1 where the label is, or any if ``None``."""
        return (self.values != 0 if label is None else self.values == label).astype(np.float32)

    def levels(self) -> np.ndarray:
        """float32 H x W in [0, 1]: the values as levels of grey."""
        largest = {"uint8": 255.0, "uint16": 65535.0}.get(self.values.dtype.name, 1.0)
        values = self.values.astype(np.float32) / np.float32(largest)
        return np.ascontiguousarray(np.clip(values, 0, 1), dtype=np.float32)


def labelled(picture: MattePicture) -> bool:
    """Return True if one picture, taken alone, holds labels."""
    return picture.indexed or (picture.few and int(picture.values.max(initial=0)) > 0 and not picture.values.all())


def read_matte(path: Path, label: int | None = None) -> np.ndarray:
    """One matte, float32 H x W in [0, 1]. A transparent picture's alpha is the matte if it is not the same everywhere;
    otherwise its brightness (the mean of its channels; for grey files the value itself) is. Of labels, ``label`` or all.

    Raises ``ValueError``, one line that names the file.
    """
    picture = load_matte(path)
    if label is None:
        return picture.of_label(None) if labelled(picture) else picture.levels()
    if label not in picture.labels():
        there = ", ".join(str(each) for each in sorted(picture.labels())[:8]) or "none"
        raise ValueError(f"the matte {str(path)!r} has no label {label}; there are: {there}")
    return picture.of_label(label)


def load_matte(path: Path, size: tuple[int, int] | None = None) -> MattePicture:
    """The values in a matte's file, upright. ``size``: width and height that it must have.

    Raises ``ValueError``, one line that names the file; for another size before it is decoded, where its header tells.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"the matte {str(path)!r} cannot be read: it is no file")
    try:
        with open(path, "rb") as file:
            head = file.read(4)
        matte = _exr(path, size) if head == b"\x76\x2f\x31\x01" else _pillow(path, size)
        picture = _deep(path) if matte is None else matte
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or "it is damaged"
        raise ValueError(f"the matte {str(path)!r} cannot be read: {reason}") from error
    if size is not None:
        _check(path, picture.values.shape[1::-1], size)
    if picture.values.dtype.kind == "f" and not np.isfinite(picture.values).all():
        raise ValueError(f"the matte {str(path)!r} holds values that are not numbers (NaN or infinity)")
    return picture


def _check(path: Path, own: tuple[int, ...], size: tuple[int, int]) -> None:
    if tuple(own) != size:
        raise ValueError(f"the matte {str(path)!r} is {own[0]}x{own[1]}, the picture {size[0]}x{size[1]}")


def _pillow(path: Path, size: tuple[int, int] | None) -> MattePicture | None:
    """Pictures of 8 bits; ``None`` for what Pillow does not know, or would make less of."""
    file = _opened(path)
    if file is None:
        return None
    with file as picture:
        if size is not None and picture.size not in (size, size[::-1]):  # before anything is decoded
            _check(path, picture.size, size)
        if getattr(picture, "n_frames", 1) > 1:
            raise ValueError(f"the matte {str(path)!r} holds {picture.n_frames} pictures, one is needed")
        if picture.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK") or _bits(picture) > 8:
            return None
        upright = ImageOps.exif_transpose(picture)
        if upright.mode == "P" and "transparency" not in upright.info:
            table = np.array(upright.getpalette("RGB")).reshape(-1, 3)
            if (table != table[:, :1]).any():
                return MattePicture(path, np.array(upright), indexed=True)
        return MattePicture(path, _grey(np.array(upright.convert(_plain(upright)))))


def _opened(path: Path) -> Any:
    """The file in Pillow, by the formats' own classes: ``Image.open`` would print a warning about a large one."""
    plugins: tuple[Any, ...] = (
        PngImagePlugin.PngImageFile,
        JpegImagePlugin.JpegImageFile,
        TiffImagePlugin.TiffImageFile,
        WebPImagePlugin.WebPImageFile,
    )
    for plugin in plugins:
        try:
            return plugin(str(path))
        except (SyntaxError, ValueError, KeyError):  # not of that format
            continue
    return None


def _bits(picture: Any) -> int:
    """Bits a channel; Pillow reads colour pictures of 16 as if they had 8."""
    if picture.format == "PNG":
        return 16 if any("16" in str(tile[3]) for tile in picture.tile) else 8
    return max(picture.tag_v2.get(258, (8,))) if picture.format == "TIFF" else 8


def _plain(picture: Any) -> str:
    if "transparency" in picture.info or picture.mode in ("LA", "PA", "RGBA"):
        return "RGBA"
    return "L" if picture.mode in ("1", "L") else "RGB"


def _deep(path: Path) -> MattePicture:
    packed = np.fromfile(path, np.uint8)
    picture = None
    if packed.size:
        try:
            picture = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
        except cv2.error:
            picture = None
    if picture is None:
        raise ValueError(f"{str(path)!r} is no picture that can be read; a matte is a PNG, TIFF or EXR")
    return MattePicture(path, _grey(picture))


def _exr(path: Path, size: tuple[int, int] | None) -> MattePicture:
    """An EXR's matte: its alpha, if that is not the same everywhere, or its brightness, or its only channel; in its display
    window, black where it has no pixels."""
    try:
        with opened(path) as file:
            spec = file.spec()
            own = (spec.full_width, spec.full_height)
            fits = size in (None, own) and spec.width * spec.height <= MOST_PIXELS
            data, reason = (
                (file.read_image("float"), file.geterror()) if fits else (None, "its data window is too large")
            )
    except ValueError as error:
        raise ValueError(f"the matte {str(path)!r} cannot be read: {error}") from error
    if size is not None:
        _check(path, own, size)
    if data is None:
        raise ValueError(f"the matte {str(path)!r} is damaged: {first_line(reason)}")
    names = [name.rpartition(".")[2].upper() for name in spec.channelnames]
    if len(names) > 1 and not set(names) & {"R", "G", "B", "A", "Y"}:
        raise ValueError(
            f"the matte {str(path)!r} has the channels {', '.join(spec.channelnames[:6])}; which is meant?"
        )
    data = data.reshape(spec.height, spec.width, -1)
    colours = [index for index, name in enumerate(names) if name in ("R", "G", "B", "Y")] or [0]
    alpha = data[..., names.index("A")] if "A" in names else None
    values = alpha if alpha is not None and float(np.ptp(alpha)) > 0 else data[..., colours].mean(axis=2)
    whole = np.zeros((spec.full_height, spec.full_width), np.float32)
    left, top = spec.x - spec.full_x, spec.y - spec.full_y
    rows, columns = slice(max(0, top), max(0, top + spec.height)), slice(max(0, left), max(0, left + spec.width))
    within = whole[rows, columns]
    within[...] = values[max(0, -top) :, max(0, -left) :][: within.shape[0], : within.shape[1]]
    return MattePicture(path, whole)


def _grey(picture: np.ndarray) -> np.ndarray:
    """Alpha, if it is not the same everywhere, or the mean of the other channels."""
    if picture.ndim == 2:
        return picture
    alpha = picture[:, :, 3] if picture.shape[2] == 4 else None
    if alpha is not None and float(np.ptp(alpha)) > 0:
        return np.ascontiguousarray(alpha)
    colours = picture[:, :, :3]
    if (colours == colours[:, :, :1]).all():
        return np.ascontiguousarray(colours[:, :, 0])
    largest = {"uint8": 255.0, "uint16": 65535.0}.get(picture.dtype.name, 1.0)
    return (colours.astype(np.float32) / np.float32(largest)).mean(axis=2)
