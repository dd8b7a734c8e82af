"""Requests for painters, out of a few frames."""

from __future__ import annotations

import numpy as np

from interp.flow.dis import DisEstimator
from interp.tracks import MotionTrack
from restyle.painters.base import PaintRequest


def track_of(frames: list[np.ndarray]) -> MotionTrack:
    track = MotionTrack(DisEstimator(), working=(frames[0].shape[1], frames[0].shape[0]))
    for frame in frames:
        track.add(frame)
    return track


def request_of(
    frames: list[np.ndarray], positions: list[int], fixed: dict[int, np.ndarray] | None = None, first: int = 0
) -> PaintRequest:
    numbers = tuple(first + position for position in positions)
    return PaintRequest(
        shot=0,
        frames=numbers,
        pictures=tuple(frames[position] for position in positions),
        seeds=numbers,
        tracker=track_of(frames),
        positions=tuple(positions),
        fixed=fixed or {},
    )
