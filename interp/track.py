"""Motion over many frames, composed from motion between neighbours.

Composing keeps trajectories together: what a painting's texture does from one in-between to the next is exactly the footage's
motion between them, so a painting moves like paint on the surface. Estimating each frame's flow to the keyframe on its own
would be free of drift, but jitters.
"""

from __future__ import annotations

import cv2
import numpy as np

from interp.types import FlowEstimator, Motion
from interp.warp import compose, consistency, outside, symmetric, warp

__all__ = ["MotionTrack", "working_size"]

COLOUR_FREE = 8.0  # code values of 255 by which a colour may differ along the motion without any doubt
COLOUR_SCALE = 22.0  # e-folding of the doubt beyond that
FLAT = (1.5, 4.0)  # mean gradient, code values a pixel, from which a place counts as flat: wholly, and not at all
SOFT = 1.5  # sigma, in working pixels, of confidence


def working_size(width: int, height: int) -> tuple[int, int]:
    """Width and height at which motion is measured: half the picture, its long side held between 128 and 960 pixels, and
    never more than the picture itself."""
    long = max(width, height)
    scale = min(1.0, max(128.0, min(960.0, long / 2)) / long)
    return max(1, round(width * scale)), max(1, round(height * scale))


class MotionTrack:
    """The motion within a run of consecutive frames of one shot (``interp.types.Tracker``).

    ``working``: (width, height) at which it is measured. Holds two flows, two confidences and a small picture a frame, about
    40 bytes a working pixel. Adding and asking may happen in different threads, one after the other.
    """

    def __init__(self, estimator: FlowEstimator, *, working: tuple[int, int]) -> None:
        self._estimator = estimator
        self._size = working
        self._luma: list[np.ndarray] = []
        self._colour: list[np.ndarray] = []
        self._flat: list[np.ndarray] = []
        self._forward: list[np.ndarray] = []  # t -> t + 1
        self._backward: list[np.ndarray] = []  # t + 1 -> t
        self._sure_forward: list[np.ndarray] = []
        self._sure_backward: list[np.ndarray] = []
        self._chains: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}

    def __len__(self) -> int:
        return len(self._luma)

    def add(self, picture: np.ndarray) -> None:
        """Append the next frame: H x W x 3 RGB, uint8, uint16 or float32 (display-referred, 1 = white)."""
        small = _eight_bit(picture)
        if small.shape[1::-1] != self._size:
            small = cv2.resize(small, self._size, interpolation=cv2.INTER_AREA)
        luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        flat = _flatness(luma)
        if self._luma:
            forward = _steadied(self._estimator.estimate(self._luma[-1], luma), self._flat[-1])
            backward = _steadied(self._estimator.estimate(luma, self._luma[-1]), flat)
            sure_forward, sure_backward = consistency(forward, backward), consistency(backward, forward)
            self._forward.append(symmetric(forward, backward, sure_forward))
            self._backward.append(symmetric(backward, forward, sure_backward))
            self._sure_forward.append(sure_forward)
            self._sure_backward.append(sure_backward)
        self._luma.append(luma)
        self._flat.append(flat)
        self._colour.append(cv2.GaussianBlur(small, (0, 0), 1.0))

    def between(self, here: int, there: int) -> Motion:
        """Motion from frame ``here`` to frame ``there`` (numbers within the run, from 0).

        Confidence is the weakest link of the chain's forward/backward checks times how well the footage's colours agree at
        both ends. In flat places (a clear sky) the check means nothing, for any motion leads to the same colour; there, colours
        alone decide. Asking t, t + 1, t + 2 ... about one frame composes one flow each.
        """
        for number in (here, there):
            if not 0 <= number < len(self._luma):
                raise IndexError(f"frame {number} is not among the {len(self._luma)} of this track")
        if here == there:
            shape = self._luma[here].shape
            return Motion(np.zeros((*shape, 2), np.float32), np.ones(shape, np.float32))
        flow, sure = self._chain(here, there)
        away = cv2.absdiff(warp(self._colour[there], flow), self._colour[here])
        doubt = cv2.blur(away.max(axis=2), (3, 3)).astype(np.float32)
        looks = cv2.exp(np.minimum((COLOUR_FREE - doubt) * np.float32(1 / COLOUR_SCALE), 0)).reshape(sure.shape)
        flat = self._flat[here]
        if flat.any():
            flat = np.where(outside(flow) > 0, np.float32(0), flat)
            sure = np.maximum(sure, flat)
        return Motion(flow, cv2.GaussianBlur(sure * looks, (0, 0), SOFT))

    def moved(self, frame: int) -> float:
        """Mean length of the motion from ``frame`` to the frame before it, in working pixels; 0 for the run's first."""
        if frame == 0:
            return 0.0
        along = self._backward[frame - 1]
        return float(cv2.magnitude(along[:, :, 0], along[:, :, 1]).mean())

    def _chain(self, here: int, there: int) -> tuple[np.ndarray, np.ndarray]:
        """Composed flow and the weakest consistency along it. Chains toward one frame build on each other, so the nearer
        ones are made, and kept, first; only chains toward two frames (a gap's ends) are kept at a time."""
        if (here, there) in self._chains:
            return self._chains[here, there]
        ends = list(dict.fromkeys(end for _, end in self._chains))
        if there not in ends and len(ends) >= 2:
            self._chains = {(a, b): chain for (a, b), chain in self._chains.items() if b == ends[-1]}
        step = 1 if there > here else -1
        start = here
        while start + step != there and (start, there) not in self._chains:
            start += step
        for frame in range(start, here - step, -step):
            if (frame, there) in self._chains:
                continue
            one = self._forward[frame] if step > 0 else self._backward[frame - 1]
            sure = self._sure_forward[frame] if step > 0 else self._sure_backward[frame - 1]
            if frame + step != there:
                rest, rest_sure = self._chains[frame + step, there]
                sure = cv2.min(sure, warp(rest_sure, one))
                one = compose(one, rest)
                sure[outside(one) > 0] = 0
            self._chains[frame, there] = (one, sure)
        return self._chains[here, there]


def _steadied(flow: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """The flow, with what stands in flat places (noise, that makes paint swim) replaced by that of the texture around them."""
    if float(flat.mean()) < 0.01:
        return flow
    height, width = flat.shape
    weight = (1 - flat) + np.float32(1e-3)
    reach = (max(3, width // 16 | 1), max(3, height // 9 | 1))
    around = flow * weight[:, :, None]
    for _ in range(2):  # twice a box is nearly a bell
        around, weight = cv2.blur(around, reach), cv2.blur(weight, reach).reshape(flat.shape)
    around /= weight[:, :, None]
    around -= flow
    around *= flat[:, :, None]
    return cv2.add(flow, around)


def _flatness(luma: np.ndarray) -> np.ndarray:
    """float32 h x w: 1 where there is no texture for a motion to be seen by, 0 where there is."""
    slope = cv2.absdiff(cv2.dilate(luma, np.ones((3, 3), np.uint8)), cv2.erode(luma, np.ones((3, 3), np.uint8)))
    slope = cv2.blur(slope, (7, 7)).reshape(luma.shape).astype(np.float32)
    return np.clip((FLAT[1] - slope) * np.float32(1 / (FLAT[1] - FLAT[0])), 0, 1)


def _eight_bit(picture: np.ndarray) -> np.ndarray:
    if picture.dtype == np.uint8:
        return picture
    if picture.dtype == np.uint16:
        return cv2.convertScaleAbs(picture, alpha=1 / 257)
    return cv2.convertScaleAbs(cv2.max(picture, 0), alpha=255)
