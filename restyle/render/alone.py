"""Places of in-betweens painted by themselves, to be looked at beside the result: what the look allows there.

Nothing of this goes into a result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from interp.pixels.boxes import Box, cropped, part_of
from interp.pixels.sizes import motion_size
from interp.tracks import MotionTrack
from restyle.painters.base import RegionRequest
from restyle.progress import Meter
from restyle.registry import make_estimator
from restyle.render.contracts import checked_region
from restyle.render.protocols import Compositor, RenderParts
from restyle.render.reading import FrameSeeker, FrameView, WindowFrames, view_of
from restyle.render.window import WindowRenderer, composited
from restyle.types import Keyframe, Window

__all__ = ["Place", "paint_alone"]


@dataclass(frozen=True)
class Place:
    """A part of a frame."""

    shot: int
    frame: int
    keyframe: int
    """The painted frame of the same shot that is nearest: it sets the colours, where the painter paints regions."""
    box: Box


def paint_alone(
    seeker: FrameSeeker,
    parts: RenderParts,
    compositor: Compositor,
    places: Sequence[Place],
    meter: Meter,
) -> Iterator[np.ndarray]:
    """Paint what each place would be if its frame were painted: h x w x 3 of its box, composited as the result is.

    Painters that paint regions paint the box alone, in the look of the keyframe; others paint the whole frame, by itself.
    Raises ``FootageError``, ``PainterError``, ``Cancelled``.
    """
    by_region = all(look.painter.capabilities.paints_regions for look in parts.looks)
    for place in places:
        numbers = {place.frame, place.keyframe} if by_region else {place.frame}
        views = {number: view_of(seeker.frame(number), parts) for number in sorted(numbers)}
        view = views[place.frame]
        meter.step(f"painting a part of frame {place.frame} by itself")
        if by_region:
            paintings = _regions(parts, view, views[place.keyframe], place.box)
        else:
            paintings = _whole(parts, compositor, view, place, meter)
        yield cropped(composited(parts.looks, compositor, view, paintings), place.box)


def _regions(parts: RenderParts, view: FrameView, keyframe: FrameView, box: Box) -> list[np.ndarray]:
    inside = _within(box, view.box)
    paintings = []
    for look in parts.looks:
        painting = view.picture.copy()
        if inside is not None:
            request = RegionRequest(view.picture, inside, keyframe.picture, frame_size=view.frame_size)
            painting[part_of(inside)] = checked_region(look.painter, request)
        paintings.append(painting)
    return paintings


def _within(box: Box, crop: Box | None) -> Box | None:
    """The box in the coordinates of a crop of the frame; ``None`` where they have nothing in common."""
    if crop is None:
        return box
    left, top, right, bottom = crop
    inside = max(box[0], left) - left, max(box[1], top) - top, min(box[2], right) - left, min(box[3], bottom) - top
    return inside if inside[0] < inside[2] and inside[1] < inside[3] else None


def _whole(parts: RenderParts, compositor: Compositor, view: FrameView, place: Place, meter: Meter) -> list[np.ndarray]:
    number = place.frame
    track = MotionTrack(make_estimator("dis"), working=motion_size(*view.picture.shape[1::-1]))
    track.add(view.picture)
    window = Window(place.shot, 0, number, number + 1, (Keyframe(number, "pinned"),))
    renderer = WindowRenderer(parts, compositor, WindowFrames(window, [view], track), meter)
    return [renderer.paint(look, None, {}).pictures[number] for look in parts.looks]
