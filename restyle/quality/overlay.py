"""Frames with what was said of them drawn in: a grid with coordinates, prompts, mattes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from controls.types import Box, Matte, Point, Prompted
from interp.pixels.depth import to_uint8

__all__ = ["COLOURS", "grid_step", "overlay"]

COLOURS = ((255, 64, 160), (64, 200, 255), (255, 190, 40), (120, 255, 120), (190, 130, 255), (255, 120, 70))
"""Of objects, in their order."""
LINES = 10  # of the grid, about, across the longer side
LARGEST = 4.0  # times a small picture is enlarged at most


def overlay(
    picture: np.ndarray,
    *,
    long_side: int,
    mattes: Mapping[str, np.ndarray] | None = None,
    prompts: Sequence[Prompted] = (),
    names: Sequence[str] = (),
    grid: bool = True,
) -> np.ndarray:
    """A frame (H x W x 3 RGB, any depth) scaled to ``long_side`` pixels, uint8.

    ``mattes``: object's name -> float32 H x W in [0, 1], tinted. ``prompts``: points (a cross on the object, a slanted one off
    it), boxes and drawn mattes' outlines are drawn; others mark no place. ``names``: the objects, whose colours go by their
    order. ``grid``: lines at round coordinates, in pixels of the picture, with numbers.
    """
    height, width = picture.shape[:2]
    scale = min(LARGEST, long_side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shown = cv2.resize(to_uint8(picture), size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    colours = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}
    for name, matte in (mattes or {}).items():
        shown = _tinted(shown, cv2.resize(matte, size, interpolation=cv2.INTER_LINEAR), colours.get(name, COLOURS[0]))
    for prompted in prompts:
        if isinstance(prompted.prompt, Matte):
            drawn = (cv2.resize(prompted.prompt.values, size, interpolation=cv2.INTER_LINEAR) > 0.5).astype(np.uint8)
            outlines, _ = cv2.findContours(drawn, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(shown, outlines, -1, colours.get(prompted.name, COLOURS[0]), 2)
    sheet = Image.fromarray(shown)
    if grid:
        _draw_grid(sheet, (width, height), scale)
    draw = ImageDraw.Draw(sheet)
    for prompted in prompts:
        _draw_prompt(draw, prompted, scale, colours.get(prompted.name, COLOURS[0]))
    return np.asarray(sheet)


def _tinted(picture: np.ndarray, matte: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """The picture with half of the colour in the matte, and the matte's outline."""
    share = np.float32(0.45) * matte[:, :, None]
    mixed = np.rint(picture + share * (np.array(colour, np.float32) - picture)).astype(np.uint8)
    outlines, _ = cv2.findContours((matte > 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(mixed, outlines, -1, colour, 1)
    return mixed


def grid_step(side: int) -> int:
    """Pixels between two lines of the grid on a picture of that longer side: 1, 2 or 5 times a power of ten."""
    steps = (digit * 10**power for power in range(6) for digit in (1, 2, 5))
    return next(step for step in steps if side / step <= LINES)


def _draw_grid(sheet: Image.Image, size: tuple[int, int], scale: float) -> None:
    """Lines at round coordinates; a line lies on the pixels' centres."""
    veil = Image.new("RGBA", sheet.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(veil)
    font = ImageFont.load_default(12)
    step = grid_step(max(size))
    for axis, side in enumerate(size):
        for place in range(0, side, step):
            at = (place + 0.5) * scale
            line = (at, 0, at, sheet.height) if axis == 0 else (0, at, sheet.width, at)
            draw.line(line, fill=(255, 255, 255, 90), width=1)
            corner = (at + 2, 1) if axis == 0 else (2, at + 1)
            if axis == 0 or place:  # the first number stands for both
                draw.text(
                    corner, str(place), fill=(255, 255, 255, 255), stroke_fill=(0, 0, 0, 255), stroke_width=2, font=font
                )
    sheet.paste(veil, (0, 0), veil)


def _draw_prompt(draw: ImageDraw.ImageDraw, prompted: Prompted, scale: float, colour: tuple[int, int, int]) -> None:
    prompt, font = prompted.prompt, ImageFont.load_default(13)
    if isinstance(prompt, Box):
        left, top, right, bottom = (
            (edge + 0.5) * scale for edge in (prompt.left, prompt.top, prompt.right, prompt.bottom)
        )
        draw.rectangle((left, top, right, bottom), outline=(0, 0, 0), width=4)
        draw.rectangle((left + 1, top + 1, right - 1, bottom - 1), outline=colour, width=2)
        draw.text((left + 4, top + 3), prompted.name, fill=colour, stroke_fill=(0, 0, 0), stroke_width=2, font=font)
    elif isinstance(prompt, Point):
        x, y, arm = (prompt.x + 0.5) * scale, (prompt.y + 0.5) * scale, 8
        slant = 0 if prompt.positive else arm * 0.7
        arms = ((arm, 0), (0, arm)) if prompt.positive else ((slant, slant), (slant, -slant))
        for shade, thick in (((0, 0, 0), 5), (colour, 2)):
            for a, b in arms:
                draw.line((x - a, y - b, x + a, y + b), fill=shade, width=thick)
        told = prompted.name if prompt.positive else f"not {prompted.name}"
        draw.text((x + 10, y - 7), told, fill=colour, stroke_fill=(0, 0, 0), stroke_width=2, font=font)
