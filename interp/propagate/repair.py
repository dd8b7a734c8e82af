"""The look of the explained neighbourhood transferred to what no painting explains.

A local affine model painting = a * source + b (as in He, Sun & Tang, "Guided Image Filtering", 2010) is fitted to what is
explained, so that structure follows the source.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np

from interp.pixels.boxes import Box, cropped, part_of
from interp.pixels.depth import quantise, white_of
from interp.pixels.sizes import size_within
from interp.warp import resize_part

__all__ = ["transfer_look"]

PATCH = 96  # pixels: about the side of the patches in which the look is transferred
MODEL_SIDE = 160  # pixels: long side at which the local affine model is fitted


def transfer_look(source: np.ndarray, picture: np.ndarray, confidence: np.ndarray, limit: float) -> np.ndarray:
    """``picture``, with the neighbourhood's look fitted to ``source`` where ``confidence`` (float32 h x w) is below ``limit``.

    Both H x W x 3 of one dtype. Gives the picture itself where nothing is unexplained."""
    height, width = source.shape[:2]
    unexplained = np.clip((limit - confidence) * np.float32(1 / limit), 0, 1)
    unexplained = cv2.GaussianBlur(unexplained, (0, 0), 2.0).reshape(confidence.shape)
    if float((unexplained > 0.1).mean()) < 2e-4:
        return picture
    model = _local_model(source, picture, confidence)
    picture = picture.copy()
    for box in patches(unexplained, width, height):
        part = part_of(box)
        luma = cv2.cvtColor(cropped(source, box), cv2.COLOR_RGB2GRAY)
        slope_offset = resize_part(model, width, height, box)
        shape = (*slope_offset.shape[:2], 1)
        look = luma.astype(np.float32).reshape(shape) * slope_offset[:, :, :3]
        look += slope_offset[:, :, 3:]
        before = picture[part].astype(np.float32)
        look -= before
        look *= resize_part(unexplained, width, height, box).reshape(shape)
        look += before
        picture[part] = quantise(look, picture.dtype)
    return picture


def patches(unexplained: np.ndarray, width: int, height: int) -> Iterator[Box]:
    """Boxes in a picture of width x height that hold all that is ``unexplained`` (float32 h x w) and do not overlap."""
    rows, columns = (max(1, round(side / PATCH)) for side in (height, width))
    down, right = (np.linspace(0, side, count + 1).astype(int) for side, count in ((height, rows), (width, columns)))
    scale_y, scale_x = unexplained.shape[0] / height, unexplained.shape[1] / width
    for top, bottom in pairwise(down):
        band = unexplained[max(0, int(top * scale_y) - 1) : int(np.ceil(bottom * scale_y)) + 1].max(axis=0) > 0.02
        run: int | None = None
        for edge, end in pairwise(right):
            hit = bool(band[max(0, int(edge * scale_x) - 1) : int(np.ceil(end * scale_x)) + 1].any())
            if hit and run is None:
                run = int(edge)
            if run is not None and (not hit or end == width):
                stop = int(end) if hit else int(edge)
                yield run, int(top), stop, int(bottom)
                run = None


def _local_model(source: np.ndarray, picture: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """``picture ~ slope * luma(source) + offset`` round every point, from confident pixels only: float32 h x w x 6, the slopes
    of the three channels and their offsets."""
    height, width = source.shape[:2]
    size = size_within(width, height, MODEL_SIDE)
    guide = cv2.cvtColor(cv2.resize(source, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY).astype(np.float32)
    painting = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = cv2.resize(confidence, size, interpolation=cv2.INTER_AREA)
    weight = weight * weight + np.float32(1e-4)
    white = white_of(source.dtype)
    weight = weight.reshape(size[1], size[0], 1)
    shade = guide.reshape(weight.shape)
    sums = np.concatenate(
        [weight, weight * shade, weight * shade * shade, painting * weight, painting * (weight * shade)], axis=2
    )
    reach = (max(3, max(size) // 8 | 1),) * 2
    for _ in range(2):  # twice a box is nearly a bell
        sums = cv2.merge([cv2.blur(plane, reach, borderType=cv2.BORDER_REPLICATE) for plane in cv2.split(sums)])
    mass = sums[:, :, 0:1]
    mean = sums[:, :, 1:2] / mass
    variance = np.maximum(sums[:, :, 2:3] / mass - mean * mean, 0)
    mean_painting = sums[:, :, 3:6] / mass
    covariance = sums[:, :, 6:9] / mass - mean * mean_painting
    slope = covariance / (variance + (0.03 * white) ** 2)
    return np.concatenate([slope, mean_painting - slope * mean], axis=2)
