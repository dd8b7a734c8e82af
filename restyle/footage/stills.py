"""One picture in a file: facts from the header, reading, writing. PNG, JPEG, TIFF, WebP, EXR; 8 and 16 bits, half and float.

Pillow carries what has 8 bits (it refuses truncated files, and JPEG and WebP come out as RGB), OpenCV what has more.
"""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from restyle.errors import FootageError, OutputError, show_path, why
from restyle.footage.colour import to_depth
from restyle.footage.formats import FORMATS

__all__ = ["StillFacts", "encode_picture", "read_facts", "read_picture", "write_picture"]


@dataclass(frozen=True)
class StillFacts:
    """What the header of a picture file tells."""

    width: int
    height: int
    bits: int
    """8, 16 or 32 bits a channel (a half float counts as 16)."""
    floating: bool
    alpha: bool

    @property
    def dtype(self) -> str:
        return "float32" if self.floating else "uint16" if self.bits > 8 else "uint8"


def _opencv() -> Any:
    # OpenCV carries OpenEXR but keeps it locked unless this is set before its first EXR.
    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
    import cv2

    return cv2


def read_facts(path: Path) -> StillFacts:
    """Facts from a picture's header, without decoding it. Raises ``FootageError``."""
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise FootageError(f"{show_path(path)} is no picture that can be read; there are: {', '.join(sorted(FORMATS))}")
    try:
        with open(path, "rb") as file:
            head = file.read(1 << 16)
        if not head:
            raise FootageError(f"{show_path(path)} is empty (0 bytes); copy or render it again")
        if kind == "png":
            return _png_facts(head)
        if kind == "exr":
            return _exr_facts(head)
        return _tiff_facts(path) if kind == "tiff" else _pillow_facts(path, kind)
    except FootageError:
        raise
    except OSError as error:
        raise FootageError(f"cannot read {show_path(path)}: {_reason(error)}") from error
    except Exception as error:  # parsers of hostile headers raise all kinds
        raise FootageError(f"{show_path(path)} is no {kind.upper()} picture or is damaged: {why(error)}") from error


def _reason(error: OSError) -> str:
    """Pillow raises OSErrors without a number, whose text is a sentence with the path in it."""
    return why(error) if error.errno else "it is damaged, or no picture of the kind that its name says"


def _png_facts(head: bytes) -> StillFacts:
    if head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
        raise ValueError("its first bytes are not those of a PNG")
    width, height, depth, kind = struct.unpack(">IIBB", head[16:26])
    return StillFacts(width, height, 16 if depth == 16 else 8, False, kind in (4, 6) or (b"tRNS" in head[:4096]))


def _exr_facts(head: bytes) -> StillFacts:
    """The attributes of an OpenEXR header (openexr.com, "OpenEXR File Layout")."""
    if head[:4] != b"\x76\x2f\x31\x01":
        raise ValueError("its first bytes are not those of an EXR")
    at, window, channels = 8, None, {}
    while head[at]:
        name, at = _text(head, at)
        _, at = _text(head, at)  # the attribute's type
        (size,) = struct.unpack_from("<i", head, at)
        at += 4
        if name == "dataWindow":
            window = struct.unpack_from("<4i", head, at)
        elif name == "channels":
            place = at
            while head[place]:
                channel, place = _text(head, place)
                channels[channel] = struct.unpack_from("<i", head, place)[0]
                place += 16
        at += size
    if window is None or not channels:
        raise ValueError("its header lacks the data window or the channels")
    depths = {channels.get(c, 1) for c in "RGB"} if "R" in channels else set(channels.values())
    return StillFacts(
        window[2] - window[0] + 1, window[3] - window[1] + 1, 16 if depths == {1} else 32, True, "A" in channels
    )


def _text(head: bytes, at: int) -> tuple[str, int]:
    end = head.index(b"\0", at)
    return head[at:end].decode("latin-1"), end + 1


def _tiff_facts(path: Path) -> StillFacts:
    """The first image directory of a TIFF or BigTIFF. (Pillow does not know colour pictures of floats.)"""
    with open(path, "rb") as file:
        head = file.read(16)
        order = {b"II": "<", b"MM": ">"}[head[:2]]
        big = struct.unpack(order + "H", head[2:4])[0] == 43
        at = struct.unpack(order + ("Q" if big else "I"), head[8:16] if big else head[4:8])[0]
        file.seek(at)
        count = struct.unpack(order + ("Q" if big else "H"), file.read(8 if big else 2))[0]
        entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
        found = {}
        for tag, kind, number, value in entry.iter_unpack(file.read(entry.size * min(count, 4096))):
            form = {1: "B", 3: "H", 4: "I", 16: "Q"}.get(kind)
            if form is None or tag not in (256, 257, 258, 277, 339):
                continue
            layout = struct.Struct(f"{order}{min(number, 16)}{form}")
            if layout.size > len(value):
                file.seek(struct.unpack(order + ("Q" if big else "I"), value)[0])
                value = file.read(layout.size)
            found[tag] = layout.unpack(value[: layout.size])
    bits = max(found.get(258, (8,)))
    return StillFacts(
        found[256][0], found[257][0], max(8, bits), found.get(339, (1,))[0] == 3, found.get(277, (1,))[0] in (2, 4)
    )


def _pillow_facts(path: Path, kind: str) -> StillFacts:
    from PIL import Image

    with Image.open(path, formats=[kind]) as picture:
        alpha = picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info
        return StillFacts(picture.width, picture.height, 8, False, alpha)


def read_picture(path: str | os.PathLike[str], *, dtype: str | None = None) -> np.ndarray:
    """The picture in a file: C-contiguous H x W x 3 RGB, in its own depth or in ``dtype``; alpha is left out.

    Raises ``FootageError`` if it is missing, unreadable, damaged or of no known format.
    """
    picture, _ = read_with_alpha(Path(path))
    return picture if dtype is None else to_depth(picture, dtype)


def read_with_alpha(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Picture and alpha (``None`` if the file has none) in the file's own depth."""
    facts = read_facts(path)
    try:
        if facts.dtype == "uint8":
            return _read_eight_bit(path, facts)
        return _read_deep(path, facts)
    except FootageError:
        raise
    except OSError as error:
        raise FootageError(f"cannot read {show_path(path)}: {_reason(error)}") from error
    except Exception as error:  # Pillow raises SyntaxError, ValueError, struct.error ...; OpenCV its own
        raise FootageError(f"{show_path(path)} is damaged: {why(error)}") from error


def _read_eight_bit(path: Path, facts: StillFacts) -> tuple[np.ndarray, np.ndarray | None]:
    from PIL import Image

    with Image.open(path, formats=[FORMATS[path.suffix.lower()]]) as picture:
        data = np.array(picture.convert("RGBA" if facts.alpha else "RGB"))
    if not facts.alpha:
        return data, None
    return np.ascontiguousarray(data[..., :3]), np.ascontiguousarray(data[..., 3])


def _read_deep(path: Path, facts: StillFacts) -> tuple[np.ndarray, np.ndarray | None]:
    cv2 = _opencv()
    raw = path.read_bytes()
    data = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED)
    if data is None:
        raise FootageError(f"{show_path(path)} is damaged or of an unknown kind; copy or render it again")
    if data.dtype == np.float64:
        data = data.astype(np.float32)
    if str(data.dtype) != facts.dtype:
        raise FootageError(
            f"{show_path(path)} holds {data.dtype} samples, which are not supported; save it with 8, 16 or 32 bits"
        )
    if data.ndim == 2:
        data = cv2.cvtColor(data, cv2.COLOR_GRAY2RGB)
    elif data.shape[2] == 4:
        alpha = np.ascontiguousarray(data[..., 3])
        return np.ascontiguousarray(data[..., 2::-1]), alpha
    else:
        data = cv2.cvtColor(data, cv2.COLOR_BGR2RGB)
    return data, None


def encode_picture(kind: str, picture: np.ndarray, alpha: np.ndarray | None = None, *, quality: int = 80) -> bytes:
    """The bytes of a picture file: ``kind`` is png, jpeg, tiff, webp or exr; the depth is the picture's own.

    ``quality`` 0 to 100 counts for JPEG and WebP (100: lossless WebP); 80 is about visually lossless. JPEG drops alpha.
    """
    cv2 = _opencv()
    if kind in ("jpeg", "webp"):
        from PIL import Image

        data = to_depth(picture, "uint8")
        if alpha is not None and kind == "webp":
            data = np.dstack([data, to_depth(alpha, "uint8", linear=False)])
        out = io.BytesIO()
        if kind == "jpeg":
            # 80 -> 95, where JPEG's losses stop to be seen; no chroma subsampling, which would smear painted edges.
            scale = round(30 + quality * 65 / 80) if quality <= 80 else round(95 + (quality - 80) / 4)
            Image.fromarray(data).save(out, "jpeg", quality=scale, subsampling=0)
        else:
            Image.fromarray(data).save(
                out, "webp", quality=min(100, quality + 15), lossless=quality == 100, exact=True, method=2
            )
        return out.getvalue()
    if kind == "exr":
        picture, options = to_depth(picture, "float32"), [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_FLOAT]
    elif kind == "tiff":
        options = [cv2.IMWRITE_TIFF_COMPRESSION, 8]  # deflate
    else:
        options = [cv2.IMWRITE_PNG_COMPRESSION, 1]  # level 3: three times the time, a tenth less data
    if picture.dtype == np.float32 and kind == "png":
        picture = to_depth(picture, "uint16")
    data = picture[..., ::-1]
    if alpha is not None:
        data = np.dstack([data, to_depth(alpha, str(picture.dtype), linear=False)])
    done, buffer = cv2.imencode("." + kind, np.ascontiguousarray(data), options)
    if not done:
        raise OutputError(f"OpenCV cannot write a {picture.dtype} picture as {kind}")
    return bytes(buffer)


def encode_grey(kind: str, values: np.ndarray) -> bytes:
    """The bytes of a picture of one channel: H x W of uint8 or uint16 as ``png``, of float32 as ``exr``."""
    cv2 = _opencv()
    options = [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_FLOAT] if kind == "exr" else [cv2.IMWRITE_PNG_COMPRESSION, 1]
    done, buffer = cv2.imencode("." + kind, np.ascontiguousarray(values), options)
    if not done:
        raise OutputError(f"OpenCV cannot write {values.dtype} values of {values.shape} as {kind}")
    return bytes(buffer)


def write_picture(
    path: str | os.PathLike[str], picture: np.ndarray, alpha: np.ndarray | None = None, *, quality: int = 80
) -> None:
    """Write one picture in the format that the name's extension says, in its own depth. Replaces what is there.

    Raises ``OutputError``.
    """
    kind = FORMATS.get(Path(path).suffix.lower())
    if kind is None:
        raise OutputError(f"{show_path(path)} names no picture format; there are: {', '.join(sorted(FORMATS))}")
    try:
        Path(path).write_bytes(encode_picture(kind, picture, alpha, quality=quality))
    except OSError as error:
        raise OutputError(f"cannot write {show_path(path)}: {why(error)}") from error
