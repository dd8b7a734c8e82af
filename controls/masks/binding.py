"""Prompts hold on their own frame, whoever follows the objects: the step through which every masker's mattes pass.

A masker may be anybody's, and a network answers as it likes. On the frame on which it was given, a positive point is inside
its object's matte and a negative one outside, nothing lies outside of a box by more than a few pixels, and a drawn matte is
what was drawn. To *follow* what prompts say is the masker's own part; this step only mends what it leaves broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np

from controls.masks.flowcut.colour_models import lab
from controls.masks.patches import connected_patch, nearer_than
from controls.types import Box, Masked, Matte, Pictures, Point, Prompt, Prompted

__all__ = ["SLACK", "bind", "bound", "obeys"]

SLACK = 2
"""Pixels by which a matte may reach out of its box."""
SURE = 1.5
"""Pixels round a point that are what it says, at least."""
REACH = 0.04
"""Of the picture's long side: how far from a broken point its patch may reach."""


def bound(frames: Iterable[Masked], pictures: Pictures, prompts: Sequence[Prompted]) -> Iterator[Masked]:
    """Yield a masker's ``frames`` (of the shot ``pictures``, followed from ``prompts``), with all prompts obeyed on their own
    frames. A frame's picture is read again only where a point is broken."""
    by_frame: dict[int, dict[str, list[Prompt]]] = {}
    for prompted in prompts:
        if isinstance(prompted.prompt, Box | Matte | Point):
            by_frame.setdefault(prompted.frame, {}).setdefault(prompted.name, []).append(prompted.prompt)
    for masked in frames:
        if (here := by_frame.get(masked.frame)) is None:
            yield masked
            continue

        def picture(frame: int = masked.frame) -> np.ndarray:
            return next(iter(pictures.read(frame, frame + 1)))

        mattes = {
            name: bind(matte, here[name], picture) if name in here else matte for name, matte in masked.mattes.items()
        }
        seen = {name for name in here if name in mattes and (mattes[name] > 0.5).any()}
        yield replace(masked, mattes=mattes, lost=masked.lost - seen)


def bind(matte: np.ndarray, prompts: Sequence[Prompt], picture: Callable[[], np.ndarray]) -> np.ndarray:
    """One object's matte (float32 H x W in [0, 1]) on a frame, as the ``prompts`` for it on that frame say.

    Where a point is broken, the patch of its own colour that is connected with it goes in, or out (``connected_patch``).
    ``picture``: gives the frame's picture, if it is wanted. A point counts more than a drawn matte or a box; a drawn matte more
    than a box.
    """
    drawn = [prompt.values for prompt in prompts if isinstance(prompt, Matte)]
    boxes = [prompt for prompt in prompts if isinstance(prompt, Box)]
    points = [prompt for prompt in prompts if isinstance(prompt, Point)]
    if drawn:
        matte = np.max(drawn, axis=0)
    elif boxes:
        matte = matte * _within(boxes, matte.shape)
    broken = [point for point in points if not obeys(matte, point, points)]
    if broken:
        matte = matte.copy()
        colours = lab(picture())
        for point in broken:
            _mend(matte, colours, point, points)
    return matte


def obeys(matte: np.ndarray, point: Point, points: Sequence[Point] = ()) -> bool:
    """Return True if the ``point`` is inside the ``matte``, or outside of it for a negative one, together with a pixel round it
    unless that is nearer to one of the ``points`` that say the opposite."""
    rows, columns, sure = _sure(matte.shape, point, points)
    inside = matte[rows, columns][sure] > 0.5
    return bool(inside.all() if point.positive else not inside.any())


def _within(boxes: Sequence[Box], shape: tuple[int, ...]) -> np.ndarray:
    """float32 H x W: 1 in the boxes and ``SLACK`` pixels round them, else 0."""
    inside = np.zeros(shape, np.float32)
    for box in boxes:
        left, top = max(0, int(np.floor(box.left)) - SLACK), max(0, int(np.floor(box.top)) - SLACK)
        inside[top : int(np.ceil(box.bottom)) + SLACK + 1, left : int(np.ceil(box.right)) + SLACK + 1] = 1
    return inside


def _mend(matte: np.ndarray, colours: np.ndarray, point: Point, points: Sequence[Point]) -> None:
    """Take the point's patch into ``matte``, or out of it, in place."""
    others = _opposite(point, points)
    patch = connected_patch(colours, (point.x, point.y), max(6.0, REACH * max(matte.shape)), others)
    soft = cv2.GaussianBlur(patch.astype(np.float32), (3, 3), 0)
    np.copyto(matte, np.maximum(matte, soft) if point.positive else np.minimum(matte, 1 - soft))
    for each in points:  # what they say for sure is no other's to soften
        rows, columns, sure = _sure(matte.shape, each, points)
        if each is point or not obeys(matte, each, points):
            matte[rows, columns][sure] = 1 if each.positive else 0


def _sure(shape: tuple[int, ...], point: Point, points: Sequence[Point]) -> tuple[slice, slice, np.ndarray]:
    """Rows, columns, and bool h x w of them: the pixels that are what the point says; its own at least."""
    height, width = shape
    x, y = min(max(int(np.floor(point.x + 0.5)), 0), width - 1), min(max(int(np.floor(point.y + 0.5)), 0), height - 1)
    top, left = max(0, y - 2), max(0, x - 2)
    rows, columns = slice(top, min(height, y + 3)), slice(left, min(width, x + 3))
    extent = (rows.stop - rows.start, columns.stop - columns.start)
    sure = nearer_than(extent, (left, top), (point.x, point.y), SURE, _opposite(point, points))
    for other in _opposite(point, points):  # nor the pixel that another point lies in
        a, b = int(np.floor(other[1] + 0.5)) - top, int(np.floor(other[0] + 0.5)) - left
        if 0 <= a < extent[0] and 0 <= b < extent[1]:
            sure[a, b] = False
    sure[y - top, x - left] = True
    return rows, columns, sure


def _opposite(point: Point, points: Sequence[Point]) -> list[tuple[float, float]]:
    return [(each.x, each.y) for each in points if each.positive != point.positive]
