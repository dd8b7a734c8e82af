"""One picture in a file, read: facts from the header, and pixels. PNG, JPEG, TIFF, WebP, EXR; 8 and 16 bits, half and float.

Pillow carries what has 8 bits (it refuses truncated files, and JPEG and WebP come out as RGB), OpenImageIO what has more.
Pictures come upright: the orientation that a camera stored with them is applied.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageCms, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from interp.oiio import first_line, opened
from interp.regular import UnfitFileError, require_regular
from restyle.errors import FootageError, show_path, why
from restyle.footage.colour import to_depth
from restyle.footage.exr import ExrHeader, read_exr, read_header
from restyle.footage.formats import FORMATS, format_of
from restyle.footage.limits import check_packed, check_size
from restyle.footage.png import check_png

__all__ = ["StillFacts", "read_facts", "read_picture", "read_with_alpha", "upright"]

LARGEST_FILE = 8 << 30
"""Bytes: an 8K EXR of many layers has a quarter of that."""


@dataclass(frozen=True)
class StillFacts:
    """Facts of a picture file, from its header."""

    kind: str
    """The format that its content is of, whatever its name says: one of ``FORMATS``."""
    width: int
    """Width of the upright picture."""
    height: int
    bits: int
    """8, 16 or 32 bits a channel (a half float counts as 16)."""
    floating: bool
    alpha: bool
    orientation: int = 1
    """EXIF's number of the turn or mirroring, one of eight, by which the stored picture becomes upright."""
    pictures: int = 1
    """Number of pictures in the file: frames of an animation, pages."""
    exr: ExrHeader | None = None
    notes: tuple[str, ...] = ()
    """Remarks about what is not used of the file, without its name: one line each."""

    @property
    def dtype(self) -> str:
        """Depth in which the picture is read: ``uint8``, ``uint16`` or ``float32``."""
        return "float32" if self.floating else "uint16" if self.bits > 8 else "uint8"


def read_facts(path: Path) -> StillFacts:
    """Read facts from a picture's header, without decoding it. Raises ``FootageError``, also for a size that cannot be held."""
    named = FORMATS.get(path.suffix.lower())
    try:
        require_regular(path, largest=LARGEST_FILE)
        with open(path, "rb") as file:
            head = file.read(16)
        if not head:
            raise FootageError(f"{show_path(path)} is empty (0 bytes); copy or render it again")
        kind = format_of(head)
        if kind is None and named is None:
            raise FootageError(
                f"{show_path(path)} is no picture that can be read; there are: {', '.join(sorted(FORMATS))}"
            )
        if kind is None:
            raise ValueError("it does not begin as a picture does")
        if kind in ("exr", "tiff"):
            return _exr_facts(path) if kind == "exr" else _tiff_facts(path)
        return _pillow_facts(path, kind)
    except FootageError:
        raise
    except OSError as error:
        raise FootageError(f"cannot read {show_path(path)}: {_reason(error)}") from error
    except Exception as error:  # parsers of hostile headers raise all kinds
        what = f"{named.upper()} picture" if named else "picture that can be read,"
        raise FootageError(f"{show_path(path)} is no {what} or is damaged: {why(error)}") from error


def _reason(error: OSError) -> str:
    """Describe an error; Pillow raises OSErrors without a number, whose text is a sentence with the path in it."""
    return (
        why(error)
        if error.errno or isinstance(error, UnfitFileError)
        else "it is damaged, or no picture of the kind that its name says"
    )


def _exr_facts(path: Path) -> StillFacts:
    header = read_header(path)
    check_size(path, header.display.width, header.display.height)
    check_size(path, header.data.width, header.data.height)
    notes = []
    if header.left_out:
        more = len(header.left_out) - 6
        rest = ", ".join(header.left_out[:6]) + (f" and {more} more" if more > 0 else "")
        picture = f"layer {header.layer!r}" if header.layer else "plain RGB"
        notes.append(f"the EXR's {picture} is taken for the picture; left out: {rest}")
    if header.data.within(header.display) != header.data:
        notes.append(
            "the EXR's overscan, outside of its display window, is not worked on; an EXR made of it keeps it as it is"
        )
    return StillFacts(
        "exr",
        header.display.width,
        header.display.height,
        16 if header.half else 32,
        True,
        header.alpha,
        exr=header,
        notes=tuple(notes),
    )


def _tiff_facts(path: Path) -> StillFacts:
    with opened(path) as file:
        spec = file.spec()
        check_size(path, spec.width, spec.height)
        pages = 1
        while file.seek_subimage(pages, 0) and (file.spec().width, file.spec().height) == (spec.width, spec.height):
            pages += 1  # what is smaller is a preview
    sample = str(spec.format)
    if sample not in ("uint8", "uint16", "half", "float", "double"):
        raise FootageError(
            f"{show_path(path)} holds {sample} samples, which are not supported; save it with 8, 16 or 32 bits"
        )
    notes = _profile_notes(spec.getattribute("ICCProfile:profile_description"))
    if spec.alpha_channel >= 0 and not spec.getattribute("oiio:UnassociatedAlpha") and sample != "uint8":
        notes += ("the TIFF's colours have its alpha multiplied in and are taken as they are",)
    return _turned(
        StillFacts(
            "tiff",
            spec.width,
            spec.height,
            {"uint8": 8, "uint16": 16, "half": 16}.get(sample, 32),
            sample in ("half", "float", "double"),
            _alpha_of(spec) is not None,
            pictures=pages,
            notes=notes,
        ),
        spec.getattribute("Orientation"),
    )


def _alpha_of(spec: Any) -> int | None:
    """Find the channel that is alpha: one that is said to be, or an unspecified fourth (or second, of a grey picture)."""
    if spec.alpha_channel >= 0:
        return int(spec.alpha_channel)
    return spec.nchannels - 1 if spec.nchannels in (2, 4) else None


def _turned(facts: StillFacts, orientation: Any) -> StillFacts:
    if orientation not in range(2, 9):
        return facts
    size = (facts.height, facts.width) if orientation > 4 else (facts.width, facts.height)
    return replace(facts, width=size[0], height=size[1], orientation=orientation)


def _open_pillow(path: Path, kind: str) -> Any:
    """Open a picture by its format's own class: ``Image.open`` would warn of a large one, and go by its own limit."""
    plugin: Any = {
        "png": PngImagePlugin.PngImageFile,
        "jpeg": JpegImagePlugin.JpegImageFile,
        "tiff": TiffImagePlugin.TiffImageFile,
        "webp": WebPImagePlugin.WebPImageFile,
    }[kind]
    return plugin(os.fspath(path))


def _pillow_facts(path: Path, kind: str) -> StillFacts:
    deep = False
    if kind == "png":
        with open(path, "rb") as file:
            head = file.read(26)
        width, height, depth = int.from_bytes(head[16:20]), int.from_bytes(head[20:24]), head[24]
        check_size(path, width, height)
        check_packed(path, width * height * depth // 8, 1032)  # deflate packs no better
        deep = depth == 16
    with _open_pillow(path, kind) as picture:
        check_size(path, picture.width, picture.height)
        info = picture.info
        alpha = picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in info
        # A PNG's ``getexif`` would decode the picture, to see whether there is something behind it.

        exif = Image.Exif()
        if kind != "png":
            exif = picture.getexif()
        elif "exif" in info:
            exif.load(info["exif"])
        notes = _profile_notes(_profile_name(info["icc_profile"]) if info.get("icc_profile") else None)
        gamma = info.get("gamma")
        if gamma and "srgb" not in info and "icc_profile" not in info and abs(gamma - 1 / 2.2) > 0.02:
            notes += (f"the PNG's gamma of {gamma:.4g} is not applied: its values are taken for sRGB's",)
        return _turned(
            StillFacts(
                kind,
                picture.width,
                picture.height,
                16 if deep else 8,
                False,
                alpha,
                pictures=getattr(picture, "n_frames", 1),
                notes=notes,
            ),
            exif.get(ExifTags.Base.Orientation),
        )


@lru_cache(maxsize=32)
def _profile_name(profile: bytes) -> str:
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip()
    except (ImageCms.PyCMSError, OSError):
        return "unknown"


def _profile_notes(name: str | None) -> tuple[str, ...]:
    if not name or "srgb" in name.casefold():
        return ()
    return (
        f"the colour profile {name!r} is neither applied nor kept: convert the pictures to sRGB, if colours matter",
    )


def upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror a stored picture (H x W, or H x W x C) as EXIF's ``orientation`` says; C-contiguous."""
    if orientation > 4:
        array = array.swapaxes(0, 1)
    # Of the eight: those that are mirrored top to bottom, and left to right, then.
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(array[::rows, ::columns])


def read_picture(path: str | os.PathLike[str], *, dtype: str | None = None) -> np.ndarray:
    """Read the picture in a file: upright, C-contiguous H x W x 3 RGB, in its own depth or in ``dtype``; alpha is left out.

    Raises ``FootageError`` if it is missing, unreadable, damaged, of no known format, or holds several pictures.
    """
    picture, _ = read_with_alpha(Path(path))
    return picture if dtype is None else to_depth(picture, dtype)


def read_with_alpha(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Read picture and alpha (``None`` if the file has none) in the file's own depth, upright. Raises as ``read_picture``."""
    facts = read_facts(path)
    if facts.pictures > 1:
        raise FootageError(
            f"{show_path(path)} holds {facts.pictures} pictures, one is needed: save them one by one, or as a clip"
        )
    try:
        if facts.exr is not None:
            return read_exr(path, facts.exr)
        return _read_eight_bit(path, facts) if facts.dtype == "uint8" else _read_deep(path, facts)
    except FootageError:
        raise
    except OSError as error:
        raise FootageError(f"cannot read {show_path(path)}: {_reason(error)}") from error
    except Exception as error:  # Pillow raises SyntaxError, ValueError, struct.error ...
        raise FootageError(f"{show_path(path)} is damaged: {why(error)}") from error


def _read_eight_bit(path: Path, facts: StillFacts) -> tuple[np.ndarray, np.ndarray | None]:
    with _open_pillow(path, facts.kind) as picture:
        if facts.kind == "tiff" and facts.alpha and picture.mode in ("RGB", "L"):
            return _read_deep(path, facts)  # Pillow drops a channel of which is not said what it is
        data = np.array(picture.convert("RGBA" if facts.alpha else "RGB"))
    if facts.kind != "tiff":  # whose tag Pillow heeds itself
        data = upright(data, facts.orientation)
    if not facts.alpha:
        return data, None
    return np.ascontiguousarray(data[..., :3]), np.ascontiguousarray(data[..., 3])


def _read_deep(path: Path, facts: StillFacts) -> tuple[np.ndarray, np.ndarray | None]:
    if facts.kind == "png":
        check_png(path)
    with opened(path) as file:
        spec = file.spec()
        data = file.read_image(0, 0, 0, spec.nchannels, "float" if facts.floating else facts.dtype)
        if data is None:
            raise ValueError(first_line(file.geterror()))
    if spec.getattribute("tiff:PhotometricInterpretation") == 0:  # white is zero
        data = (1.0 if facts.floating else np.iinfo(data.dtype).max) - data
    data = upright(data.reshape(spec.height, spec.width, -1), facts.orientation)
    grey = "R" not in spec.channelnames
    channel = _alpha_of(spec)
    alpha = None if channel is None else np.ascontiguousarray(data[..., channel])
    return np.ascontiguousarray(np.repeat(data[..., :1], 3, axis=2) if grey else data[..., :3]), alpha
