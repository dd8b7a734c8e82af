"""What lies behind something that is taken out of the picture: a clean plate for every frame.

For each hidden place the footage is searched, earlier and later, along the motion of what surrounds the thing, for the nearest
frame that shows the place (as in Granados et al., "Background inpainting for videos with dynamic objects and a free-moving
camera", ECCV 2012, and the flow-guided line of Xu et al., "Deep flow-guided video inpainting", CVPR 2019, without their
networks):

1. motion within the hole is not measured, for there it is the thing's: it is completed from the surroundings, by a robust
   affine fit and what that leaves, smoothly diffused;
2. composed over time it leads each hidden place to the frames before and after, until one of them shows it; of the two
   finds the nearer counts more;
3. light changes: the difference along the hole's rim is diffused into it, and added;
4. what no frame shows is taken from the plate before, moved along, so that it keeps still; only where there is none it
   is painted in (Telea, "An image inpainting technique based on the fast marching method", 2004).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from interp.flow import estimated, estimator
from interp.pixels.boxes import Box, bounding_box, grown, part_of
from interp.pixels.depth import quantise, white_of
from interp.pixels.sizes import luma_at, motion_size
from interp.surroundings import completed
from interp.types import FlowEstimator
from interp.warp import compose, consistency, resize_part

__all__ = ["REACH", "clean_plates"]

REACH = 48  # frames, before and after, that are searched
BUDGET = 768 << 20  # bytes of frames that are held at most; large frames are searched less far
NEAR = 8  # steps from one frame to the next up to which every frame is looked at; beyond, every third, then every sixth
RIM = 10  # working pixels round the hole in which light is compared


@dataclass
class _Seen:
    """A frame of the window."""

    picture: np.ndarray
    hidden: np.ndarray
    """bool H x W."""
    small: np.ndarray
    """float32 h x w: share of each working pixel that is hidden."""
    grey: np.ndarray
    ahead: np.ndarray | None = None
    """Flow to the next frame, completed, h x w x 2."""
    back: np.ndarray | None = None
    """Flow to the frame before."""


def clean_plates(
    frames: Iterable[tuple[np.ndarray, np.ndarray]], *, reach: int = REACH, flow: FlowEstimator | None = None
) -> Iterator[np.ndarray]:
    """A plate for every frame of a shot, in order.

    ``frames``: (picture H x W x 3 of uint8, uint16 or float32; hidden, bool H x W), in order. Each plate is the picture
    with what is hidden filled in, and untouched elsewhere. Memory holds ``2 * reach + 1`` frames, or fewer if they are large.
    """
    window: deque[_Seen] = deque()
    search = flow or estimator("dis")
    before: np.ndarray | None = None
    place = 0  # of the frame whose plate is next
    for picture, hidden in frames:
        seen = _look(picture, hidden)
        if window:
            _join(window[-1], seen, search)
        window.append(seen)
        limit = max(2, min(reach, BUDGET // max(1, 2 * picture.nbytes)))
        if len(window) - place > limit:
            before = _plate(window, place, limit, before)
            yield before
            place += 1
            while place > limit:
                window.popleft()
                place -= 1
    while place < len(window):
        before = _plate(window, place, reach, before)
        yield before
        place += 1


def _look(picture: np.ndarray, hidden: np.ndarray) -> _Seen:
    size = motion_size(picture.shape[1], picture.shape[0])
    share = cv2.resize(hidden.astype(np.float32), size, interpolation=cv2.INTER_AREA).reshape(size[::-1])
    return _Seen(picture, hidden, share, luma_at(picture, size))


def _join(a: _Seen, b: _Seen, search: FlowEstimator) -> None:
    there, back = estimated(search, a.grey, b.grey), estimated(search, b.grey, a.grey)
    a.ahead = completed(there, consistency(there, back), a.small, b.small)
    b.back = completed(back, consistency(back, there), b.small, a.small)


def _plate(window: deque[_Seen], place: int, reach: int, before: np.ndarray | None) -> np.ndarray:
    seen = window[place]
    hole = bounding_box(seen.hidden)
    if hole is None:
        return seen.picture
    height, width = seen.hidden.shape
    room = int(np.ceil(3 * RIM * width / seen.small.shape[1]))
    box = left, top, right, bottom = grown(hole, room, width, height)
    part = part_of(box)
    total = np.zeros((bottom - top, right - left, 3), np.float32)
    mass = np.zeros(total.shape[:2], np.float32)
    for step in (-1, 1):
        colour, weight = _nearest(window, place, step, reach, box)
        total += colour * weight[:, :, None]
        mass += weight
    here = seen.picture[part].astype(np.float32)
    hidden = seen.hidden[part]
    found = mass > 0
    made = np.where(found[:, :, None], total / np.maximum(mass, np.float32(1e-9))[:, :, None], here)
    made = _relit(made, here, hidden, found, room, white_of(seen.picture.dtype))
    lacking = hidden & ~found
    if lacking.any():
        made = _unseen(made, lacking, window, place, before, box)
    plate = seen.picture.copy()
    filled = np.where(hidden[:, :, None], made, here)
    plate[part] = quantise(filled, seen.picture.dtype)
    return plate


def _nearest(window: deque[_Seen], place: int, step: int, reach: int, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Going one way in time: the colours of the nearest frames that show each place of ``box``, float32, and their weight,
    which falls with their distance; 0 where none does."""
    left, top, right, bottom = box
    seen = window[place]
    height, width = seen.hidden.shape
    colour = np.zeros((bottom - top, right - left, 3), np.float32)
    weight = np.zeros(colour.shape[:2], np.float32)
    flow: np.ndarray | None = None
    here = seen.picture[top:bottom, left:right].astype(np.float32)
    for distance in range(1, reach + 1):
        there = place + step * distance
        if not 0 <= there < len(window):
            break
        one = window[there - step].ahead if step > 0 else window[there - step].back
        if one is None:
            break
        flow = one if flow is None else compose(flow, one)
        if distance > NEAR and distance % (3 if distance <= 3 * NEAR else 6):
            continue
        open_ = weight == 0
        to_x, to_y, inside = _landing(flow, width, height, box)
        other = window[there]
        covered = cv2.remap(
            other.hidden.astype(np.float32), to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=1
        ).reshape(weight.shape)
        shown = open_ & inside & (covered < 1e-3)
        if shown.any():
            pulled = cv2.remap(other.picture, to_x, to_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            pulled = pulled.reshape(colour.shape).astype(np.float32)
            rim = inside & (covered < 1e-3) & ~seen.hidden[top:bottom, left:right]
            colour[shown] = (pulled * _exposure(here, pulled, rim))[shown]
            weight[shown] = np.float32(1 / distance**2)
        if not (seen.hidden[top:bottom, left:right] & (weight == 0)).any():
            break
    return colour, weight


def _exposure(here: np.ndarray, there: np.ndarray, rim: np.ndarray) -> np.ndarray:
    """By what each channel of ``there`` is multiplied so that it is as light as ``here``, judged by ``rim``: 0.5 to 2."""
    if np.count_nonzero(rim) < 50:
        return np.ones(3, np.float32)
    a, b = here[rim], there[rim]
    ratio = (a + np.float32(1e-3)) / (b + np.float32(1e-3))
    return np.clip(np.median(ratio, axis=0), 0.5, 2).astype(np.float32)


def _landing(flow: np.ndarray, width: int, height: int, box: Box) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the flow leads each pixel of a part of the picture: x, y (float32), and whether that is inside."""
    left, top, right, bottom = box
    fine = resize_part(flow, width, height, box).reshape(bottom - top, right - left, 2)
    to_x = fine[:, :, 0] * np.float32(width / flow.shape[1]) + np.arange(left, right, dtype=np.float32)
    to_y = fine[:, :, 1] * np.float32(height / flow.shape[0]) + np.arange(top, bottom, dtype=np.float32)[:, None]
    return to_x, to_y, (to_x >= 0) & (to_x <= width - 1) & (to_y >= 0) & (to_y <= height - 1)


def _relit(
    made: np.ndarray, here: np.ndarray, hidden: np.ndarray, found: np.ndarray, room: int, white: float
) -> np.ndarray:
    """``made``, as light or dark as ``here`` is along the hole's rim."""
    band = found & ~hidden
    if not band.any():
        return made
    scale = max(1, room // RIM)
    size = (max(1, made.shape[1] // scale), max(1, made.shape[0] // scale))
    weight = band.astype(np.float32)
    apart = np.where(band[:, :, None], here - made, np.float32(0))
    # where the two differ otherwise than most of the rim does, the surroundings themselves have moved: they say nothing
    odd = np.abs(apart - np.median(apart[band], axis=0)).max(axis=2) * np.float32(1 / (0.08 * white))
    weight *= np.exp(-np.square(odd)).astype(np.float32)
    apart = cv2.resize(apart * weight[:, :, None], size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], 3)
    weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA).reshape(size[::-1])
    total, mass = np.zeros_like(apart), np.zeros_like(weight)
    for sigma in (RIM / 2, RIM, 2 * RIM, 4 * RIM):  # what is near counts most, and what is far where nothing is near
        share = np.float32(sigma**-2)
        total += share * cv2.GaussianBlur(apart, (0, 0), sigma).reshape(apart.shape)
        mass += share * cv2.GaussianBlur(weight, (0, 0), sigma).reshape(weight.shape)
    change = total / (mass + np.float32(1e-6))[:, :, None]
    return made + cv2.resize(change, made.shape[1::-1], interpolation=cv2.INTER_LINEAR).reshape(made.shape)


def _unseen(
    made: np.ndarray,
    lacking: np.ndarray,
    window: deque[_Seen],
    place: int,
    before: np.ndarray | None,
    box: Box,
) -> np.ndarray:
    """What no frame shows: from the plate before, moved along; else painted in from around."""
    seen = window[place]
    height, width = seen.hidden.shape
    still = lacking
    if before is not None and seen.back is not None:
        to_x, to_y, inside = _landing(seen.back, width, height, box)
        pulled = cv2.remap(before, to_x, to_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).reshape(made.shape)
        made = np.where((lacking & inside)[:, :, None], pulled, made)
        still = lacking & ~inside
    if still.any():
        white = white_of(seen.picture.dtype)
        plain = np.clip(made * np.float32(255 / white), 0, 255).astype(np.uint8)
        drawn = cv2.inpaint(plain, still.astype(np.uint8), 5, cv2.INPAINT_TELEA)
        made = np.where(still[:, :, None], drawn.astype(np.float32) * np.float32(white / 255), made)
    return made
