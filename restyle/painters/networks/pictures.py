"""Pictures of the footage -> tensors at the size that is painted at, and paintings back. Imports torch."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from interp.pixels.depth import from_unit

__all__ = ["from_painting", "map_tensor", "picture_tensor", "resize"]


def resize(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """H x W x 3 in that size, without a shift."""
    if picture.shape[1::-1] == size:
        return np.ascontiguousarray(picture)
    smaller = size[0] < picture.shape[1]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def picture_tensor(picture: np.ndarray, size: tuple[int, int]) -> torch.Tensor:
    """3 x H x W in [-1, 1], of a picture of any depth."""
    values = picture.astype(np.float32)
    if picture.dtype != np.float32:
        values /= np.float32(np.iinfo(picture.dtype).max)
    values = resize(np.nan_to_num(values, nan=0.0).clip(0, 1), size).clip(0, 1)
    return torch.from_numpy(values * 2 - 1).permute(2, 0, 1).contiguous()


def map_tensor(
    control_map: np.ndarray, size: tuple[int, int], device: torch.device, dtype: torch.dtype
) -> torch.Tensor:
    """3 x H x W in [0, 1], of a control map, uint8 H x W x 3."""
    return torch.from_numpy(resize(control_map, size)).permute(2, 0, 1).to(device, dtype) / 255


def from_painting(painting: np.ndarray, like: np.ndarray) -> np.ndarray:
    """H x W x 3 of the size and dtype of ``like``, of 3 x H x W in [0, 1]."""
    picture = resize(np.ascontiguousarray(painting.transpose(1, 2, 0)), like.shape[1::-1]).clip(0, 1)
    return from_unit(picture, like.dtype)
