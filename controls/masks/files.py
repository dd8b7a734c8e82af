"""Mattes in picture files: PNG, TIFF (8 and 16 bits), EXR (half and float), and whatever else OpenCV reads."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

__all__ = ["read_matte"]


def read_matte(path: Path) -> np.ndarray:
    """One matte, float32 H x W in [0, 1]. A transparent picture's alpha is the matte if it is not the same everywhere;
    otherwise its brightness (the mean of its channels; for grey files the value itself) is.

    Raises ``ValueError``, one line that names the file.
    """
    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")  # OpenCV carries OpenEXR, locked until this is set
    import cv2

    try:
        packed = np.fromfile(path, np.uint8)
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or error
        raise ValueError(f"the matte {str(path)!r} cannot be read: {reason}") from error
    picture = None
    if packed.size:
        try:
            picture = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
        except cv2.error:
            picture = None
    if picture is None:
        raise ValueError(f"{str(path)!r} is no picture that can be read; a matte is a PNG, TIFF or EXR")
    largest = {"uint8": 255.0, "uint16": 65535.0}.get(picture.dtype.name, 1.0)
    values = picture.astype(np.float32) / np.float32(largest)
    if values.ndim == 3:
        alpha = values[:, :, 3] if values.shape[2] == 4 else None
        values = alpha if alpha is not None and float(np.ptp(alpha)) > 0 else values[:, :, :3].mean(axis=2)
    if not np.isfinite(values).all():
        raise ValueError(f"the matte {str(path)!r} holds values that are not numbers (NaN or infinity)")
    return np.ascontiguousarray(np.clip(values, 0, 1), dtype=np.float32)
