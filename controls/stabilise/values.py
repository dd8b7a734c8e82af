"""Averaging along motion: the centred, confidence-weighted filter that all stabilising of pictures shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from controls.maps.normals import normal_picture
from controls.stabilise.window import Load, MapWindow, StabiliseOptions
from controls.types import ControlMap
from interp.types import Motion, Tracker
from interp.warp import Interpolation, resize_confidence, warp

__all__ = ["average_along_motion", "average_map", "stabilise_values", "time_weight", "warp_along"]


def time_weight(away: int, radius: int) -> float:
    """Weight of a frame ``away`` frames from the one that is filtered: a bell that ends a step beyond the radius."""
    return float(np.cos(np.pi / 2 * away / (radius + 1)) ** 2)


def warp_along(
    values: np.ndarray, motion: Motion, *, interpolation: Interpolation = "linear"
) -> tuple[np.ndarray, np.ndarray]:
    """``values`` of *there* as seen from *here*, and the confidence in that (float32 H x W), at the values' size."""
    height, width = values.shape[:2]
    return warp(values, motion.flow, interpolation=interpolation), resize_confidence(motion.confidence, width, height)


def average_along_motion(
    frame: int,
    values: Mapping[int, np.ndarray],
    tracker: Tracker,
    radius: int,
    *,
    interpolation: Interpolation = "linear",
    range_sigma: float | None = None,
) -> np.ndarray:
    """The mean of ``values[frame]`` (float32 H x W or H x W x C) and its neighbours' pulled along motion.

    Each neighbour weighs by its distance in time and the motion's confidence. With ``range_sigma``, a bilateral filter (Tomasi
    & Manduchi, ICCV 1998) in time: what differs by much more than that is another surface, and hardly weighs.
    """
    own = values[frame]
    total, weight = own.copy(), np.ones(own.shape[:2], np.float32)
    for other, neighbour in values.items():
        if other == frame:
            continue
        warped, confidence = warp_along(neighbour, tracker.motion(frame, other), interpolation=interpolation)
        neighbour_weight = confidence * np.float32(time_weight(abs(other - frame), radius))
        if range_sigma is not None:
            gap = (warped - own) if own.ndim == 2 else np.linalg.norm(warped - own, axis=2)
            neighbour_weight = neighbour_weight * np.exp(-0.5 * np.square(gap / np.float32(range_sigma)))
        total += warped * (neighbour_weight if own.ndim == 2 else neighbour_weight[..., None])
        weight += neighbour_weight
    total /= weight if own.ndim == 2 else weight[..., None]
    return total


def stabilise_values(
    load: Load, frames: Sequence[int], tracker: Tracker, options: StabiliseOptions
) -> Iterator[tuple[int, ControlMap]]:
    """Yield soft lines and normals, averaged along motion. Lines move by cubic sampling, which keeps them thin; normals stay
    unit vectors."""
    window = MapWindow(load, frames, options.radius)
    for frame in frames:
        yield frame, average_map(frame, window.around(frame), tracker, options.radius)


def average_map(frame: int, maps: Mapping[int, ControlMap], tracker: Tracker, radius: int) -> ControlMap:
    """The map of ``frame``, of soft lines or normals, averaged with those around it."""
    here = maps[frame]
    if here.kind == "normal":
        normals = {number: _normals(each) for number, each in maps.items()}
        mean = average_along_motion(frame, normals, tracker, radius)
        mean /= np.maximum(np.linalg.norm(mean, axis=2, keepdims=True), 1e-6)
        return replace(here, picture=normal_picture(mean), values=mean)
    pictures = {number: each.picture.astype(np.float32) for number, each in maps.items()}
    mean = average_along_motion(frame, pictures, tracker, radius, interpolation="cubic")
    picture = np.rint(mean.clip(0, 255)).astype(np.uint8)
    values = None if here.values is None else mean[..., 0].clip(0, 255) / np.float32(255)
    return replace(here, picture=picture, values=values)


def _normals(normal_map: ControlMap) -> np.ndarray:
    if normal_map.values is not None:
        return normal_map.values
    return normal_map.picture.astype(np.float32) / np.float32(127.5) - 1
