"""A box that holds mostly one person, told by MediaPipe's network: the person's outline is a better first matte than any cut by
colours, for skin, hair and clothes have little in common but that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from controls.masks.flowcut.soft_edge import soft_edge
from controls.masks.people import EDGE, people_network
from controls.mediapipe_network import mediapipe_is_there
from controls.types import Box, Matte, Pictures, Prompted
from interp.pixels.depth import to_uint8
from interp.quiet import without_warnings

__all__ = ["outlined_people", "person_in"]

COVERED = 0.2  # share of the box that somebody covers, at least
ALONG = 0.75  # of the box's width and of its height that somebody reaches over, at least
OUTSIDE = 0.2  # share of somebody that is outside of the box, at most: else the box is round something that they wear


def outlined_people(pictures: Pictures, prompts: Sequence[Prompted]) -> tuple[list[Prompted], dict[str, int]]:
    """``prompts`` with the outline of a person (``Matte``) in place of each box that holds mostly one; and of each object whose
    box that was, the frame.

    Objects that have another box or a matte on that frame stay as they are. Without the package mediapipe nothing is changed.
    """
    if not mediapipe_is_there():
        return list(prompts), {}
    network: Any = None
    changed, found = [], {}
    for prompted in prompts:
        here = [other.prompt for other in prompts if (other.name, other.frame) == (prompted.name, prompted.frame)]
        shapes = [prompt for prompt in here if isinstance(prompt, Box | Matte)]
        if isinstance(prompted.prompt, Box) and len(shapes) == 1:
            network = network or people_network()
            picture = next(iter(pictures.read(prompted.frame, prompted.frame + 1)))
            matte = person_in(picture, prompted.prompt, network)
            if matte is not None:
                prompted = replace(prompted, prompt=Matte(matte))
                found[prompted.name] = prompted.frame
        changed.append(prompted)
    return changed, found


def person_in(picture: np.ndarray, box: Box, network: Any) -> np.ndarray | None:
    """The matte (float32 H x W) of the one person that a box holds mostly; ``None`` if it holds something else.

    ``picture``: H x W x 3 of any depth. ``network``: ``people.people_network()``.
    """
    shown = to_uint8(picture)
    with without_warnings():
        mask = network.process(np.ascontiguousarray(shown)).segmentation_mask
    people = np.array(mask, np.float32).reshape(shown.shape[:2])
    _, labels = cv2.connectedComponents((people > 0.5).astype(np.uint8))
    left, top, right, bottom = int(box.left), int(box.top), int(np.ceil(box.right)) + 1, int(np.ceil(box.bottom)) + 1
    here = labels[top:bottom, left:right]
    counts = np.bincount(here.ravel(), minlength=2)
    counts[0] = 0
    somebody = int(counts.argmax())
    inside = here == somebody
    if counts[somebody] < max(1.0, COVERED * here.size):
        return None
    y, x = np.nonzero(inside)
    if np.ptp(y) + 1 < ALONG * here.shape[0] or np.ptp(x) + 1 < ALONG * here.shape[1]:
        return None
    if 1 - counts[somebody] / np.count_nonzero(labels == somebody) > OUTSIDE:
        return None
    alone = np.zeros_like(people)
    alone[top:bottom, left:right] = np.where(inside | (here == 0), people[top:bottom, left:right], 0)
    return soft_edge(alone, shown, radius=max(2, round(EDGE * max(shown.shape[:2]))))
