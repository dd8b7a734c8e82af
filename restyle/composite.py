"""Putting the painting and the footage together, frame by frame."""

from __future__ import annotations

import numpy as np

__all__ = ["blend", "keep_colour"]

# Rec. 709 luma: the weights with which display-referred R, G and B make brightness.
LUMA = (0.2126, 0.7152, 0.0722)


def blend(source: np.ndarray, painting: np.ndarray, strength: float) -> np.ndarray:
    """``source + strength * (painting - source)``, display-referred, rounded to the nearest code value.

    Both H x W x 3 of one dtype. 0 gives the source's and 1 the painting's own bytes.
    """
    import cv2

    if strength >= 1:
        return painting
    if strength <= 0:
        return source
    return cv2.addWeighted(painting, strength, source, 1 - strength, 0)


def keep_colour(source: np.ndarray, painting: np.ndarray) -> np.ndarray:
    """The painting's luma with the source's hue and saturation (its colour differences R-Y and B-Y).

    Where that leaves the gamut, saturation gives way, not hue or brightness. Both H x W x 3 of one dtype.
    """
    import cv2

    white = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}[str(source.dtype)]
    weights = np.array([LUMA], np.float32)
    base = source.astype(np.float32)
    luma = cv2.transform(base, weights)
    wanted = cv2.transform(painting.astype(np.float32), weights)
    chroma = base - luma[:, :, None]
    if source.dtype != np.float32:  # integers clip: shrink the colour difference until it fits
        high = chroma.max(axis=2)
        low = -chroma.min(axis=2)
        room = np.minimum((white - wanted) / np.maximum(high, 1e-3), wanted / np.maximum(low, 1e-3))
        chroma *= np.clip(room, 0, 1)[:, :, None]
    mixed = wanted[:, :, None] + chroma
    if source.dtype == np.float32:
        return mixed
    return np.clip(np.rint(mixed), 0, white).astype(source.dtype)
