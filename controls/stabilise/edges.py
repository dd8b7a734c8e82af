"""Edges that do not come and go: hysteresis along motion.

A line's support is the share of the frames around it that have it, too, along the footage's motion. As Canny's own hysteresis
does along a line, this one takes two thresholds along time: a line begins where support is high, and goes on for as long as it
is not low, drawn even where it is faint for a frame. The frames looked at lie on both sides, so lines begin and end when they
do in the footage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np

from controls.maps.pictures import as_picture
from controls.stabilise.values import time_weight, warp_along
from controls.stabilise.window import Load, MapWindow, StabiliseOptions
from controls.types import ControlMap
from interp.types import Tracker

__all__ = ["edge_strength", "stabilise_edge_map", "stabilise_edges", "support"]

BEGIN = 0.75  # support with which a line begins
GO_ON = 0.25  # and with which one that was drawn in the frame before goes on
FIRST = 0.5  # and with which it is drawn where there is no frame before
STRONG = 0.99  # value from which a line counts; below it is a faint one


def support(frame: int, lines: Mapping[int, np.ndarray], tracker: Tracker, radius: int) -> np.ndarray:
    """Share of the frames around ``frame``, itself included, that have a line within a pixel: float32 H x W in [0, 1].

    ``lines``: frame -> float32 H x W, 1 on a line, else 0. Frames count by their distance in time and the motion's confidence;
    where motion knows nothing, the frame speaks for itself.
    """
    total = cv2.dilate(lines[frame], _NEAR)
    weight = np.ones(total.shape, np.float32)
    for other, neighbour in lines.items():
        if other != frame:
            warped, confidence = warp_along(cv2.dilate(neighbour, _NEAR), tracker.motion(frame, other))
            neighbour_weight = confidence * np.float32(time_weight(abs(other - frame), radius))
            total += warped * neighbour_weight
            weight += neighbour_weight
    return total / weight


_NEAR = np.ones((3, 3), np.uint8)


def stabilise_edges(
    load: Load, frames: Sequence[int], tracker: Tracker, options: StabiliseOptions
) -> Iterator[tuple[int, ControlMap]]:
    """Yield stabilised edge maps. ``values`` (1 on a line, 0.5 on a faint one) say where a line may be drawn; without them,
    only what the picture has can stay. The result depends on the first of ``frames``: a line once drawn goes on more easily."""
    window = MapWindow(load, frames, options.radius)
    drawn: tuple[int, np.ndarray] | None = None
    for frame in frames:
        near = drawn if drawn is not None and frame - drawn[0] <= options.radius else None
        edge_map = stabilise_edge_map(frame, window.around(frame), tracker, options.radius, drawn=near)
        drawn = (frame, edge_strength(edge_map))
        yield frame, edge_map


def stabilise_edge_map(
    frame: int,
    maps: Mapping[int, ControlMap],
    tracker: Tracker,
    radius: int,
    *,
    drawn: tuple[int, np.ndarray] | None = None,
    keep: bool = False,
) -> ControlMap:
    """The map of ``frame`` stabilised by those around it; ``drawn``: a frame before, and the lines drawn there (1, else 0).
    ``keep``: lines that count stay whatever the others have; faint ones alone are decided on."""
    lines = {number: (edge_strength(edge_map) >= STRONG).astype(np.float32) for number, edge_map in maps.items()}
    supported = support(frame, lines, tracker, radius)
    needed = np.full(supported.shape, FIRST, np.float32)
    if drawn is not None:
        before, confidence = warp_along(cv2.dilate(drawn[1], _NEAR), tracker.motion(frame, drawn[0]))
        needed = np.where(before > 0.5, np.float32(GO_ON), np.float32(BEGIN))
        needed = np.where(confidence > 0.3, needed, np.float32(FIRST))
    stays = (edge_strength(maps[frame]) > 0) & (supported >= needed)
    if keep:
        stays |= lines[frame] > 0
    drawn_here = stays.astype(np.float32)
    return replace(maps[frame], picture=as_picture(drawn_here.astype(np.uint8) * np.uint8(255)), values=drawn_here)


def edge_strength(edge_map: ControlMap) -> np.ndarray:
    """float32 H x W: 1 on a line, less on a faint one, 0 elsewhere."""
    if edge_map.values is not None:
        return edge_map.values
    return edge_map.picture[..., 0].astype(np.float32) / np.float32(255)
