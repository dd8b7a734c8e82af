"""One picture in a file, written: PNG, JPEG, TIFF, WebP, EXR."""

from __future__ import annotations

import io
import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from restyle.errors import OutputError, show_path, why
from restyle.footage.colour import to_depth
from restyle.footage.exr import write_exr
from restyle.footage.formats import FORMATS

__all__ = ["encode_picture", "save_grey", "save_picture", "write_picture"]


def encode_picture(kind: str, picture: np.ndarray, alpha: np.ndarray | None = None, *, quality: int = 80) -> bytes:
    """Encode a picture as a file's bytes: ``kind`` is png, jpeg, tiff or webp; the depth is the picture's own.

    ``quality`` 0 to 100 counts for JPEG and WebP (100: lossless WebP); 80 is about visually lossless. JPEG drops alpha.
    """
    if kind in ("jpeg", "webp"):
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
    # Deflate; PNG of level 1: level 3 takes three times the time for a tenth less data.
    options = [cv2.IMWRITE_TIFF_COMPRESSION, 8] if kind == "tiff" else [cv2.IMWRITE_PNG_COMPRESSION, 1]
    if picture.dtype == np.float32 and kind == "png":
        picture = to_depth(picture, "uint16")
    data = picture[..., ::-1]
    if alpha is not None:
        data = np.dstack([data, to_depth(alpha, str(picture.dtype), linear=False)])
    encoded, buffer = cv2.imencode("." + kind, np.ascontiguousarray(data), options)
    if not encoded:
        raise OutputError(f"OpenCV cannot write a {picture.dtype} picture as {kind}")
    return bytes(buffer)


def save_grey(path: Path, values: np.ndarray) -> None:
    """Write a picture of one channel: H x W of float32 if the name ends in ``.exr``, else uint8 or uint16, as PNG.

    Raises ``OSError``, ``OutputError``.
    """
    if path.suffix == ".exr":
        write_exr(path, values)
        return
    encoded, buffer = cv2.imencode(".png", np.ascontiguousarray(values), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not encoded:
        raise OutputError(f"OpenCV cannot write {values.dtype} values of {values.shape} as PNG")
    path.write_bytes(bytes(buffer))


def save_picture(
    path: Path,
    kind: str,
    picture: np.ndarray,
    alpha: np.ndarray | None = None,
    *,
    quality: int = 80,
    like: Path | None = None,
) -> None:
    """Write a picture in the format ``kind``, whatever the name says; ``like``: as ``exr.write_exr``.

    Raises ``OSError``, ``OutputError``.
    """
    if kind == "exr":
        flat = None if alpha is None else to_depth(alpha, "float32", linear=False)
        write_exr(path, to_depth(picture, "float32"), flat, like=like)
        return
    path.write_bytes(encode_picture(kind, picture, alpha, quality=quality))


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
        save_picture(Path(path), kind, picture, alpha, quality=quality)
    except OSError as error:
        raise OutputError(f"cannot write {show_path(path)}: {why(error)}") from error
