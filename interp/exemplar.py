"""A hole in one picture, filled with pieces of what surrounds it, so that lines and textures go on in it.

Criminisi, Pérez & Toyama, "Region filling and object removal by exemplar-based image inpainting" (IEEE TIP 13, 2004): the patch
that is filled next lies where most of it is known and where an edge runs into the hole; the piece of the surroundings that is
most like its known part is found by looking at all of them. That is done on a small picture; at full size the same pieces are
shifted until they fit best, and laid over each other softly.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from interp.pixels.boxes import Box, bounding_box, grown, part_of

__all__ = ["fill_by_exemplars"]

PATCH = 9  # working pixels, a side
WORK_HOLE = 44  # working pixels: the longer side of the hole's box at most
AROUND = 1.0  # how far pieces are taken from, as a share of that side
LEAST_AROUND = 24  # and at least, working pixels
EXPECTED = 0.25  # weight of differences to the colours that are expected where a patch is unknown
FAR = 0.5  # by how much the difference to a piece counts more at the far end of what is searched


@dataclass(frozen=True)
class _Piece:
    """A rectangle of working pixels, and where what fills it comes from."""

    top: int
    left: int
    height: int
    width: int
    down: int
    across: int
    """The source, relative to it."""


def fill_by_exemplars(picture: np.ndarray, hole: np.ndarray, unusable: np.ndarray | None = None) -> np.ndarray | None:
    """``picture`` (float32 H x W x 3 in [0, 1]) with ``hole`` (bool H x W) filled; untouched elsewhere.

    ``unusable``: bool H x W, further pixels from which nothing is taken. ``None``: the surroundings hold no piece that is known
    as a whole.
    """
    box = bounding_box(hole)
    if box is None:
        return picture
    side = max(box[2] - box[0], box[3] - box[1])
    scale = max(1.0, side / WORK_HOLE)
    height, width = hole.shape
    around = grown(box, round(max(AROUND * side, LEAST_AROUND * scale)), width, height)
    part = part_of(around)
    closed = hole[part] if unusable is None else hole[part] | unusable[part]
    pieces = _arranged(picture[part], hole[part], closed, scale)
    if pieces is None:
        return None
    filled = picture.copy()
    filled[part] = _laid(picture[part], hole[part], closed, pieces, scale)
    return filled


def _small(plane: np.ndarray, scale: float) -> np.ndarray:
    size = (max(1, round(plane.shape[1] / scale)), max(1, round(plane.shape[0] / scale)))
    return plane if scale == 1 else cv2.resize(plane, size, interpolation=cv2.INTER_AREA)


def _arranged(picture: np.ndarray, hole: np.ndarray, closed: np.ndarray, scale: float) -> list[_Piece] | None:
    """The pieces that fill the hole, in their order, found on a small picture."""
    small = _small(picture, scale).copy()
    unknown = _small(hole.astype(np.float32), scale) > 0
    open_ = _small(closed.astype(np.float32), scale) == 0
    trust = (~unknown).astype(np.float32)
    expected = _expected(small, unknown)
    pieces = []
    half = PATCH // 2
    while unknown.any():
        y, x, confidence = _next(small, unknown, trust)
        top, left = max(0, y - half), max(0, x - half)
        here = np.s_[top : min(unknown.shape[0], y + half + 1), left : min(unknown.shape[1], x + half + 1)]
        patch = np.where(unknown[here][:, :, None], expected[here], small[here])
        found = _most_alike(small, patch, ~unknown[here], open_, (top, left))
        if found is None:
            return None
        rows, columns = unknown[here].shape
        pieces.append(_Piece(top, left, rows, columns, found[0] - top, found[1] - left))
        there = np.s_[found[0] : found[0] + rows, found[1] : found[1] + columns]
        new = unknown[here]
        small[here] = np.where(new[:, :, None], small[there], small[here])
        trust[here] = np.where(new, confidence, trust[here])
        unknown[here] = False
    return pieces


def _expected(small: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """The surroundings' colours, carried on smoothly into the unknown: a piece that is like the known rim alone may be of
    something that stands elsewhere."""
    known = (~unknown).astype(np.float32)
    total, mass = np.zeros_like(small), np.full(unknown.shape, 1e-6, np.float32)
    for sigma in (2.0, 4.0, 8.0, 16.0, 32.0):
        share = np.float32(sigma**-3)
        total += share * cv2.GaussianBlur(small * known[:, :, None], (0, 0), sigma)
        mass += share * cv2.GaussianBlur(known, (0, 0), sigma)
    return np.asarray(total / mass[:, :, None])


def _next(small: np.ndarray, unknown: np.ndarray, trust: np.ndarray) -> tuple[int, int, float]:
    """Row and column of the patch that is filled next, in the middle of it, and how far its known part is to be trusted."""
    window = (PATCH, PATCH)
    confidence = cv2.boxFilter(trust, -1, window, borderType=cv2.BORDER_CONSTANT)
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    known = cv2.erode((~unknown).astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0
    gx, gy = (np.where(known, cv2.Sobel(luma, cv2.CV_32F, *order), 0).astype(np.float32) for order in ((1, 0), (0, 1)))
    xx, xy, yy = (cv2.boxFilter(product, -1, window) for product in (gx * gx, gx * gy, gy * gy))
    shape = cv2.GaussianBlur(unknown.astype(np.float32), (0, 0), 1.5)
    nx, ny = cv2.Sobel(shape, cv2.CV_32F, 1, 0), cv2.Sobel(shape, cv2.CV_32F, 0, 1)
    length = np.maximum(np.hypot(nx, ny), 1e-6)
    tx, ty = -ny / length, nx / length  # along the hole's border: how much the picture changes there runs into the hole
    edge = np.sqrt(np.maximum(tx * tx * xx + 2 * tx * ty * xy + ty * ty * yy, 0))
    front = unknown & (cv2.dilate((~unknown).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    if not front.any():  # everything is unknown
        front = unknown
    order = np.where(front, confidence * (edge + 1e-3), -1)
    y, x = np.unravel_index(int(order.argmax()), order.shape)
    return int(y), int(x), float(confidence[y, x])


def _most_alike(
    small: np.ndarray, patch: np.ndarray, known: np.ndarray, open_: np.ndarray, here: tuple[int, int]
) -> tuple[int, int] | None:
    """Row and column of the piece that is most like ``patch``, whose unknown part holds what is expected there, among those
    that are open as a whole."""
    rows, columns = known.shape
    if small.shape[0] < rows or small.shape[1] < columns or not known.any():
        return None
    mask = np.repeat(np.where(known, 1, EXPECTED).astype(np.float32)[:, :, None], 3, axis=2)
    cost = np.maximum(cv2.matchTemplate(small, np.ascontiguousarray(patch), cv2.TM_SQDIFF, mask=mask), 0)
    y, x = np.mgrid[: cost.shape[0], : cost.shape[1]]
    away = np.hypot(y - here[0], x - here[1]) / np.hypot(*small.shape[:2])
    cost = (cost + 1e-4 * known.sum()) * (1 + FAR * away)
    whole = _whole(open_, rows, columns)
    if not whole.any():
        return None
    found = np.unravel_index(int(np.where(whole, cost, np.inf).argmin()), cost.shape)
    return int(found[0]), int(found[1])


def _whole(open_: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Tell of each pixel whether a rectangle of this size that begins there is open as a whole."""
    counts = cv2.integral(open_.astype(np.uint8))
    inside = counts[rows:, columns:] - counts[:-rows, columns:] - counts[rows:, :-columns] + counts[:-rows, :-columns]
    return np.asarray(inside == rows * columns)


def _laid(picture: np.ndarray, hole: np.ndarray, closed: np.ndarray, pieces: list[_Piece], scale: float) -> np.ndarray:
    """The pieces at full size, each shifted a little to fit what is there already, and laid over each other softly."""
    made = picture.copy()
    total = np.zeros_like(picture)
    mass = np.zeros(hole.shape, np.float32)
    open_ = ~closed
    for piece in pieces:
        box = _full_size(piece, scale, hole.shape)
        part = part_of(box)
        known = ~hole[part] | (mass[part] > 0)
        source = _fitted(made, part, known, open_, box, piece, scale)
        if source is None:
            continue
        weight = _window(*known.shape) * hole[part]
        total[part] += picture[source] * weight[:, :, None]
        mass[part] += weight
        laid = total[part] / np.maximum(mass[part], np.float32(1e-9))[:, :, None]
        made[part] = np.where((hole[part] & (mass[part] > 0))[:, :, None], laid, made[part])
    left = hole & (mass == 0)
    if left.any():  # between pieces, by rounding
        plain = np.rint(np.clip(made, 0, 1) * 255).astype(np.uint8)
        around = cv2.inpaint(plain, left.astype(np.uint8), 3, cv2.INPAINT_TELEA)
        made = np.where(left[:, :, None], around.astype(np.float32) / np.float32(255), made)
    return made


def _full_size(piece: _Piece, scale: float, shape: tuple[int, ...]) -> Box:
    """The rectangle of the full picture: left, top, right, bottom."""
    return (
        min(shape[1] - 1, int(piece.left * scale)),
        min(shape[0] - 1, int(piece.top * scale)),
        min(shape[1], int(np.ceil((piece.left + piece.width) * scale))),
        min(shape[0], int(np.ceil((piece.top + piece.height) * scale))),
    )


def _fitted(
    made: np.ndarray,
    part: tuple[slice, slice],
    known: np.ndarray,
    open_: np.ndarray,
    box: Box,
    piece: _Piece,
    scale: float,
) -> tuple[slice, slice] | None:
    """Find the piece at full size: about where it was on the small picture, as it fits best."""
    rows, columns = known.shape
    reach = int(np.ceil(scale))
    top, left = box[1] + round(piece.down * scale) - reach, box[0] + round(piece.across * scale) - reach
    first_row, first_column = max(0, top), max(0, left)
    last_row, last_column = min(made.shape[0], top + rows + 2 * reach), min(made.shape[1], left + columns + 2 * reach)
    if last_row - first_row < rows or last_column - first_column < columns:
        return None
    around = np.s_[first_row:last_row, first_column:last_column]
    whole = _whole(open_[around], rows, columns)
    if not whole.any():
        return None
    mask = np.repeat(known.astype(np.float32)[:, :, None], 3, axis=2)
    cost = cv2.matchTemplate(
        np.ascontiguousarray(made[around]), np.ascontiguousarray(made[part]), cv2.TM_SQDIFF, mask=mask
    )
    down, across = np.unravel_index(int(np.where(whole, cost, np.inf).argmin()), cost.shape)
    top, left = first_row + int(down), first_column + int(across)
    return np.s_[top : top + rows, left : left + columns]


def _window(rows: int, columns: int) -> np.ndarray:
    """Weights that are greatest in the middle of a piece."""
    y, x = (np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) / (0.22 * n)) ** 2) for n in (rows, columns))
    return np.asarray(y[:, None] * x[None, :] + 1e-6, np.float32)
