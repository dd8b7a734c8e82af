"""A cut's islands and holes: which of them belong to the object."""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["filled", "hanging_together"]

APART = 0.04  # of the object's length: a piece farther off, and not moving with it, is something else of its colours
LARGE = 0.3  # of the largest piece: one of this size may be what a post parts from the rest
CERTAIN = 0.1  # evidence by motion that settles where a piece belongs
SMALL = 0.02  # of the object's area: holes up to this size are the object's unless motion speaks against it
AGAINST = -0.02


def hanging_together(seen: np.ndarray, told: np.ndarray) -> np.ndarray:
    """``seen`` (float32 h x w) without the small pieces that lie apart from the largest one and do not move as the object does.

    ``told``: evidence by motion, float32 h x w, above 0 for the object.
    """
    count, labels, facts, _ = cv2.connectedComponentsWithStats((seen > 0.5).astype(np.uint8), connectivity=8)
    if count < 3:
        return seen
    largest = 1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA]))
    length = max(facts[largest, cv2.CC_STAT_WIDTH], facts[largest, cv2.CC_STAT_HEIGHT])
    away = cv2.distanceTransform((labels != largest).astype(np.uint8), cv2.DIST_L2, 3)
    keep = np.ones(count, np.float32)
    for label in range(1, count):
        if facts[label, cv2.CC_STAT_AREA] >= LARGE * facts[largest, cv2.CC_STAT_AREA]:
            continue
        piece = labels == label
        if away[piece].min() > max(2.0, APART * length) and told[piece].mean() < CERTAIN:
            keep[label] = 0
    return seen * keep[labels]


def filled(seen: np.ndarray, told: np.ndarray) -> np.ndarray:
    """``seen`` (float32 h x w) with the holes filled that are small, or surely move as the object does.

    A window in a van is of other colours, but goes with it; what shows between two legs does not.
    """
    count, labels, facts, _ = cv2.connectedComponentsWithStats((seen <= 0.5).astype(np.uint8), connectivity=4)
    open_ = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    most = SMALL * float((seen > 0.5).sum())
    fill = np.zeros(count, bool)
    for label in set(range(1, count)) - set(open_.tolist()):
        hole = labels == label
        fill[label] = told[hole].mean() > (AGAINST if facts[label, cv2.CC_STAT_AREA] <= most else CERTAIN)
    return np.where(fill[labels], np.float32(1), seen)
