"""All built-in styles on one picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from interp.pixels.depth import to_uint8
from restyle.painters.neural_style.choice import parse_style
from restyle.painters.neural_style.networks import StyleNetworks
from restyle.painters.neural_style.styles import STYLES

__all__ = ["style_sheet"]


def style_sheet(
    picture: np.ndarray, *, tile: int = 264, columns: int = 4, names: Sequence[str] | None = None
) -> np.ndarray:
    """The styles painted on one picture, with their names: uint8 H x W x 3.

    ``picture``: uint8 H x W x 3 RGB; ``tile``: width of one painting in pixels; ``names``: some styles (default: all).
    """
    height, width = picture.shape[:2]
    size = (tile, max(1, round(tile * height / width)))
    request = (min(width, 2 * tile), max(1, round(min(width, 2 * tile) * height / width)))
    content = cv2.resize(picture, request, interpolation=cv2.INTER_AREA)
    by_name = {style.name: style for style in STYLES}
    chosen = [by_name[name] for name in names] if names is not None else list(STYLES)
    networks = StyleNetworks()
    tiles = [("the footage", content)]
    for style in chosen:
        painting = networks.paint_builtin(content.astype(np.float32) / 255, parse_style(style.name).weights)
        tiles.append((style.name, to_uint8(painting)))
    gap, label = max(4, tile // 40), max(16, tile // 12)
    font = ImageFont.load_default(size=max(10, tile // 18))
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * (size[0] + gap) + gap, rows * (size[1] + label + gap) + gap), "#fafaf8")
    draw = ImageDraw.Draw(sheet)
    for number, (name, painting) in enumerate(tiles):
        left = gap + number % columns * (size[0] + gap)
        top = gap + number // columns * (size[1] + label + gap)
        sheet.paste(Image.fromarray(cv2.resize(painting, size, interpolation=cv2.INTER_AREA)), (left, top))
        draw.text((left + 2, top + size[1] + label / 2), name, fill="#222", font=font, anchor="lm")
    return np.asarray(sheet)
