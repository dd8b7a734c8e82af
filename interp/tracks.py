"""Motion over many frames, composed from motion between neighbours.

Composing keeps trajectories together: what a painting's texture does from one in-between to the next is exactly the footage's
motion between them, so a painting moves like paint on the surface. Estimating each frame's flow to the keyframe on its own
would be free of drift, but jitters.
"""

from __future__ import annotations

import cv2
import numpy as np

from interp.flow import estimated
from interp.pixels.depth import to_uint8
from interp.pixels.sizes import scaled_size
from interp.types import FlowEstimator, Motion
from interp.warp import (
    LEAST_SURE,
    compose,
    consistency,
    outside,
    resize_confidence,
    resize_flow,
    symmetric,
    unstretched,
    warp,
)

__all__ = ["MotionTrack"]

COLOUR_FREE = 8.0  # code values of 255 by which a colour may differ along the motion without any doubt
COLOUR_SCALE = 22.0  # e-folding of the doubt beyond that
FLAT = (1.5, 4.0)  # mean gradient, code values a pixel, from which a place counts as flat: wholly, and not at all
SOFT = 0.8  # sigma, in pixels of the coarse grid, of confidence
AROUND = 5  # pixels of the coarse grid over which colours are averaged before they are said to agree


class MotionTrack:
    """The motion within a run of consecutive frames of one shot (``interp.types.Tracker``).

    ``working``: (width, height) at which flow is measured. What is said *about* flow (is it sure, do the colours agree) is
    worked out on a grid half as fine, which costs a quarter and is smooth anyway. Holds two flows, two confidences and a small
    picture a frame, about 20 bytes a working pixel. Adding and asking may happen in different threads, one after the other.
    """

    def __init__(self, estimator: FlowEstimator, *, working: tuple[int, int]) -> None:
        self._estimator = estimator
        self._size = working
        self._coarse = scaled_size(*working, 0.5)
        self._luma: np.ndarray | None = None
        self._colour: list[np.ndarray] = []
        self._flat: list[np.ndarray] = []
        self._forward: list[np.ndarray] = []  # t -> t + 1
        self._backward: list[np.ndarray] = []  # t + 1 -> t
        self._sure_forward: list[np.ndarray] = []
        self._sure_backward: list[np.ndarray] = []
        self._chains: dict[int, dict[int, tuple[np.ndarray, np.ndarray]]] = {}  # there -> here -> flow, how sure

    def __len__(self) -> int:
        return len(self._colour)

    def add(self, picture: np.ndarray) -> None:
        """Append the next frame: H x W x 3 RGB, uint8, uint16 or float32 (display-referred, 1 = white)."""
        small = to_uint8(picture)
        if small.shape[1::-1] != self._size:
            small = cv2.resize(small, self._size, interpolation=cv2.INTER_AREA)
        luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        flat = cv2.resize(_flatness(luma), self._coarse, interpolation=cv2.INTER_AREA)
        if self._luma is not None:
            there = estimated(self._estimator, self._luma, luma)
            back = estimated(self._estimator, luma, self._luma)
            there, back, sure_there, sure_back = self._agreed(there, back, self._flat[-1], flat)
            self._forward.append(there)
            self._backward.append(back)
            self._sure_forward.append(sure_there)
            self._sure_backward.append(sure_back)
        self._luma = luma
        self._flat.append(flat)
        self._colour.append(
            cv2.GaussianBlur(cv2.resize(small, self._coarse, interpolation=cv2.INTER_AREA), (3, 3), 0.6)
        )

    def motion(self, here: int, there: int) -> Motion:
        """Motion from frame ``here`` to frame ``there`` (numbers within the run, from 0).

        Confidence is the weakest link of the chain's forward/backward checks times how well the footage's colours agree at
        both ends. In flat places (a clear sky) the check means nothing, for any motion leads to the same colour; there, colours
        alone decide. Neither is believed of what left the picture on the way: beyond the border its pixels repeat, in streaks.
        Asking t, t + 1, t + 2 ... about one frame composes one flow each.
        """
        for number in (here, there):
            if not 0 <= number < len(self):
                raise IndexError(f"frame {number} is not among the {len(self)} of this track")
        if here == there:
            shape = (self._size[1], self._size[0])
            return Motion(np.zeros((*shape, 2), np.float32), np.ones(shape, np.float32), np.ones(shape, np.float32))
        flow, sure = self._chain(here, there)
        coarse = resize_flow(flow, *self._coarse)
        stays = (sure > LEAST_SURE / 2).astype(np.float32)  # half: warping mixes in the 0 of what has left
        moved = warp(self._colour[there], coarse)
        doubt = cv2.blur(_largest(cv2.absdiff(moved, self._colour[here])), (3, 3)).reshape(sure.shape)
        flat = self._flat[here]
        if flat.any():
            sure = np.maximum(sure, flat * stays)
        sure = cv2.GaussianBlur(sure * _looks(doubt), (0, 0), SOFT).reshape(sure.shape)
        apart = cv2.blur(cv2.subtract(moved, self._colour[here], dtype=cv2.CV_16S), (AROUND, AROUND))
        similarity = _looks(_largest(np.abs(apart)).reshape(sure.shape)) * unstretched(coarse) * stays
        return Motion(flow, resize_confidence(sure, *self._size), resize_confidence(similarity, *self._size))

    def moved(self, frame: int) -> float:
        """Mean length of the motion from ``frame`` to the frame before it, in working pixels; 0 for the run's first."""
        if frame == 0:
            return 0.0
        along = self._backward[frame - 1]
        return float(cv2.magnitude(along[:, :, 0], along[:, :, 1]).mean())

    def _agreed(
        self, there: np.ndarray, back: np.ndarray, flat_here: np.ndarray, flat_there: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Both flows between two neighbours, steadied and brought to agree where they mean the same motion, and how sure each
        is. What is changed is smooth, so it is found on the coarse grid and added."""
        rough = [resize_flow(flow, *self._coarse) for flow in (there, back)]
        steady = [_steadied(flow, flat) for flow, flat in zip(rough, (flat_here, flat_there), strict=True)]
        pixel = self._size[0] / self._coarse[0]
        made: list[np.ndarray] = []
        for fine, before, one, other in zip((there, back), rough, steady, steady[::-1], strict=True):
            sure = consistency(one, other, pixel=pixel)
            change = cv2.subtract(symmetric(one, other, sure), before)
            made += [cv2.add(fine, resize_flow(change, *self._size)), sure]
        return made[0], made[2], made[1], made[3]

    def _chain(self, here: int, there: int) -> tuple[np.ndarray, np.ndarray]:
        """Composed flow and the weakest consistency along it. Chains toward one frame build on each other, so the nearer
        ones are made, and kept, first; only chains toward two frames (a gap's ends) are kept at a time."""
        chains = self._chains[there] = self._chains.pop(there, {})  # the last used comes last
        if len(self._chains) > 2:
            del self._chains[next(iter(self._chains))]
        step = 1 if there > here else -1
        start = here
        while start != there and start not in chains:
            start += step
        for frame in range(start - step, here - step, -step):
            one = self._forward[frame] if step > 0 else self._backward[frame - 1]
            sure = self._sure_forward[frame] if step > 0 else self._sure_backward[frame - 1]
            if frame + step != there:
                rest, rest_sure = chains[frame + step]
                sure = cv2.min(sure, warp(rest_sure, resize_flow(one, *self._coarse))).reshape(sure.shape)
                one = compose(one, rest)
                sure[outside(resize_flow(one, *self._coarse)) > 0] = 0
            chains[frame] = (one, sure)
        return chains[here]


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


def _largest(picture: np.ndarray) -> np.ndarray:
    """The largest of three channels; numpy's own ``max`` along so short an axis takes thirty times as long."""
    return np.maximum(np.maximum(picture[:, :, 0], picture[:, :, 1]), picture[:, :, 2])


def _looks(doubt: np.ndarray) -> np.ndarray:
    """1 for colours that are alike, falling to 0 as they part. ``doubt``: by how many code values they do."""
    over = np.minimum((COLOUR_FREE - doubt.astype(np.float32)) * np.float32(1 / COLOUR_SCALE), 0)
    return cv2.exp(over).reshape(doubt.shape)


def _flatness(luma: np.ndarray) -> np.ndarray:
    """float32 h x w: 1 where there is no texture for a motion to be seen by, 0 where there is."""
    slope = cv2.absdiff(cv2.dilate(luma, np.ones((3, 3), np.uint8)), cv2.erode(luma, np.ones((3, 3), np.uint8)))
    slope = cv2.blur(slope, (7, 7)).reshape(luma.shape).astype(np.float32)
    return np.clip((FLAT[1] - slope) * np.float32(1 / (FLAT[1] - FLAT[0])), 0, 1)
