"""Noise that moves with the footage and stays white.

After Go-with-the-Flow (Burgert et al. 2025): a sample that n cells of the next picture come from is shared out among them,
``z / sqrt(n)`` to each, with fresh noise ``e - mean(e)`` over the n of them; so each has variance 1 and no two of them are
correlated. Cells that come from nowhere get fresh noise. Noise is moved on a finer grid than the latents', ``FINE`` cells to a
side, so that motion smaller than a latent adds up; a latent's noise is the sum of its cells over ``FINE``.
"""

from __future__ import annotations

import numpy as np

__all__ = ["FINE", "coarse", "lands_on", "noise_between", "redraw", "refine", "warp_noise"]

FINE = 4


def refine(noise: np.ndarray, seed: int) -> np.ndarray:
    """Fine noise, C x FINE*h x FINE*w float32, whose sums over cells are ``noise``, C x h x w."""
    channels, height, width = noise.shape
    fine = _draw(seed, (channels, height, FINE, width, FINE))
    fine -= fine.mean(axis=(2, 4), keepdims=True)
    fine += noise[:, :, None, :, None] / np.float32(FINE)
    return fine.reshape(channels, height * FINE, width * FINE)


def coarse(fine: np.ndarray) -> np.ndarray:
    """Latents' noise, C x h x w float32, of fine noise."""
    channels, height, width = fine.shape
    cells = fine.reshape(channels, height // FINE, FINE, width // FINE, FINE)
    return np.ascontiguousarray(cells.sum(axis=(2, 4)) / np.float32(FINE))


def warp_noise(fine: np.ndarray, flow: np.ndarray, visible: np.ndarray, seed: int) -> np.ndarray:
    """Noise of another picture, C x H x W float32.

    ``flow``: float32 H x W x 2, from each cell of that picture to where it lies in the one that has ``fine``; ``visible``: bool
    H x W, whether it is there. ``seed``: of the fresh noise.
    """
    channels, height, width = fine.shape
    x, y, inside = _landing(flow, visible)
    fresh = _draw(seed, (channels, height * width))
    origin = np.where(inside, y * width + x, height * width).ravel()  # the last: from nowhere
    shares = np.bincount(origin, minlength=height * width + 1).astype(np.float32)
    warped = fresh.copy()
    known = origin < height * width
    source = origin[known]
    for channel in range(channels):
        sums = np.bincount(origin, weights=fresh[channel], minlength=height * width + 1).astype(np.float32)
        spread = fresh[channel][known] - sums[source] / shares[source]
        warped[channel][known] = fine[channel].ravel()[source] / np.sqrt(shares[source]) + spread
    return warped.reshape(channels, height, width)


def lands_on(usable: np.ndarray, flow: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Select the cells that are ``visible`` in another picture, and there lie on one of its ``usable`` cells.

    All bool H x W, the result, too. ``flow``: as for ``warp_noise``.
    """
    height, width = usable.shape
    x, y, inside = _landing(flow, visible)
    return inside & usable[y.clip(0, height - 1), x.clip(0, width - 1)]


def noise_between(
    first: tuple[np.ndarray, np.ndarray, np.ndarray],
    last: tuple[np.ndarray, np.ndarray, np.ndarray],
    new: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Noise of a picture between two others, C x H x W float32: what the first does not show comes from the last.

    ``first``, ``last``: fine noise, flow and what is visible, as for ``warp_noise``. ``new``: bool H x W, the last's noise that
    did not come from the first; no other is taken from it, for the same sample in two cells would be correlated.
    """
    whole = np.ones_like(new)
    late = lands_on(new, *last[1:]) & ~lands_on(whole, *first[1:])
    return np.where(late, warp_noise(last[0], last[1], late, seed), warp_noise(*first, seed))


def redraw(fine: np.ndarray, number: int) -> np.ndarray:
    """The ``number``-th white noise that goes where ``fine``, C x H x W float32, goes, and is independent of it.

    A cell's values, all channels', decide the new ones (SplitMix64 on their bits, then Box and Muller's transform): what was
    carried over from another picture as it is gets there what it got here, and nothing has to be kept but ``fine``. Where a
    picture has been spread out, what ``warp_noise`` shares among cells is new in each of them.
    """
    state = np.full(fine.shape[1:], number, np.uint64)
    for channel in np.ascontiguousarray(fine, np.float32).view(np.uint32):
        state = _splitmix(state ^ channel)
    drawn = np.empty(fine.shape, np.float32)
    for pair in range(0, len(fine), 2):
        bits = _splitmix(state + np.uint64(pair))
        radius = np.sqrt(-2 * np.log(((bits >> np.uint64(32)) + 0.5) / 2**32))
        angle = (bits & np.uint64(0xFFFFFFFF)) * (2 * np.pi / 2**32)
        drawn[pair] = radius * np.cos(angle)
        if pair + 1 < len(fine):
            drawn[pair + 1] = radius * np.sin(angle)
    return drawn


def _landing(flow: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Column, row and whether it is in the picture, of every cell: H x W."""
    height, width = visible.shape
    rows, columns = np.mgrid[0:height, 0:width]
    x = np.rint(columns + flow[..., 0]).astype(np.int64)
    y = np.rint(rows + flow[..., 1]).astype(np.int64)
    return x, y, visible & (x >= 0) & (x < width) & (y >= 0) & (y < height)


def _splitmix(bits: np.ndarray) -> np.ndarray:
    """SplitMix64 (Steele, Lea & Flood 2014): every bit of the result depends on every bit given."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _draw(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
