"""Motion of an object as a whole, from one frame to the next."""

from __future__ import annotations

import cv2
import numpy as np

from controls.masks.flowcut.params import TrackParams
from controls.masks.flowcut.region import Region, ScaledPicture, region_around, sample_flow
from controls.masks.flowcut.similarity import fit_similarity_in, thinned, translation
from controls.masks.flowcut.tracked_object import TrackedObject
from interp.types import Motion

__all__ = ["estimate_motion", "next_region"]


def estimate_motion(
    tracked: TrackedObject, frame: ScaledPicture, motion_from_previous: Motion, params: TrackParams
) -> np.ndarray:
    """The similarity transform, float64 2 x 3, that leads the object into ``frame``.

    What the flow of its visible part says (as a turn, zoom and shift, or as a shift alone) and that it goes on as before are
    tried on the new picture, for flow is misled where something begins to hide the object; the best is then shifted to fit
    best.
    """
    h, w = tracked.region.shape
    middle = np.array([tracked.region.left + w / 2, tracked.region.top + h / 2])
    usual = tracked.motion[:, :2] @ middle + tracked.motion[:, 2] - middle
    candidates = [translation(usual)]
    if tracked.frames_missing:
        best = _search(tracked, frame, candidates[0])
        fits = _misfit(tracked, frame, best, params) < params.found_misfit
        return best if fits else candidates[0]
    confidence = sample_flow(motion_from_previous.confidence, tracked.region)
    weight = confidence * tracked.visible * cv2.erode(tracked.visible, np.ones((3, 3), np.uint8))
    y, x = np.nonzero(weight > 0.05)
    if len(x) >= 6:
        y, x = thinned(y, x)
        flow = sample_flow(motion_from_previous.flow, tracked.region)
        candidates.append(translation(np.median(flow[y, x], axis=0)))
        if tracked.visible.sum() > 0.85 * tracked.amodal.sum():  # a part would seem to shrink when its end is hidden
            candidates.append(fit_similarity_in(tracked.region, y, x, flow, weight))
    misfits = [
        _misfit(tracked, frame, candidate, params) + float(np.abs(candidate[:, :2] - np.eye(2)).sum()) / 2
        for candidate in candidates
    ]
    chosen = int(np.argmin(misfits))
    best, least = candidates[chosen], misfits[chosen]
    if least > params.lost_misfit:  # it has leapt, or turned round: flow does not say so
        leap = _search(tracked, frame, best)
        misfit = _misfit(tracked, frame, leap, params)
        if misfit < 0.7 * least:
            best, least = leap, misfit
    for step in (2.0, 1.0, 0.5):
        for dx, dy in ((step, 0), (-step, 0), (0, step), (0, -step)):
            candidate = best + np.array([[0, 0, dx], [0, 0, dy]])
            misfit = _misfit(tracked, frame, candidate, params)
            if misfit < least - 0.002 * step:
                best, least = candidate, misfit
    return best


def next_region(tracked: TrackedObject, motion: np.ndarray) -> Region:
    """The region around the object moved by ``motion`` (2 x 3), with room around it."""
    y, x = np.nonzero(tracked.amodal > 0.2)
    if not len(x):
        return tracked.region
    corners = np.array([[a, b] for a in (x.min(), x.max()) for b in (y.min(), y.max())], np.float64)
    corners = (corners + tracked.region.corner) @ motion[:, :2].T + motion[:, 2]
    low, high = corners.min(axis=0), corners.max(axis=0)
    pad = 14 + 0.12 * float(max(high - low)) + 2 * min(tracked.frames_missing, 12)
    return region_around((low[0], low[1], high[0], high[1]), pad, tracked.region.grid)


def _search(tracked: TrackedObject, frame: ScaledPicture, motion: np.ndarray) -> np.ndarray:
    """The shift beside ``motion`` that fits best, by colours alone: the object is looked for within its own size of where it
    should be, and farther the longer it has been missing."""
    y, x = np.nonzero(tracked.amodal > 0.5)
    if len(x) < 12:
        return motion
    region = tracked.region
    top, bottom, left, right = y.min(), y.max() + 1, x.min(), x.max() + 1
    template, weight = tracked.appearance[top:bottom, left:right], tracked.amodal[top:bottom, left:right]
    middle = np.array([(left + right) / 2 + region.left, (top + bottom) / 2 + region.top])
    reach = 8 + 1.2 * max(bottom - top, right - left) * (1 + min(tracked.frames_missing, 12) / 8)
    centre = motion[:, :2] @ middle + motion[:, 2]
    wide, tall = region.grid
    half = np.array([right - left, bottom - top]) / 2
    low, high = np.floor(centre - half - reach).astype(int), np.ceil(centre + half + reach).astype(int)
    low, high = np.maximum(low, 0), np.minimum(high, (wide, tall))
    if (high - low < (right - left, bottom - top)).any():
        return motion
    there = frame.lab(region.grid)[low[1] : high[1], low[0] : high[0]]
    mask = np.repeat(np.square(weight)[:, :, None], 3, axis=2).astype(np.float32)
    off = cv2.matchTemplate(np.ascontiguousarray(there), np.ascontiguousarray(template), cv2.TM_SQDIFF, mask=mask)
    row, column = np.unravel_index(int(np.argmin(off)), off.shape)
    start = np.array([left + region.left, top + region.top])
    return translation(low + np.array([column, row]) - start)


def _misfit(tracked: TrackedObject, frame: ScaledPicture, motion: np.ndarray, params: TrackParams) -> float:
    """Dissimilarity of the object, moved so, to the new picture: 0 to 1; what hides it counts the same everywhere."""
    x, y = tracked.region.coordinates()
    weight = tracked.amodal
    if weight.size > 20000:
        x, y, weight = x[::2, ::2], y[::2, ::2], weight[::2, ::2]
    a = motion.astype(np.float32)
    there = cv2.remap(
        frame.lab(tracked.region.grid), a[0, 0] * x + a[0, 1] * y + a[0, 2], a[1, 0] * x + a[1, 1] * y + a[1, 2],
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(-99, 0, 0),
    )  # fmt: skip
    appearance = tracked.appearance if there.shape == tracked.appearance.shape else tracked.appearance[::2, ::2]
    off = np.square(there - appearance).sum(axis=2)
    share = off / (off + np.float32(4 * params.colour_scale**2))
    return float((weight * share).sum() / max(float(weight.sum()), 1e-6))
