"""Clean plates: the picture behind something that is taken out of it, for every frame.

For each hidden pixel the footage is searched, earlier and later, along the motion of what surrounds the thing, for the nearest
frame that shows the point (as in Granados et al., "Background inpainting for videos with dynamic objects and a free-moving
camera", ECCV 2012, and the flow-guided line of Xu et al., "Deep flow-guided video inpainting", CVPR 2019, without their
networks):

1. motion within the hole is not measured, for there it is the thing's: it is completed from the surroundings, by a robust
   affine fit and what that leaves, smoothly diffused;
2. composed over time it leads each hidden pixel to the frames before and after, until one of them shows its point; of the two
   the nearer counts more;
3. light changes: the difference along the hole's rim is diffused into it, and added;
4. what no frame shows is invented: painted in once, by pieces of the surroundings that continue their structure (``exemplar``),
   and then carried along the motion in each frame's own light, so that it keeps still (``invention``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from interp.flow import checked_flow
from interp.flow.completion import complete_flow
from interp.flow.dis import DisEstimator
from interp.invention import Invention, painted_in
from interp.pixels.boxes import Box, bounding_box, grown, part_of
from interp.pixels.depth import quantise, white_of
from interp.pixels.sizes import luma_at, motion_size
from interp.types import FlowEstimator
from interp.warp import compose, consistency, resize_part

__all__ = ["REACH", "Plate", "clean_plates"]

REACH = 48  # frames, before and after, that are searched
BUDGET = 768 << 20  # bytes of frames that are held at most; large frames are searched less far
NEAR = 8  # steps from one frame to the next up to which every frame is looked at; beyond, every third, then every sixth
RIM = 10  # working pixels round the hole in which light is compared


@dataclass
class _WindowFrame:
    """A frame of the window that is searched."""

    picture: np.ndarray
    hidden: np.ndarray
    """bool H x W."""
    hidden_share: np.ndarray
    """float32 h x w: share of each working pixel that is hidden."""
    luma: np.ndarray
    """uint8 h x w."""
    forward: np.ndarray | None = None
    """Flow to the next frame, completed, h x w x 2."""
    backward: np.ndarray | None = None
    """Flow to the frame before."""


@dataclass(frozen=True)
class Plate:
    """The picture behind what is hidden in one frame."""

    picture: np.ndarray
    """H x W x 3 in the footage's depth, untouched where nothing is hidden."""
    hidden: int = 0
    """Pixels that were filled."""
    invented: int = 0
    """Those of them that no frame shows."""


@dataclass(frozen=True)
class _Samples:
    """Colours found for the pixels of a box, float32 h x w x 3, and their weight, float32 h x w: 0 where none were."""

    colour: np.ndarray
    weight: np.ndarray


def clean_plates(
    frames: Iterable[tuple[np.ndarray, np.ndarray]], *, reach: int = REACH, flow: FlowEstimator | None = None
) -> Iterator[Plate]:
    """A plate for every frame of a shot, in order.

    ``frames``: (picture H x W x 3 of uint8, uint16 or float32; hidden, bool H x W), in order. Each plate is the picture
    with what is hidden filled in, and untouched elsewhere. Memory holds ``2 * reach + 1`` frames, or fewer if they are large.
    """
    window: deque[_WindowFrame] = deque()
    search = flow or DisEstimator()
    invention: Invention | None = None
    position = 0  # of the frame whose plate is next
    for picture, hidden in frames:
        frame = _window_frame(picture, hidden)
        if window:
            _measure_motion(window[-1], frame, search)
        window.append(frame)
        limit = max(2, min(reach, BUDGET // max(1, 2 * picture.nbytes)))
        if len(window) - position > limit:
            plate, invention = _plate(window, position, limit, invention)
            yield plate
            position += 1
            while position > limit:
                window.popleft()
                position -= 1
    while position < len(window):
        plate, invention = _plate(window, position, reach, invention)
        yield plate
        position += 1


def _window_frame(picture: np.ndarray, hidden: np.ndarray) -> _WindowFrame:
    size = motion_size(picture.shape[1], picture.shape[0])
    share = cv2.resize(hidden.astype(np.float32), size, interpolation=cv2.INTER_AREA).reshape(size[::-1])
    return _WindowFrame(picture, hidden, share, luma_at(picture, size))


def _measure_motion(a: _WindowFrame, b: _WindowFrame, search: FlowEstimator) -> None:
    forward, backward = checked_flow(search, a.luma, b.luma), checked_flow(search, b.luma, a.luma)
    a.forward = complete_flow(forward, consistency(forward, backward), a.hidden_share, b.hidden_share)
    b.backward = complete_flow(backward, consistency(backward, forward), b.hidden_share, a.hidden_share)


def _plate(
    window: deque[_WindowFrame], position: int, reach: int, invention: Invention | None
) -> tuple[Plate, Invention | None]:
    """A frame's plate. ``invention``: of the frame before, and then of this one."""
    frame = window[position]
    if invention is not None:
        invention = None if frame.backward is None else invention.carried(frame.backward)
    hole = bounding_box(frame.hidden)
    if hole is None:
        return Plate(frame.picture), invention
    height, width = frame.hidden.shape
    room = int(np.ceil(3 * RIM * width / frame.hidden_share.shape[1]))
    box = grown(hole, room, width, height)
    part = part_of(box)
    here = frame.picture[part].astype(np.float32)
    hidden = frame.hidden[part]
    total = np.zeros(here.shape, np.float32)
    mass = np.zeros(hidden.shape, np.float32)
    for step in (-1, 1):
        samples = _nearest(window, position, step, reach, box)
        total += samples.colour * samples.weight[:, :, None]
        mass += samples.weight
    found = mass > 0
    colours = np.where(found[:, :, None], total / np.maximum(mass, np.float32(1e-9))[:, :, None], here)
    colours = _relit(colours, here, found & ~hidden, room, white_of(frame.picture.dtype))
    missing = hidden & ~found
    unseen = missing
    if invention is not None and missing.any():
        carried, inside = _carried(invention, frame, here, box, room)
        colours = np.where((missing & inside)[:, :, None], carried, colours)
        unseen = missing & ~inside
    picture = frame.picture.copy()
    picture[part] = quantise(np.where(hidden[:, :, None], colours, here), frame.picture.dtype)
    if unseen.any():
        whole = np.zeros(frame.hidden.shape, bool)
        whole[part] = unseen
        picture = np.where(whole[:, :, None], quantise(painted_in(picture, whole), picture.dtype), picture)
    if missing.any() and (invention is None or unseen.any() or invention.old):
        invention = Invention(picture)
    return Plate(picture, int(hidden.sum()), int(missing.sum())), invention


def _carried(
    invention: Invention, frame: _WindowFrame, here: np.ndarray, box: Box, room: int
) -> tuple[np.ndarray, np.ndarray]:
    """The pixels of a box as they were painted before, where the motion has taken them, in this frame's light (float32 h x w x
    3); and those that there are (bool h x w)."""
    height, width = frame.hidden.shape
    assert invention.flow is not None
    x, y, inside = _coordinates(invention.flow, width, height, box)
    warped = cv2.remap(invention.plate, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    carried = warped.reshape(here.shape).astype(np.float32)
    rim = inside & ~frame.hidden[part_of(box)]
    return _relit(carried, here, rim, room, white_of(frame.picture.dtype)), inside


def _nearest(window: deque[_WindowFrame], position: int, step: int, reach: int, box: Box) -> _Samples:
    """Going one way in time: the colours of the nearest frames that show the points of ``box``; weights fall with distance."""
    frame = window[position]
    height, width = frame.hidden.shape
    part = part_of(box)
    hidden = frame.hidden[part]
    here = frame.picture[part].astype(np.float32)
    samples = _Samples(np.zeros(here.shape, np.float32), np.zeros(hidden.shape, np.float32))
    flow: np.ndarray | None = None
    for distance in range(1, reach + 1):
        there = position + step * distance
        if not 0 <= there < len(window):
            break
        link = window[there - step].forward if step > 0 else window[there - step].backward
        if link is None:
            break
        flow = link if flow is None else compose(flow, link)
        if distance > NEAR and distance % (3 if distance <= 3 * NEAR else 6):
            continue
        x, y, inside = _coordinates(flow, width, height, box)
        other = window[there]
        covered = cv2.remap(
            other.hidden.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=1
        ).reshape(hidden.shape)
        visible = inside & (covered < 1e-3)
        new = visible & (samples.weight == 0)
        if new.any():
            warped = cv2.remap(other.picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            warped = warped.reshape(here.shape).astype(np.float32)
            samples.colour[new] = (warped * _exposure(here, warped, visible & ~hidden))[new]
            samples.weight[new] = np.float32(1 / distance**2)
        if not (hidden & (samples.weight == 0)).any():
            break
    return samples


def _exposure(here: np.ndarray, there: np.ndarray, rim: np.ndarray) -> np.ndarray:
    """By what each channel of ``there`` is multiplied so that it is as light as ``here``, judged by ``rim``: 0.5 to 2."""
    if np.count_nonzero(rim) < 50:
        return np.ones(3, np.float32)
    a, b = here[rim], there[rim]
    ratio = (a + np.float32(1e-3)) / (b + np.float32(1e-3))
    return np.clip(np.median(ratio, axis=0), 0.5, 2).astype(np.float32)


def _coordinates(flow: np.ndarray, width: int, height: int, box: Box) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates to which the flow leads each pixel of a box of the picture: x, y (float32), and whether they are inside."""
    left, top, right, bottom = box
    fine = resize_part(flow, width, height, box).reshape(bottom - top, right - left, 2)
    x = fine[:, :, 0] * np.float32(width / flow.shape[1]) + np.arange(left, right, dtype=np.float32)
    y = fine[:, :, 1] * np.float32(height / flow.shape[0]) + np.arange(top, bottom, dtype=np.float32)[:, None]
    return x, y, (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)


def _relit(colours: np.ndarray, here: np.ndarray, rim: np.ndarray, room: int, white: float) -> np.ndarray:
    """``colours``, as light or dark as ``here`` is along the hole's ``rim`` (bool h x w: known in both)."""
    if not rim.any():
        return colours
    scale = max(1, room // RIM)
    size = (max(1, colours.shape[1] // scale), max(1, colours.shape[0] // scale))
    weight = rim.astype(np.float32)
    difference = np.where(rim[:, :, None], here - colours, np.float32(0))
    # where the two differ otherwise than most of the rim does, the surroundings themselves have moved: they say nothing
    odd = np.abs(difference - np.median(difference[rim], axis=0)).max(axis=2) * np.float32(1 / (0.08 * white))
    weight *= np.exp(-np.square(odd)).astype(np.float32)
    difference = cv2.resize(difference * weight[:, :, None], size, interpolation=cv2.INTER_AREA)
    difference = difference.reshape(size[1], size[0], 3)
    weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA).reshape(size[::-1])
    total, mass = np.zeros_like(difference), np.zeros_like(weight)
    for sigma in (RIM / 2, RIM, 2 * RIM, 4 * RIM):  # what is near counts most, and what is far where nothing is near
        share = np.float32(sigma**-2)
        total += share * cv2.GaussianBlur(difference, (0, 0), sigma).reshape(difference.shape)
        mass += share * cv2.GaussianBlur(weight, (0, 0), sigma).reshape(weight.shape)
    change = total / (mass + np.float32(1e-6))[:, :, None]
    return colours + cv2.resize(change, colours.shape[1::-1], interpolation=cv2.INTER_LINEAR).reshape(colours.shape)
