"""Pictures as detectors take them, and planes as the pictures that maps are."""

from __future__ import annotations

import numpy as np

from interp.pixels.depth import to_uint8

__all__ = ["as_picture", "grey_picture", "picture_to_detect"]


def picture_to_detect(picture: np.ndarray) -> np.ndarray:
    """``picture`` (H x W x 3; uint8, uint16, or float32 with 1 = white) as uint8, rounded and clipped.

    Raises ``ValueError`` for anything else.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise ValueError(f"a picture is H x W x 3, got {picture.shape}")
    return to_uint8(picture)


def grey_picture(values: np.ndarray) -> np.ndarray:
    """float32 h x w in [0, 1] as uint8 h x w x 3 (rounded), all channels the same."""
    return as_picture(to_uint8(values))


def as_picture(plane: np.ndarray) -> np.ndarray:
    """uint8 h x w as h x w x 3."""
    return np.ascontiguousarray(np.broadcast_to(plane[:, :, None], (*plane.shape, 3)))
