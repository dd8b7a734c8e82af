"""Motion that steadiness is judged along: estimated, checked, and by whom it may be trusted.

A result must not be judged by the flow that carried it: where that flow errs, paint carried along it looks steady, and paint
that moves as the footage does looks unsteady. So warp errors are taken along true motion where it is known (``true_motion``),
and elsewhere only where two unlike estimators agree, along the mean of both.

Pictures are H x W x 3 RGB, uint8, uint16 or float32, or uint8 luma H x W. Flows are float32 H x W x 2 in pixels, ``(dx, dy)``,
on the grid of *here*: ``there[y + dy, x + dx]`` is what ``here[y, x]`` became. Masks are bool H x W.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from interp.pixels.sizes import scaled_size
from interp.warp import outside, resize_flow, warp
from restyle.quality.measures import luma8

__all__ = ["AGREED", "KnownMotion", "Preset", "agreed_motion", "estimate_flow", "occlusion"]

Preset = Literal["ultrafast", "fast", "medium"]

AGREED = 0.75  # pixels by which two estimates of one motion may differ
LEAST = 12  # pixels a side below which no motion can be found


@dataclass(frozen=True)
class KnownMotion:
    """The motion from one picture to another, as far as it is known."""

    flow: np.ndarray
    """float32 h x w x 2, pixels."""
    known: np.ndarray
    """bool h x w: both pictures show it, and the flow there can be trusted."""

    @property
    def share(self) -> float:
        """Share of the first picture over which it is known."""
        return float(np.count_nonzero(self.known) / self.known.size)


def estimate_flow(here: np.ndarray, there: np.ndarray, *, preset: Preset = "medium") -> np.ndarray:
    """Flow float32 H x W x 2 from ``here`` to ``there`` (pictures, or uint8 luma, of one size).

    DIS (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016) as OpenCV has it, at the stated preset.
    A picture smaller than its patches (12 pixels either way) has no flow to find: all zero.
    """
    a, b = luma8(here), luma8(there)
    if a.shape != b.shape:
        raise ValueError(f"flow is between two pictures of one size, got {a.shape} and {b.shape}")
    if min(a.shape) < LEAST:
        return np.zeros((*a.shape, 2), np.float32)
    return _SEARCHES.by_preset[preset].calc(a, b, None)  # type: ignore[call-overload]  # None: no flow to start from


_PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}


class _Searches(threading.local):
    """One of OpenCV's searches a preset and a thread: a search writes into buffers of its own while it runs, so that two
    threads in one tear the process down; making one anew for every pair costs as much again as the flow of a small picture."""

    def __init__(self) -> None:
        self.by_preset = {name: cv2.DISOpticalFlow.create(number) for name, number in _PRESETS.items()}


_SEARCHES = _Searches()


def agreed_motion(here: np.ndarray, there: np.ndarray, flow: np.ndarray, visible: np.ndarray) -> KnownMotion:
    """The motion that a second estimator, unlike the first, confirms: the mean of both, known where they agree.

    ``here``, ``there``: uint8 luma of one size; ``flow``: here -> there, by DIS; ``visible``: what both pictures show
    (``~occlusion(...)``). The second is Farnebäck's, who fits polynomials to neighbourhoods and searches for no patch
    ("Two-Frame Motion Estimation Based on Polynomial Expansion", SCIA 2003), at half the size, in two steps a scale: more of
    either costs up to four times as much, and three pixels in a hundred more are agreed on. A picture too small for a flow
    has none to doubt.
    """
    height, width = here.shape
    half = scaled_size(width, height, 0.5)
    if min(half) < LEAST:
        return KnownMotion(flow, visible)
    a, b = (cv2.resize(picture, half, interpolation=cv2.INTER_AREA) for picture in (here, there))
    found = cv2.calcOpticalFlowFarneback(a, b, None, 0.5, 4, 15, 2, 5, 1.1, 0)  # type: ignore[call-overload]
    other = resize_flow(found, width, height)
    gap = cv2.subtract(other, flow)
    agree = cv2.magnitude(gap[..., 0], gap[..., 1]) < AGREED
    return KnownMotion(cv2.addWeighted(flow, 0.5, other, 0.5, 0), visible & agree)


def occlusion(flow_fw: np.ndarray, flow_bw: np.ndarray) -> np.ndarray:
    """Pixels of *here* that cannot be compared with *there*: bool H x W, ``True`` = hidden or at a motion boundary.

    ``flow_fw``: here -> there; ``flow_bw``: there -> here. With b the flow on the mask's own grid (``flow_fw``) and f_w the
    other one warped onto it, a pixel is hidden where ``|f_w + b|² > 0.01 (|f_w|² + |b|²) + 0.5`` and at a motion
    boundary where ``|∇b|² > 0.01 |b|² + 0.002`` (Ruder et al., "Artistic Style Transfer for Videos", GCPR 2016, as used by
    Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018). Pixels that leave the picture by more than half
    a pixel are hidden too.
    """
    if flow_fw.shape != flow_bw.shape:
        raise ValueError(f"both flows are of one size, got {flow_fw.shape} and {flow_bw.shape}")
    back = warp(flow_bw, flow_fw)
    bx, by = cv2.split(flow_fw)
    fx, fy = cv2.split(back)
    own = bx * bx + by * by
    difference = np.square(bx + fx) + np.square(by + fy)
    difference -= 0.01 * (own + fx * fx + fy * fy)
    hidden = difference > 0.5
    steep = np.zeros(flow_fw.shape[:2], np.float32)
    for part in (bx, by):
        steep[:, :-1] += np.square(part[:, 1:] - part[:, :-1])
        steep[:-1, :] += np.square(part[1:, :] - part[:-1, :])
    steep -= 0.01 * own
    hidden |= steep > 0.002
    hidden |= outside(flow_fw) > 0
    return hidden
