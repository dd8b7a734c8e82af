"""Motion over many frames, composed from motion between neighbours.

Composing keeps trajectories together: what a painting's texture does from one in-between to the next is exactly the footage's
motion between them, so a painting moves like paint on the surface. Estimating each frame's flow to the keyframe on its own
would be free of drift, but jitters.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from interp.flow import checked_flow
from interp.pixels.depth import to_uint8
from interp.pixels.sizes import scaled_size
from interp.types import FlowEstimator, Motion
from interp.warp import (
    LEAST_CONFIDENCE,
    compose,
    consistency,
    outside,
    resize_confidence,
    resize_flow,
    symmetric_flow,
    undistorted,
    warp,
)

__all__ = ["MotionTrack"]

COLOUR_FREE = 8.0  # code values of 255 by which a colour may differ along the motion without any doubt
COLOUR_SCALE = 22.0  # e-folding of the doubt beyond that
FLAT = (1.5, 4.0)  # mean gradient, code values a pixel, from which a place counts as flat: wholly, and not at all
CONFIDENCE_SIGMA = 0.8  # sigma, in pixels of the coarse grid, of confidence
SIMILARITY_WINDOW = 5  # pixels of the coarse grid over which colours are averaged before they are said to agree


@dataclass(frozen=True)
class _Link:
    """Flow from one frame to another, and its confidence, which is on the coarse grid."""

    flow: np.ndarray
    confidence: np.ndarray


class MotionTrack:
    """The motion within a run of consecutive frames of one shot (``interp.types.Tracker``).

    ``working``: (width, height) at which flow is measured. Confidence and photometric similarity are
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
        self._forward: list[_Link] = []  # t -> t + 1
        self._backward: list[_Link] = []  # t + 1 -> t
        self._chains: dict[int, dict[int, _Link]] = {}  # there -> here -> composed

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
            flows = checked_flow(self._estimator, self._luma, luma), checked_flow(self._estimator, luma, self._luma)
            forward, backward = self._regularised(flows, (self._flat[-1], flat))
            self._forward.append(forward)
            self._backward.append(backward)
        self._luma = luma
        self._flat.append(flat)
        self._colour.append(
            cv2.GaussianBlur(cv2.resize(small, self._coarse, interpolation=cv2.INTER_AREA), (3, 3), 0.6)
        )

    def motion(self, here: int, there: int) -> Motion:
        """Motion from frame ``here`` to frame ``there`` (numbers within the run, from 0).

        Confidence is the weakest link of the chain's forward/backward checks times the photometric similarity at both ends. In
        flat areas (a clear sky) the check means nothing, for any motion leads to the same colour; there, colours alone decide.
        Neither is believed of what left the picture on the way: beyond the border its pixels repeat, in streaks.
        Asking t, t + 1, t + 2 ... about one frame composes one flow each.
        """
        for number in (here, there):
            if not 0 <= number < len(self):
                raise IndexError(f"frame {number} is not among the {len(self)} of this track")
        if here == there:
            shape = (self._size[1], self._size[0])
            return Motion(np.zeros((*shape, 2), np.float32), np.ones(shape, np.float32), np.ones(shape, np.float32))
        chain = self._chain(here, there)
        coarse, confidence = resize_flow(chain.flow, *self._coarse), chain.confidence
        stays = (confidence > LEAST_CONFIDENCE / 2).astype(np.float32)  # half: warping mixes in the 0 of what has left
        warped = warp(self._colour[there], coarse)
        difference = _largest_channel(cv2.absdiff(warped, self._colour[here]))
        difference = cv2.blur(difference, (3, 3)).reshape(confidence.shape)
        flat = self._flat[here]
        if flat.any():
            confidence = np.maximum(confidence, flat * stays)
        confidence = cv2.GaussianBlur(confidence * _photometric_similarity(difference), (0, 0), CONFIDENCE_SIGMA)
        confidence = confidence.reshape(stays.shape)
        signed = cv2.subtract(warped, self._colour[here], dtype=cv2.CV_16S)
        difference = _largest_channel(np.abs(cv2.blur(signed, (SIMILARITY_WINDOW, SIMILARITY_WINDOW))))
        similarity = _photometric_similarity(difference.reshape(stays.shape)) * undistorted(coarse) * stays
        return Motion(
            chain.flow, resize_confidence(confidence, *self._size), resize_confidence(similarity, *self._size)
        )

    def moved(self, frame: int) -> float:
        """Mean length of the motion from ``frame`` to the frame before it, in working pixels; 0 for the run's first."""
        if frame == 0:
            return 0.0
        flow = self._backward[frame - 1].flow
        return float(cv2.magnitude(flow[:, :, 0], flow[:, :, 1]).mean())

    def _regularised(
        self, flows: tuple[np.ndarray, np.ndarray], flats: tuple[np.ndarray, np.ndarray]
    ) -> tuple[_Link, _Link]:
        """The flows between two neighbours, forward and backward, regularised in flat areas and brought to agree where they
        mean the same motion, with their confidences. The change is smooth, so it is found on the coarse grid and added."""
        coarse = [resize_flow(flow, *self._coarse) for flow in flows]
        smooth = [_smoothed_where_flat(flow, flat) for flow, flat in zip(coarse, flats, strict=True)]
        pixel = self._size[0] / self._coarse[0]
        links: list[_Link] = []
        for fine, before, forward, backward in zip(flows, coarse, smooth, smooth[::-1], strict=True):
            confidence = consistency(forward, backward, pixel=pixel)
            change = cv2.subtract(symmetric_flow(forward, backward, confidence), before)
            links.append(_Link(cv2.add(fine, resize_flow(change, *self._size)), confidence))
        return links[0], links[1]

    def _chain(self, here: int, there: int) -> _Link:
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
            link = self._forward[frame] if step > 0 else self._backward[frame - 1]
            if frame + step != there:
                rest = chains[frame + step]
                confidence = warp(rest.confidence, resize_flow(link.flow, *self._coarse))
                confidence = cv2.min(link.confidence, confidence).reshape(link.confidence.shape)
                flow = compose(link.flow, rest.flow)
                confidence[outside(resize_flow(flow, *self._coarse)) > 0] = 0
                link = _Link(flow, confidence)
            chains[frame] = link
        return chains[here]


def _smoothed_where_flat(flow: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """The flow, with that of flat areas (noise, that makes paint swim) replaced by that of the texture around them."""
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


def _largest_channel(picture: np.ndarray) -> np.ndarray:
    """The largest of three channels; numpy's own ``max`` along so short an axis takes thirty times as long."""
    return np.maximum(np.maximum(picture[:, :, 0], picture[:, :, 1]), picture[:, :, 2])


def _photometric_similarity(difference: np.ndarray) -> np.ndarray:
    """1 for colours that are the same, falling to 0 with their ``difference`` in code values of 255."""
    over = np.minimum((COLOUR_FREE - difference.astype(np.float32)) * np.float32(1 / COLOUR_SCALE), 0)
    return cv2.exp(over).reshape(difference.shape)


def _flatness(luma: np.ndarray) -> np.ndarray:
    """float32 h x w: 1 where there is no texture for a motion to be seen by, 0 where there is."""
    slope = cv2.absdiff(cv2.dilate(luma, np.ones((3, 3), np.uint8)), cv2.erode(luma, np.ones((3, 3), np.uint8)))
    slope = cv2.blur(slope, (7, 7)).reshape(luma.shape).astype(np.float32)
    return np.clip((FLAT[1] - slope) * np.float32(1 / (FLAT[1] - FLAT[0])), 0, 1)
