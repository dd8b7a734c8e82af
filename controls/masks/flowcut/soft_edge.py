"""A matte's edge brought to the picture's own detail."""

from __future__ import annotations

import cv2
import numpy as np

from interp.pixels.depth import to_unit

__all__ = ["guided", "soft_edge"]


def guided(guide: np.ndarray, values: np.ndarray, *, radius: int, noise: float) -> np.ndarray:
    """``values`` (float32 h x w) as a locally linear function of the colours of ``guide`` (float32 h x w x 3, in [0, 1]): the
    guided filter of He, Sun & Tang (2013). ``noise``: colour steps below it (standard deviation) are smoothed over."""
    side = (2 * radius + 1, 2 * radius + 1)

    def mean(plane: np.ndarray) -> np.ndarray:
        return cv2.blur(plane, side, borderType=cv2.BORDER_REFLECT_101)

    centre, level = mean(guide), mean(values)
    shared = mean(guide * values[:, :, None]) - centre * level[:, :, None]
    spread = {}
    for a in range(3):
        for b in range(a, 3):
            spread[a, b] = mean(guide[:, :, a] * guide[:, :, b]) - centre[:, :, a] * centre[:, :, b]
    rr, gg, bb = (spread[a, a] + np.float32(noise**2) for a in range(3))
    rg, rb, gb = spread[0, 1], spread[0, 2], spread[1, 2]
    # the symmetric 3 x 3 system solved by its adjugate
    c00, c01, c02 = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c11, c12, c22 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    det = rr * c00 + rg * c01 + rb * c02
    s0, s1, s2 = shared[:, :, 0], shared[:, :, 1], shared[:, :, 2]
    slope = np.stack(
        [c00 * s0 + c01 * s1 + c02 * s2, c01 * s0 + c11 * s1 + c12 * s2, c02 * s0 + c12 * s1 + c22 * s2], -1
    )
    slope /= det[:, :, None]
    rest = level - np.einsum("ijk,ijk->ij", slope, centre)
    return np.einsum("ijk,ijk->ij", mean(slope), guide) + mean(rest)


def soft_edge(matte: np.ndarray, picture: np.ndarray, *, radius: int) -> np.ndarray:
    """The matte (float32 h x w in [0, 1]) with its edge moved, by ``radius`` pixels at most, to the picture's and softened as
    the picture is. ``picture``: h x w x 3 uint8, uint16 or float32. Away from edges the matte is exactly 0 or 1."""
    guide = np.clip(to_unit(picture), 0, 1)
    soft = guided(guide, matte, radius=radius, noise=0.03)
    soft = np.clip((soft - 0.5) * np.float32(1.5) + 0.5, 0, 1)
    inside = (matte >= 0.5).astype(np.uint8)
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    band = cv2.dilate(inside, reach) - cv2.erode(inside, reach, borderValue=1)
    return np.where(band > 0, soft, inside).astype(np.float32)
