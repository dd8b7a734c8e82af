"""The measures: pure functions over arrays, each with its definition and source.

Pictures are H x W x 3 RGB, uint8, uint16 or float32; all figures are over code values scaled to [0, 1], whatever the depth,
so that an 8-bit and a 16-bit file of one picture measure the same. Flows are float32 H x W x 2 in pixels, ``(dx, dy)``, on the
grid of *here*: ``there[y + dy, x + dx]`` is what ``here[y, x]`` became. Masks are bool H x W.

A measure over no pixel at all is NaN: nothing was measured, which is neither good nor bad.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from interp.pixels import depth
from interp.warp import warp

__all__ = [
    "Leakage",
    "boundary_f",
    "edge_f1",
    "end_point_error",
    "flicker",
    "jaccard",
    "leakage",
    "luma",
    "psnr",
    "sharpness",
    "structure",
    "t_of",
    "to_unit",
    "warp_error",
]

STATIC = 2.5 / 255  # a source pixel that changed less than this (8-bit rounding and a little noise) stands still
HALF_MAX = 65504.0


def to_unit(picture: np.ndarray) -> np.ndarray:
    """Code values as float32, full scale = 1. float32 pictures (EXR) are passed on unclipped, but what is not finite counts
    as the largest value of a 16-bit float, and what is no number as 0: one such pixel would make every mean meaningless."""
    unit = depth.to_unit(picture)
    if unit is picture and not np.isfinite(picture).all():
        return np.nan_to_num(picture, nan=0.0, posinf=HALF_MAX, neginf=-HALF_MAX)
    return unit


def luma(picture: np.ndarray) -> np.ndarray:
    """Luma, float32 H x W, full scale = 1: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601) of the code values."""
    if picture.ndim == 2:
        return to_unit(picture)
    return to_unit(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))


def luma8(picture: np.ndarray) -> np.ndarray:
    """Luma as uint8 H x W, for flow and edges."""
    return depth.to_uint8(picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))


# Consistency over time


def warp_error(here: np.ndarray, there: np.ndarray, flow: np.ndarray, visible: np.ndarray) -> float:
    """Mean square difference along the motion: Σ noc·(warp(there) - here)² / Σ noc, averaged over R, G and B in [0, 1].

    ``flow``: the *source's*, here -> there; ``visible``: bool H x W, pixels that both pictures show
    (``~motion.occlusion(...)``). Lai et al., ECCV 2018, section 4.2. Against the shot's first frame as ``here`` it is their
    long-term error. NaN where nothing is visible.
    """
    pixels = int(np.count_nonzero(visible))
    if not pixels:
        return float("nan")
    difference = warp(to_unit(there), flow)
    difference -= to_unit(here)
    np.multiply(difference, difference, out=difference)
    return float(cv2.mean(difference, mask=visible.astype(np.uint8))[0:3] @ _THIRD)


_THIRD = np.full(3, 1 / 3)


def t_of(source_flow: np.ndarray, output_flow: np.ndarray, visible: np.ndarray | None = None) -> float:
    """tOF: mean Euclidean distance, in pixels, between the source pair's flow and the output pair's.

    Chu et al., "Learning Temporal Coherence via Self-Supervision for GAN-based Video Generation", SIGGRAPH 2020.
    """
    return end_point_error(output_flow, source_flow, visible)


def flicker(source_here: np.ndarray, source_there: np.ndarray, here: np.ndarray, there: np.ndarray) -> float:
    """Mean |there - here| of the output over R, G and B in [0, 1], where the source stands still (no channel changed by
    more than 2.5/255). NaN where nothing does."""
    still = cv2.inRange(cv2.absdiff(to_unit(source_here), to_unit(source_there)), (0, 0, 0), (STATIC,) * 3)
    if not cv2.countNonZero(still):
        return float("nan")
    return float(cv2.mean(cv2.absdiff(to_unit(here), to_unit(there)), mask=still)[0:3] @ _THIRD)


# One picture


def sharpness(picture: np.ndarray) -> float:
    """Variance of the Laplacian of luma, in 8-bit code values squared (Pech-Pacheco et al., ICPR 2000)."""
    second = cv2.Laplacian(luma(picture), cv2.CV_32F)
    _, deviation = cv2.meanStdDev(second)
    return float(deviation[0, 0] ** 2 * 255**2)


def structure(source: np.ndarray, output: np.ndarray) -> float:
    """SSIM of luma: 1 for the same picture, about 0 for unrelated ones.

    Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", 2004: Gaussian window of 11 x 11,
    sigma 1.5, K1 = 0.01, K2 = 0.03, mean over the windows that lie wholly inside (over all, in a picture below 11 pixels).
    """
    return float(structure_map(luma(source), luma(output)).mean())


def structure_map(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """SSIM of each window, of two float32 H x W lumas in [0, 1]."""
    if a.shape != b.shape:
        raise ValueError(f"structure is compared between two pictures of one size, got {a.shape} and {b.shape}")
    c1, c2 = 0.01**2, 0.03**2
    mean_a, mean_b = _window(a), _window(b)
    var_a = _window(a * a) - mean_a * mean_a
    var_b = _window(b * b) - mean_b * mean_b
    both = _window(a * b) - mean_a * mean_b
    ssim = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    ssim /= (mean_a * mean_a + mean_b * mean_b + c1) * (var_a + var_b + c2)
    return ssim[5:-5, 5:-5] if min(a.shape) > 10 else ssim


def _window(values: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(values, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT_101)


def edge_f1(source: np.ndarray, output: np.ndarray, *, tolerance: int = 1) -> float:
    """F1 of edges: how well the output's edges fall on the source's, up to ``tolerance`` pixels.

    Edges: Canny (1986) of 8-bit luma after a 3 x 3 Gaussian, thresholds 50 and 100. Precision: share of the output's edge
    pixels near one of the source's; recall the other way round. 1 if neither has an edge.
    """
    return _f1(_edges(source), _edges(output), tolerance)


def _edges(picture: np.ndarray) -> np.ndarray:
    return cv2.Canny(cv2.GaussianBlur(luma8(picture), (3, 3), 0), 50, 100) > 0


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB over R, G and B, full scale = 1; infinite for equal pictures."""
    error = float(np.mean(np.square(to_unit(a) - to_unit(b)), dtype=np.float64))
    return float("inf") if error == 0 else -10 * float(np.log10(error))


# Mattes


@dataclass(frozen=True)
class Leakage:
    """Changes outside of the matte. All zero is the promise."""

    share: float
    """Share, in [0, 1], of the pixels outside of the matte that differ in any channel."""
    mean: float
    """Mean |change| of those that differ, over R, G and B in [0, 1]; 0 if none does."""
    largest: float
    """Largest |change| of any channel, in [0, 1]."""


def leakage(source: np.ndarray, output: np.ndarray, matte: np.ndarray) -> Leakage:
    """Changed pixels where the matte is exactly 0, compared in the pictures' own depth (no tolerance).

    ``matte``: H x W, bool or float in [0, 1], feather included. Both pictures have one depth, else ``ValueError``.
    """
    if source.dtype != output.dtype or source.shape != output.shape or matte.shape != source.shape[:2]:
        raise ValueError(
            f"leakage compares pictures of one size and depth, got {source.shape} of {source.dtype}, "
            f"{output.shape} of {output.dtype}, matte {matte.shape}"
        )
    outside = matte == 0
    # numpy looks for any of three neighbours forty times as slowly as OpenCV adds them up
    channels = (source != output).view(np.uint8)
    differ = (cv2.transform(channels, np.ones((1, 3), np.float32)).reshape(outside.shape) > 0) & outside
    total, changed = int(np.count_nonzero(outside)), int(np.count_nonzero(differ))
    if not changed:
        return Leakage(0.0, 0.0, 0.0)
    size = np.abs(to_unit(output[differ]).astype(np.float64) - to_unit(source[differ]))
    return Leakage(changed / total, float(size.mean()), float(size.max()))


def jaccard(matte: np.ndarray, truth: np.ndarray) -> float:
    """J of DAVIS: intersection over union of two mattes (bool, or float cut at 0.5); 1 if both are empty.

    Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation", CVPR 2016.
    """
    a, b = _binary(matte), _binary(truth)
    union = np.count_nonzero(a | b)
    return 1.0 if union == 0 else np.count_nonzero(a & b) / union


def boundary_f(matte: np.ndarray, truth: np.ndarray, *, bound: float = 0.008) -> float:
    """F of DAVIS: F1 of the two outlines, matched within ``bound`` of the picture's diagonal (rounded up to whole pixels).

    Perazzi et al., CVPR 2016. The outline is where a pixel differs from its right, lower or lower right neighbour; the
    tolerance is a disk. 1 if neither matte has an outline.
    """
    a, b = _outline(_binary(matte)), _outline(_binary(truth))
    radius = int(np.ceil(bound * np.hypot(*a.shape))) if bound < 1 else int(bound)
    return _f1(b, a, radius)


def _binary(matte: np.ndarray) -> np.ndarray:
    return matte if matte.dtype == bool else matte >= 0.5


def _outline(mask: np.ndarray) -> np.ndarray:
    wide = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return (mask != wide[:-1, 1:]) | (mask != wide[1:, :-1]) | (mask != wide[1:, 1:])


def _f1(truth: np.ndarray, other: np.ndarray, radius: int) -> float:
    """F1 of two sets of pixels that match within ``radius`` pixels."""
    n_truth, n_other = np.count_nonzero(truth), np.count_nonzero(other)
    if not n_truth and not n_other:
        return 1.0
    if not n_truth or not n_other:
        return 0.0
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disk = (x * x + y * y <= radius * radius).astype(np.uint8)
    near_truth = cv2.dilate(truth.astype(np.uint8), disk) > 0
    near_other = cv2.dilate(other.astype(np.uint8), disk) > 0
    precision = np.count_nonzero(other & near_truth) / n_other
    recall = np.count_nonzero(truth & near_other) / n_truth
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


# Flow against truth


def end_point_error(flow: np.ndarray, truth: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Mean Euclidean distance between two flows, in pixels, over ``mask`` (bool H x W; all pixels without one).

    Baker et al., "A Database and Evaluation Methodology for Optical Flow", IJCV 2011. NaN if the mask is empty.
    """
    difference = cv2.magnitude(*cv2.split(flow - truth))
    if mask is not None:
        difference = difference[mask]
    return float(difference.mean(dtype=np.float64)) if difference.size else float("nan")
