"""Pictures that only a page needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from interp.pixels.depth import to_uint8
from interp.pixels.sizes import size_within
from restyle.quality.overlay import COLOURS
from restyle.studio.frames import VIEW_SIDE

__all__ = ["grey_png", "tinted_png"]


def tinted_png(mattes: Mapping[str, np.ndarray], names: Sequence[str], size: tuple[int, int]) -> bytes:
    """Mattes (float32 H x W in [0, 1]) as a PNG with alpha, to be laid over their frame: each in its object's colour, with its
    outline. ``names``: the objects, whose colours go by their order; ``size``: width and height without any."""
    wide, tall = size_within(*size, VIEW_SIDE)
    sheet = np.zeros((tall, wide, 4), np.uint8)
    for name, matte in mattes.items():
        colour = COLOURS[names.index(name) % len(COLOURS)][::-1] if name in names else COLOURS[0][::-1]
        small = cv2.resize(matte, (wide, tall), interpolation=cv2.INTER_AREA)
        covered = small > sheet[..., 3] / np.float32(255)
        sheet[covered, :3] = colour
        sheet[..., 3] = np.maximum(sheet[..., 3], np.rint(small * 255 * 0.45).astype(np.uint8))
        outlines, _ = cv2.findContours((small > 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(sheet, outlines, -1, (*colour, 255), 1)
    return _png(sheet)


def grey_png(matte: np.ndarray) -> bytes:
    """A matte (float32 H x W in [0, 1]) as a grey PNG of 8 bits."""
    return _png(to_uint8(matte))


def _png(sheet: np.ndarray) -> bytes:
    done, data = cv2.imencode(".png", sheet, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise ValueError(f"a picture of {sheet.shape} cannot be a PNG")
    return data.tobytes()
