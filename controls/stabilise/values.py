"""Averaging along motion: the centred, confidence-weighted filter that all steadying of pictures shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from controls.stabilise.window import Load, SteadyOptions, Window
from controls.types import ControlMap
from interp.types import Motion, Tracker
from interp.warp import Interpolation, resize_confidence, warp

__all__ = ["averaged", "pulled", "steady_values", "time_weight", "values_at"]


def time_weight(away: int, radius: int) -> float:
    """Weight of a frame ``away`` frames from the one that is filtered: a bell that ends a step beyond the radius."""
    return float(np.cos(np.pi / 2 * away / (radius + 1)) ** 2)


def pulled(values: np.ndarray, motion: Motion, *, by: Interpolation = "linear") -> tuple[np.ndarray, np.ndarray]:
    """``values`` of *there* as seen from *here*, and the confidence in that (float32 H x W), at the values' size."""
    height, width = values.shape[:2]
    return warp(values, motion.flow, interpolation=by), resize_confidence(motion.confidence, width, height)


def averaged(
    frame: int,
    values: Mapping[int, np.ndarray],
    tracker: Tracker,
    radius: int,
    *,
    by: Interpolation = "linear",
    apart: float | None = None,
) -> np.ndarray:
    """The mean of ``values[frame]`` (float32 H x W or H x W x C) and its neighbours' pulled along motion.

    Each neighbour weighs by its distance in time and the motion's confidence. With ``apart``, a bilateral filter (Tomasi &
    Manduchi, ICCV 1998) in time: what differs by much more than that is another surface, and hardly weighs.
    """
    own = values[frame]
    total, weight = own.copy(), np.ones(own.shape[:2], np.float32)
    for other, theirs in values.items():
        if other == frame:
            continue
        moved, sure = pulled(theirs, tracker.motion(frame, other), by=by)
        share = sure * np.float32(time_weight(abs(other - frame), radius))
        if apart is not None:
            gap = (moved - own) if own.ndim == 2 else np.linalg.norm(moved - own, axis=2)
            share = share * np.exp(-0.5 * np.square(gap / np.float32(apart)))
        total += moved * (share if own.ndim == 2 else share[..., None])
        weight += share
    total /= weight if own.ndim == 2 else weight[..., None]
    return total


def steady_values(
    load: Load, frames: Sequence[int], tracker: Tracker, options: SteadyOptions
) -> Iterator[tuple[int, ControlMap]]:
    """Soft lines and normals, averaged along motion. Lines move by cubic sampling, which keeps them thin; normals stay
    unit vectors."""
    window = Window(load, frames, options.radius)
    for frame in frames:
        yield frame, values_at(frame, window.around(frame), tracker, options.radius)


def values_at(frame: int, maps: Mapping[int, ControlMap], tracker: Tracker, radius: int) -> ControlMap:
    """The map of ``frame``, of soft lines or normals, averaged with those around it."""
    from controls.maps.normal import normal_picture

    here = maps[frame]
    if here.kind == "normal":
        normals = {number: _normals(each) for number, each in maps.items()}
        mean = averaged(frame, normals, tracker, radius)
        mean /= np.maximum(np.linalg.norm(mean, axis=2, keepdims=True), 1e-6)
        return replace(here, picture=normal_picture(mean), values=mean)
    pictures = {number: each.picture.astype(np.float32) for number, each in maps.items()}
    mean = averaged(frame, pictures, tracker, radius, by="cubic")
    picture = np.rint(mean.clip(0, 255)).astype(np.uint8)
    values = None if here.values is None else mean[..., 0].clip(0, 255) / np.float32(255)
    return replace(here, picture=picture, values=values)


def _normals(made: ControlMap) -> np.ndarray:
    if made.values is not None:
        return made.values
    return made.picture.astype(np.float32) / np.float32(127.5) - 1
