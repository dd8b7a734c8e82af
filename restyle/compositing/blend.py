"""Putting the painting and the footage together, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import cv2
import numpy as np

from interp.pixels.boxes import bounding_box, grown, part_of
from interp.pixels.depth import from_unit, quantise, to_unit, white_of
from restyle.compositing.foreground import WINDOWS, foreground
from restyle.footage.transfer import encoded, linear

__all__ = ["blend", "blend_mode", "keep_colour", "matte_edge", "over", "without_rim"]

# Rec. 709 luma: the weights with which display-referred R, G and B make brightness.
LUMA = (0.2126, 0.7152, 0.0722)
NEARLY_BLACK = 0.08  # of white: luma below which colours grow little with brightness
MOST_GROWTH = 4.0  # of colour differences


def blend(source: np.ndarray, painting: np.ndarray, mix: float) -> np.ndarray:
    """``source + mix * (painting - source)``, display-referred, rounded to the nearest code value.

    Both H x W x 3 of one dtype. 0 gives the source's and 1 the painting's own bytes.
    """
    if mix >= 1:
        return painting
    if mix <= 0:
        return source
    return cv2.addWeighted(painting, mix, source, 1 - mix, 0)


def keep_colour(source: np.ndarray, painting: np.ndarray) -> np.ndarray:
    """The painting's luma with the source's hue and saturation. Both H x W x 3 of one dtype.

    Where the painting is brighter, the source's colour differences (R-Y and B-Y) grow with it: those of a dark colour are small
    numbers, and beside a bright luma they would be grey. They grow less where the source is nearly black, for there they are
    noise. Where colours would leave the gamut, saturation gives way, not hue or brightness.
    """
    black = np.float32(NEARLY_BLACK * white_of(source.dtype))
    luma, target = _luma(source), _luma(painting)
    growth = np.clip((target + black) / (np.maximum(luma, 0) + black), 1, MOST_GROWTH)
    return _with_luma(source, luma, target, growth)


def _with_luma(base: np.ndarray, luma: np.ndarray, target: np.ndarray, growth: np.ndarray | None = None) -> np.ndarray:
    """``base`` with the luma ``target`` in place of its own, and its colour differences, times ``growth``."""
    chroma = base.astype(np.float32) - luma[:, :, None]
    if growth is not None:
        chroma *= growth[:, :, None]
    if base.dtype != np.float32:  # integers clip: shrink the colour difference until it fits
        high = chroma.max(axis=2)
        low = -chroma.min(axis=2)
        white = white_of(base.dtype)
        room = np.minimum((white - target) / np.maximum(high, 1e-3), target / np.maximum(low, 1e-3))
        chroma *= np.clip(room, 0, 1)[:, :, None]
    return quantise(target[:, :, None] + chroma, base.dtype)


def _luma(picture: np.ndarray) -> np.ndarray:
    return cv2.transform(picture.astype(np.float32), np.array([LUMA], np.float32)).reshape(picture.shape[:2])


def blend_mode(base: np.ndarray, top: np.ndarray, mode: str) -> np.ndarray:
    """``top`` blended with ``base``, both H x W x 3 of one dtype: what ``over`` then lays down.

    ``mode``: ``normal`` (the top), ``multiply``, ``screen``, ``overlay``, ``soft-light``, ``darken``, ``lighten``: the formulas
    of W3C's Compositing and Blending Level 1, section 10.1, of display-referred values with 1 = white, as editors have them
    (floats are clipped to [0, 1] for those that need it). ``colour``: the top's hue and saturation with the base's brightness,
    and ``luminosity``: the reverse, by Rec. 709 luma, colour differences as they are. Raises ``ValueError`` for another name.
    """
    if mode == "normal":
        return top
    if mode in ("colour", "luminosity"):
        coloured, other = (top, base) if mode == "colour" else (base, top)
        return _with_luma(coloured, _luma(coloured), _luma(other))
    if mode not in _BLENDS:
        raise ValueError(f"no blend mode {mode!r}; there are: normal, {', '.join(_BLENDS)}, colour, luminosity")
    below, above = (to_unit(picture) for picture in (base, top))
    if base.dtype == np.float32 and mode in ("screen", "overlay", "soft-light"):
        below, above = np.clip(below, 0, 1), np.clip(above, 0, 1)
    return from_unit(_BLENDS[mode](below, above), base.dtype)


def _soft_light(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    lifted = np.where(below <= 0.25, ((16 * below - 12) * below + 4) * below, np.sqrt(below))
    return np.where(
        above <= 0.5, below - (1 - 2 * above) * below * (1 - below), below + (2 * above - 1) * (lifted - below)
    )


_BLENDS: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "multiply": lambda b, s: b * s,
    "screen": lambda b, s: b + s - b * s,
    "overlay": lambda b, s: np.where(b <= 0.5, 2 * b * s, 1 - 2 * (1 - b) * (1 - s)),
    "soft-light": _soft_light,
    "darken": np.minimum,
    "lighten": np.maximum,
}


def matte_edge(matte: np.ndarray, *, grow: float = 0.0, feather: float = 0.0) -> np.ndarray:
    """The matte, grown (or, below 0, shrunk) by so many pixels and softened over about ``feather`` pixels.

    Float32 H x W in [0, 1] in and out. A feathered edge is half there where the hard one was. Beyond ``grow + 1.5 feather``
    pixels from the matte it is exactly 0, and so far inside of it exactly 1.
    """
    edge = matte
    steps = round(abs(grow))
    if steps:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * steps + 1, 2 * steps + 1))
        edge = (cv2.dilate if grow > 0 else cv2.erode)(edge, disc)
    if feather > 0:
        reach = 2 * int(np.ceil(1.5 * feather)) + 1
        edge = cv2.GaussianBlur(edge, (reach, reach), feather / 2, borderType=cv2.BORDER_REPLICATE)
    edge = edge.reshape(matte.shape)
    # a sum of weights in floating point: what should be nothing or all of it is so to the last bit
    return np.where(edge < 1e-5, np.float32(0), np.where(edge > 1 - 1e-5, np.float32(1), edge)).astype(np.float32)


def over(base: np.ndarray, top: np.ndarray, matte: np.ndarray, transfer: str | None = None) -> np.ndarray:
    """``top`` laid over ``base`` where ``matte`` says: a new picture.

    Pictures H x W x 3 of one dtype, ``matte`` float32 H x W in [0, 1]. Where it is 0 the base's own bits come back, where it is
    1 the top's. Between, light is mixed, not code values (that makes edges between light and dark too dark): integers are taken
    as encoded by the footage's ``transfer`` (see ``restyle.footage.transfer``), floats as linear light already.
    """
    laid = cv2.copyTo(np.ascontiguousarray(top), (matte >= 1).view(np.uint8), base.copy())
    edge = np.flatnonzero((matte > 0) & (matte < 1))
    if edge.size:
        share = matte.reshape(-1, 1)[edge]
        a, b = (_linear(np.ascontiguousarray(picture).reshape(-1, 3)[edge], transfer) for picture in (base, top))
        laid.reshape(-1, 3)[edge] = _encoded(a + share * (b - a), base.dtype, transfer)
    return laid


def without_rim(base: np.ndarray, gone: np.ndarray, matte: np.ndarray, transfer: str | None = None) -> np.ndarray:
    """``base`` as it would look in a soft edge if what is replaced had never shone through: a new picture.

    ``base``: H x W x 3. ``gone``: float32 H x W, 1 where what is replaced is, before its edge was softened; ``matte``: the
    same, softened. Where that is neither 0 nor 1, the colour of what stays is estimated (``foreground``), in light; elsewhere
    the base's own bits come back.
    """
    edge = (matte > 0) & (matte < 1)
    box = bounding_box(edge)
    if box is None:
        return base
    part = part_of(grown(box, WINDOWS[0] // 2, base.shape[1], base.shape[0]))
    light = _linear(np.ascontiguousarray(base[part]).reshape(-1, 3), transfer).reshape(base[part].shape)
    made = _encoded(foreground(light, 1 - gone[part]), base.dtype, transfer)
    changed = base.copy()
    changed[part] = np.where(edge[part][:, :, None], made, base[part])
    return changed


def _linear(values: np.ndarray, transfer: str | None) -> np.ndarray:
    """Linear light, float32, 1 = white."""
    if values.dtype == np.float32:
        return values
    return _light(int(white_of(values.dtype)), transfer)[values]


@lru_cache(maxsize=4)
def _light(white: int, transfer: str | None) -> np.ndarray:
    """Linear light of every code value up to ``white``."""
    light = linear(np.arange(white + 1) / white, transfer).astype(np.float32)
    light.setflags(write=False)
    return light


def _encoded(light: np.ndarray, dtype: np.dtype, transfer: str | None) -> np.ndarray:
    if dtype == np.float32:
        return light
    return np.rint(encoded(light, transfer) * white_of(dtype)).astype(dtype)
