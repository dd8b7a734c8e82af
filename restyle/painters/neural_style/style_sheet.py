"""All built-in styles on one picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from interp.pixels.boxes import cropped
from interp.pixels.depth import to_uint8
from restyle.painters.neural_style.choice import parse_style
from restyle.painters.neural_style.networks import LINES, MOST_PIXELS, StyleNetworks
from restyle.painters.neural_style.scaling import Scaling, stroke_scale
from restyle.painters.neural_style.styles import STYLES

__all__ = ["painted_styles", "style_sheet"]

SHOWN = 2  # pixels of the painting to one of a tile, at most


def painted_styles(
    picture: np.ndarray,
    *,
    tile: int = 264,
    names: Sequence[str] | None = None,
    strength: float | None = None,
    brush_size: float | None = None,
) -> Iterator[tuple[str, np.ndarray]]:
    """Paint the styles on one picture, each as it is asked for: (name, uint8 h x ``tile`` x 3), first ``the footage`` itself.

    The arguments are those of ``style_sheet``, which says what a tile shows.
    """
    frame = (picture.shape[1], picture.shape[0])
    scaling = Scaling.of(picture, stroke_scale(frame, brush_size, LINES), MOST_PIXELS)
    content = scaling.part(picture, (0, 0, *scaling.painted))  # tiles are small: paintings need not be enlarged
    width, height = scaling.painted
    wide = min(width, SHOWN * tile)
    tall = max(1, round(height * wide / width))
    middle = ((width - wide) // 2, (height - tall) // 2, (width + wide) // 2, (height + tall) // 2)
    size = (tile, max(1, round(tile * tall / wide)))
    by_name = {style.name: style for style in STYLES}
    chosen = [by_name[name] for name in names] if names is not None else list(STYLES)

    def shown(painting: np.ndarray) -> np.ndarray:
        return cv2.resize(cropped(to_uint8(painting), middle), size, interpolation=cv2.INTER_AREA)

    yield "the footage", shown(content)
    networks = StyleNetworks()
    for style in chosen:
        weights = parse_style(style.name).weights
        painting = networks.paint_builtin(content, weights, strength=1.0 if strength is None else strength)
        yield style.name, shown(painting)


def style_sheet(
    picture: np.ndarray,
    *,
    tile: int = 264,
    columns: int = 4,
    names: Sequence[str] | None = None,
    strength: float | None = None,
    brush_size: float | None = None,
) -> np.ndarray:
    """The styles painted on one picture, with their names: uint8 H x W x 3.

    Each is painted as a run paints it, at the same size. A tile shows all of the picture if that leaves strokes to be seen, and
    otherwise its middle.

    ``picture``: uint8 H x W x 3 RGB; ``tile``: width of one painting in pixels; ``names``: some styles (default: all);
    ``strength`` and ``brush_size``: the painter's options.
    """
    tiles = [*painted_styles(picture, tile=tile, names=names, strength=strength, brush_size=brush_size)]
    size = (tile, tiles[0][1].shape[0])
    gap, label = max(4, tile // 40), max(16, tile // 12)
    font = ImageFont.load_default(size=max(10, tile // 18))
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * (size[0] + gap) + gap, rows * (size[1] + label + gap) + gap), "#fafaf8")
    draw = ImageDraw.Draw(sheet)
    for number, (name, painting) in enumerate(tiles):
        left = gap + number % columns * (size[0] + gap)
        top = gap + number // columns * (size[1] + label + gap)
        sheet.paste(Image.fromarray(painting), (left, top))
        draw.text((left + 2, top + size[1] + label / 2), name, fill="#222", font=font, anchor="lm")
    return np.asarray(sheet)
