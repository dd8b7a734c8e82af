"""Contact sheets: pictures with captions, in rows or in one strip, in one PNG or JPEG."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from interp.pixels.depth import to_uint8
from restyle.errors import OutputError, OutputExistsError, show_path
from restyle.files.owned import refuse_inputs
from restyle.files.writing import writing

__all__ = ["LONG_SIDE", "Tile", "check_sheet", "save_sheet", "write_sheet", "write_strip"]

KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
OPTIONS: dict[str, dict[str, int]] = {"PNG": {"compress_level": 1}, "JPEG": {"quality": 90}}  # of Pillow; PNG's usual 6
# takes twice the time for a twentieth less
LONG_SIDE = 480  # pixels, of one picture on the sheet
LARGEST = 60_000  # pixels, of a side of the sheet: a JPEG ends at 65,500
MARGIN, CAPTION = 12, 24
GROUND, INK = (24, 24, 26), (225, 225, 225)


@dataclass(frozen=True)
class Tile:
    """Pictures that belong together, over one caption: side by side on a sheet, one above the other in a strip."""

    caption: str
    pictures: tuple[np.ndarray, ...]
    """H x W x 3 RGB, uint8, uint16 or float32; all of one size."""

    def __post_init__(self) -> None:
        if not self.pictures or len({picture.shape for picture in self.pictures}) != 1:
            raise ValueError(f"a tile has pictures of one size, got {[p.shape for p in self.pictures]}")


def check_sheet(path: Path, *, overwrite: bool, inputs: Iterable[Path]) -> None:
    """Refuse early what ``write_sheet`` could not do later. ``inputs``: what is read for the sheet.

    Raises ``OutputError``, ``OutputExistsError``.
    """
    if path.suffix.lower() not in KINDS:
        raise OutputError(f"a sheet is a .png or .jpg, got {show_path(path)}")
    if not path.parent.is_dir():
        raise OutputError(f"there is no folder {show_path(path.parent)} for the sheet; make it first")
    refuse_inputs(path, inputs)
    if os.path.lexists(path) and not overwrite:
        raise OutputExistsError(f"{show_path(path)} is there already; choose another name, or add --overwrite")


def write_sheet(path: Path, tiles: Sequence[Tile], *, overwrite: bool, long_side: int = LONG_SIDE) -> None:
    """Lay the tiles out in rows, about as wide as four thirds of the height, and write the sheet in one step. ``long_side``: of
    one picture on it, at most.

    Raises as ``save_sheet``.
    """
    height, width = tiles[0].pictures[0].shape[:2]
    across = max(len(tile.pictures) for tile in tiles)
    columns = max(1, round(math.sqrt(len(tiles) * (height / width) / across * 4 / 3)))
    rows = -(-len(tiles) // columns)
    room = min(LARGEST / (columns * across * width), LARGEST / (rows * (height + CAPTION + MARGIN)))
    scale = min(1.0, long_side / max(width, height), room)
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    step_x, step_y = across * w + MARGIN, h + CAPTION + MARGIN
    sheet = Image.new("RGB", (columns * step_x + MARGIN, rows * step_y + MARGIN), GROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    for number, tile in enumerate(tiles):
        x, y = MARGIN + number % columns * step_x, MARGIN + number // columns * step_y
        for column, picture in enumerate(tile.pictures):
            small = Image.fromarray(to_uint8(picture)).resize((w, h), Image.Resampling.LANCZOS)
            sheet.paste(small, (x + column * w, y))
        draw.text((x, y + h + 4), tile.caption, fill=INK, font=font)
    save_sheet(path, np.asarray(sheet), overwrite=overwrite)


def write_strip(path: Path, tiles: Sequence[Tile], labels: Sequence[str], *, overwrite: bool) -> None:
    """Lay the tiles out from left to right, their pictures one above the other as they are, and write the strip in one step.

    ``labels``: one for each row of pictures, in the first tile. All pictures are of one size. Raises as ``save_sheet``.
    """
    height, width = tiles[0].pictures[0].shape[:2]
    gap = MARGIN // 3
    size = (2 * MARGIN + len(tiles) * (width + gap) - gap, MARGIN + len(labels) * (height + gap) + CAPTION)
    strip = Image.new("RGB", size, GROUND)
    draw = ImageDraw.Draw(strip)
    font = ImageFont.load_default(14)
    for column, tile in enumerate(tiles):
        x = MARGIN + column * (width + gap)
        for row, picture in enumerate(tile.pictures):
            strip.paste(Image.fromarray(to_uint8(picture)), (x, MARGIN + row * (height + gap)))
        draw.text((x, MARGIN + len(labels) * (height + gap)), tile.caption, fill=INK, font=font)
    for row, label in enumerate(labels):
        at = (MARGIN + 4, MARGIN + row * (height + gap) + 3)
        draw.text(at, label, fill=INK, font=font, stroke_width=2, stroke_fill=GROUND)
    save_sheet(path, np.asarray(strip), overwrite=overwrite)


def save_sheet(path: Path, picture: np.ndarray, *, overwrite: bool) -> None:
    """Write a picture (uint8 H x W x 3 RGB) as PNG or JPEG, in one step.

    Raises ``OutputError``, ``OutputExistsError``, ``OutputLockedError``.
    """
    kind = KINDS[path.suffix.lower()]
    data = io.BytesIO()
    Image.fromarray(picture).save(data, kind, **OPTIONS[kind])
    with writing(path, overwrite=overwrite) as part:
        part.write_bytes(data.getvalue())
