"""Warping, composing and checking flow: pure functions.

Pictures are H x W or H x W x C; flows are float32 h x w x 2 in pixels of their own grid, ``flow[y, x] = (dx, dy)`` such that
``there[y + dy, x + dx]`` is what ``here[y, x]`` became. A warp therefore *pulls*: ``warp(there, flow)`` looks like ``here``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np

from interp.pixels.depth import quantise

__all__ = [
    "blend",
    "compose",
    "consistency",
    "outside",
    "resize_confidence",
    "resize_flow",
    "resize_part",
    "symmetric_flow",
    "undistorted",
    "upsample_twofold",
    "warp",
    "warp_upsampled",
]

Interpolation = Literal["nearest", "linear", "cubic", "lanczos"]

_CODES = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}


DISTORTION = (0.4, 0.9)  # gradient of a motion, pixels a pixel, over which it no longer moves paint but smears it
LEAST_CONFIDENCE = (
    1e-3  # of a motion that stays in the picture, however little its return agrees; what has left it has 0
)
LARGEST = 32767  # pixels a side from which on OpenCV cannot sample a picture
# Sum of the weights that cv2.blendLinear is given: it divides by the sum and 1e-5, which beside 1 makes every half a little
# less than one, so that all of them would be rounded down. Beside this much, in float32, nothing is left of it.
_WEIGHTS = 4096


@lru_cache(maxsize=8)
def _grid(height: int, width: int) -> np.ndarray:
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    grid = np.dstack([x, y])
    grid.setflags(write=False)
    return grid


def resize_flow(flow: np.ndarray, width: int, height: int) -> np.ndarray:
    """Flow on another grid: resampled, and its vectors scaled to the new pixels. Pixel centres stay aligned."""
    h, w = flow.shape[:2]
    if (w, h) == (width, height):
        return flow
    across, down = np.float32(width / w), np.float32(height / h)
    # one number is much quicker than two in turn; and scaled is the smaller array
    scale = across if across == down else np.array([across, down], np.float32)
    if width * height < w * h:
        return cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, 2) * scale
    return cv2.resize(flow * scale, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, 2)


def resize_confidence(confidence: np.ndarray, width: int, height: int) -> np.ndarray:
    """Confidence on another grid."""
    if confidence.shape == (height, width):
        return confidence
    return cv2.resize(confidence, (width, height), interpolation=cv2.INTER_LINEAR)


def warp(picture: np.ndarray, flow: np.ndarray, *, interpolation: Interpolation = "linear") -> np.ndarray:
    """Pull ``picture`` (*there*) along ``flow`` (here -> there) so that it looks like *here*.

    A flow of another size is scaled to the picture's. Beyond the border the border's pixels repeat. Same shape and dtype
    (uint8, uint16 or float32) as ``picture``.
    """
    height, width = picture.shape[:2]
    coordinates = cv2.add(resize_flow(flow, width, height), _grid(height, width))
    if max(height, width) < LARGEST:
        return cv2.remap(picture, coordinates, None, _CODES[interpolation], borderMode=cv2.BORDER_REPLICATE)
    raise ValueError(f"pictures up to 32766 pixels a side can be warped, got {width}x{height}")


def resize_part(small: np.ndarray, width: int, height: int, box: tuple[int, int, int, int]) -> np.ndarray:
    """The part ``box`` = (left, top, right, bottom) of ``small`` brought to width x height, pixel centres aligned."""
    left, top, right, bottom = box
    x, y = small.shape[1] / width, small.shape[0] / height
    back = np.array([[x, 0, (left + 0.5) * x - 0.5], [0, y, (top + 0.5) * y - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(small, back, (right - left, bottom - top), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def blend(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """``b + share * (a - b)``, rounded to the nearest code value (halves to the even one) and clipped to the depth.

    Pictures H x W x 3 of one dtype (uint8, uint16 or float32), ``share`` float32 H x W: 0 is ``b``, 1 is ``a``, beyond them it
    goes on."""
    whole = np.float32(_WEIGHTS)
    of_a = share * whole
    of_b = whole - of_a
    if a.dtype == np.uint16:  # blendLinear knows no 16 bit
        return quantise(cv2.blendLinear(a.astype(np.float32), b.astype(np.float32), of_a, of_b), a.dtype)
    return cv2.blendLinear(a, b, of_a, of_b)


def upsample_twofold(picture: np.ndarray) -> np.ndarray:
    """``picture`` (H x W x 3) on a grid twice as fine, 2H x 2W x 3: every other pixel is the picture's own, untouched, and
    those between come from the six-tap half-pixel filter that video codecs use (ITU-T H.264, section 8.4.2.2.1)."""
    height, width = picture.shape[:2]
    rows = np.stack([picture, _halfway(picture, _HALF[:, None])], axis=1).reshape(2 * height, width, 3)
    # merged as channels, each pixel lies beside the one midway to the next; strided copies take three times as long
    return cv2.merge([rows, _halfway(rows, _HALF[None])]).reshape(2 * height, 2 * width, 3)


def _halfway(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Each pixel replaced by the one midway to the next, to the right or below."""
    anchor = (2, 0) if kernel.shape[0] == 1 else (0, 2)
    shifted = cv2.filter2D(picture, -1, kernel, anchor=anchor, borderType=cv2.BORDER_REPLICATE)
    return shifted.reshape(picture.shape)


_HALF = np.array([1, -5, 20, 20, -5, 1], np.float32) / 32


def warp_upsampled(fine: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """``warp(picture, flow)`` for ``fine = twice(picture)``: the picture's size again, nearly as sharp as a cubic warp at the
    cost of a linear one. Where nothing moves, the picture's own pixels come back unchanged."""
    height, width = fine.shape[0] // 2, fine.shape[1] // 2
    if max(fine.shape[:2]) >= LARGEST:
        raise ValueError(f"pictures up to {LARGEST // 2 - 1} pixels a side can be warped finely, got {width}x{height}")
    coordinates = cv2.add(resize_flow(flow, width, height), _grid(height, width))
    coordinates = cv2.add(coordinates, coordinates)
    return cv2.remap(fine, coordinates, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def compose(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Flow a -> c from ``first`` (a -> b) and ``second`` (b -> c), all of one size."""
    return cv2.add(first, warp(second, first))


def outside(flow: np.ndarray) -> np.ndarray:
    """uint8 h x w: 255 where the flow points out of the picture (more than half a pixel beyond its border), else 0."""
    height, width = flow.shape[:2]
    coordinates = cv2.add(flow, _grid(height, width))
    inside = cv2.inRange(coordinates, (-0.5, -0.5), (width - 0.5, height - 0.5))
    return cv2.bitwise_not(inside)


def consistency(forward: np.ndarray, backward: np.ndarray, *, pixel: float = 1.0) -> np.ndarray:
    """Confidence in ``forward`` (here -> there), from whether ``backward`` (there -> here) leads back: float32 h x w in [0, 1].

    The forward/backward check of Sundaram, Brox & Keutzer, "Dense point trajectories by GPU-accelerated large displacement
    optical flow" (ECCV 2010), |f + b|^2 > 0.01 (|f|^2 + |b|^2) + 0.5, made soft: 1 well below that limit, about 0.4 at it,
    nearly 0 (``LEAST_CONFIDENCE``) far above it, and 0 outside of the picture. ``pixel``: how many of the pixels that the 0.5
    stands for make one of the flow's.
    """
    back = warp(backward, forward)
    gap = cv2.add(forward, back)
    error = cv2.transform(cv2.multiply(gap, gap), _SUM)
    limit = cv2.transform(cv2.add(cv2.multiply(forward, forward), cv2.multiply(back, back)), _SUM)
    # numpy where a number meets an array: OpenCV takes a 1x1 or 4x1 picture for a number, too
    over = error / (limit * np.float32(0.01) + np.float32(0.5 / pixel**2)) - np.float32(0.25)
    confidence = cv2.exp(np.maximum(over, 0) * np.float32(-1.2)).reshape(error.shape)
    np.maximum(confidence, np.float32(LEAST_CONFIDENCE), out=confidence)
    confidence[outside(forward) > 0] = 0
    return confidence


def symmetric_flow(forward: np.ndarray, backward: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """``forward`` (here -> there) brought halfway to the reverse of ``backward`` (there -> here), where ``confidence``
    (``consistency(forward, backward)``) says that both mean the same motion. Two estimates of one thing: their mean has less
    noise, and what is moved there and back again lands where it was, so paint does not tremble."""
    mismatch = cv2.add(forward, warp(backward, forward))
    mismatch *= (confidence * np.float32(-0.5))[:, :, None]
    return cv2.add(forward, mismatch)


def undistorted(flow: np.ndarray) -> np.ndarray:
    """Float32 h x w: 1 where ``flow`` moves paint, 0 where it pulls it out of shape.

    Motion across plain or dark ground is a guess, often a ramp from one side's motion to the other's; paint carried along such
    a ramp becomes streaks, and more so with each keyframe. A camera moving closer stretches by a few hundredths a keyframe.
    """
    if min(flow.shape[:2]) < 9:
        return np.ones(flow.shape[:2], np.float32)
    smooth = cv2.blur(flow, (9, 9))  # composed motion is rough from pixel to pixel; what matters is as wide as a mark
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *axis, ksize=3, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    pull = np.sqrt((across * across + down * down).sum(axis=2))
    t = np.clip((DISTORTION[1] - cv2.blur(pull, (9, 9))) * np.float32(1 / (DISTORTION[1] - DISTORTION[0])), 0, 1)
    return t * t * (3 - 2 * t)


_SUM = np.ones((1, 2), np.float32)
