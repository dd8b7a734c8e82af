"""The embedded default: feed-forward style networks, painted with a memory.

A feed-forward network has none: a small change of the picture, or of its overall brightness, moves its brush marks and shifts
its colours. So each keyframe after a shot's first builds on the one before:

1. paint it afresh;
2. match the fresh painting's colours to the painting before it, moved along the footage's motion, by one affine map a channel,
   fitted where the motion is sure. Through that chain the colours are held to the shot's anchor, its first keyframe;
3. keep the moved painting where it is explained, the fresh one where it is not ("seed");
4. give back the fine detail that moving cost: the fresh painting tells, cell by cell, how much the style has.

The idea of a painting's own past as its prior is Ruder, Dosovitskiy & Brox's ("Artistic style transfer for videos and spherical
images", 2018); there it is trained into the network, here it goes round any network.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import cv2
import numpy as np

from interp.types import Motion
from interp.warp import resize_confidence, warp
from restyle.errors import RecipeError
from restyle.painters.base import Paint
from restyle.painters.style_networks import StyleNetworks, read_style_picture
from restyle.painters.styles import parse_style
from restyle.types import Carry

__all__ = ["NeuralStylePainter"]

CELL = 32  # pixels: side of the cells in which fine detail is compared
SHARED = 0.02  # share of the picture that must be surely seen in both keyframes before colours are fitted


class NeuralStylePainter:
    """The painter ``neural-style``. ``style``: as ``--style``. ``hold``: how much of the painting before stays where the
    motion is sure, 0 (each keyframe by itself) to 1. It draws no random numbers: seeds do not matter.

    Pictures of every depth are painted in float32; uint16 paintings carry the network's full precision. Float pictures are
    taken as display-referred: the network sees them clipped to [0, 1].
    """

    name = "neural-style"
    cost = 35.0

    def __init__(self, style: str | None = None, hold: float = 0.8, threads: int = 0) -> None:
        if not isinstance(hold, (int, float)) or not 0 <= hold <= 1:
            raise RecipeError(f"painter option hold is 0 to 1, got {hold!r}")
        self._style = parse_style(style)
        self._hold = float(hold)
        self._networks = StyleNetworks(threads=threads)
        self._vector: np.ndarray | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        pictures = [[blake2b(path.read_bytes()).hexdigest(), weight] for path, weight in self._style.pictures]
        return {
            "weights": self._style.weights,
            "pictures": pictures,
            "hold": self._hold,
            "network": self._networks.digest(arbitrary=bool(pictures)),
        }

    def paint(self, work: Paint, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        paintings: list[np.ndarray] = []
        for place, picture in enumerate(work.pictures):
            work.tick(f"painting frame {work.frames[place]}")
            given = work.given.get(place)
            if given is not None:
                paintings.append(given.copy())
                continue
            painting = self._fresh(picture)
            if place and self._hold:
                motion = work.tracker.between(work.positions[place], work.positions[place - 1])
                painting = _seed(painting, paintings[-1], motion, self._hold)
            paintings.append(_from_float(painting, picture.dtype))
        return paintings, Carry()  # all that the next window needs is the painting of the keyframe that it shares

    def close(self) -> None:
        self._networks = StyleNetworks()

    def _fresh(self, picture: np.ndarray) -> np.ndarray:
        content = _to_float(picture).clip(0, 1)
        if not self._style.pictures:
            return self._networks.paint_builtin(content, self._style.weights)
        if self._vector is None:
            vectors = [
                weight * self._networks.style_vector(read_style_picture(path)) for path, weight in self._style.pictures
            ]
            self._vector = np.sum(vectors, axis=0)
        return self._networks.paint_like(content, self._vector)


def _seed(fresh: np.ndarray, before: np.ndarray, motion: Motion, hold: float) -> np.ndarray:
    """The fresh painting (float32 in [0, 1]), held to the painting before it where ``motion`` is sure."""
    height, width = fresh.shape[:2]
    moved = warp(_to_float(before), motion.flow, interpolation="cubic")
    sure = resize_confidence(motion.confidence, width, height)
    fresh = _match_colours(fresh, moved, sure)
    painting = cv2.blendLinear(moved, fresh, sure * np.float32(hold), 1 - sure * np.float32(hold))
    return _match_detail(painting, fresh).clip(0, 1)


def _match_colours(fresh: np.ndarray, like: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """``fresh`` with each channel's mean and contrast brought to ``like``'s, over the pixels that both surely show.

    Means and contrasts are taken from smoothed pictures, so that brush marks out of step do not count as contrast; the fewer
    pixels are shared, the less is changed."""
    small = (min(160, fresh.shape[1]), min(90, fresh.shape[0]))
    a = cv2.resize(fresh, small, interpolation=cv2.INTER_AREA)
    b = cv2.resize(like, small, interpolation=cv2.INTER_AREA)
    weight = cv2.resize(sure, small, interpolation=cv2.INTER_AREA)
    weight = np.where(weight > 0.7, weight, 0)
    share = float((weight > 0).mean())
    if share < SHARED:
        return fresh
    trust = min(1.0, share / 0.2)
    gains, shifts = [], []
    for channel in range(3):
        x, y = a[:, :, channel], b[:, :, channel]
        mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
        spread_x = np.sqrt(np.average((x - mean_x) ** 2, weights=weight))
        spread_y = np.sqrt(np.average((y - mean_y) ** 2, weights=weight))
        gain = float(np.clip((spread_y + 0.01) / (spread_x + 0.01), 0.7, 1.4)) ** trust
        gains.append(gain)
        shifts.append(trust * float(mean_y - gain * mean_x) + (1 - trust) * float(mean_x - gain * mean_x))
    matched = cv2.transform(fresh, np.hstack([np.diag(gains), np.array(shifts)[:, None]]).astype(np.float32))
    return np.clip(matched, 0, 1)


def _match_detail(painting: np.ndarray, fresh: np.ndarray) -> np.ndarray:
    """``painting`` with its fine detail brought, cell by cell, to the energy of ``fresh``'s."""
    fine = painting - cv2.GaussianBlur(painting, (0, 0), 1.2)
    wanted = fresh - cv2.GaussianBlur(fresh, (0, 0), 1.2)
    cells = (max(1, painting.shape[1] // CELL), max(1, painting.shape[0] // CELL))

    def energy(detail: np.ndarray) -> np.ndarray:
        return cv2.resize(
            cv2.transform(detail * detail, np.ones((1, 3), np.float32)), cells, interpolation=cv2.INTER_AREA
        )

    gain = np.sqrt((energy(wanted) + 1e-5) / (energy(fine) + 1e-5))
    gain = cv2.blur(np.clip(gain, 0.8, 1.8) - 1, (3, 3))
    gain = cv2.resize(gain, painting.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return painting + fine * gain[:, :, None]


def _to_float(picture: np.ndarray) -> np.ndarray:
    if picture.dtype == np.float32:
        return picture
    return picture.astype(np.float32) * np.float32(1 / np.iinfo(picture.dtype).max)


def _from_float(picture: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    if dtype == np.float32:
        return np.ascontiguousarray(picture, np.float32)
    white = np.iinfo(dtype).max
    return np.clip(np.rint(picture * np.float32(white)), 0, white).astype(dtype)
