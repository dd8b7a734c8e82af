"""Connected components and holes of a cut: which of them belong to the object."""

from __future__ import annotations

import cv2
import numpy as np

from controls.masks.flowcut.params import ComponentParams

__all__ = ["drop_stray_components", "drop_unrelated_components", "fill_holes", "keep_marks"]


def drop_stray_components(matte: np.ndarray, evidence: np.ndarray, params: ComponentParams) -> np.ndarray:
    """Drop from ``matte`` (float32 h x w) the small components that lie far from the largest one and do not move as the object
    does. ``evidence``: by motion, float32 h x w, above 0 for the object."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats((matte > 0.5).astype(np.uint8), connectivity=8)
    if count < 3:
        return matte
    largest = 1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA]))
    length = max(facts[largest, cv2.CC_STAT_WIDTH], facts[largest, cv2.CC_STAT_HEIGHT])
    distance = cv2.distanceTransform((labels != largest).astype(np.uint8), cv2.DIST_L2, 3)
    keep = np.ones(count, np.float32)
    for label in range(1, count):
        if facts[label, cv2.CC_STAT_AREA] >= params.large_share * facts[largest, cv2.CC_STAT_AREA]:
            continue
        component = labels == label
        far = distance[component].min() > max(2.0, params.far_share * length)
        if far and evidence[component].mean() < params.certain_evidence:
            keep[label] = 0
    return matte * keep[labels]


def drop_unrelated_components(matte: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Drop from ``matte`` the components that hardly overlap where the object is ``expected`` (float32 h x w), and specks."""
    inside = (matte > 0.5).astype(np.uint8)
    count, labels, facts, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count <= 2:
        return matte
    largest = facts[1:, cv2.CC_STAT_AREA].max()
    overlap = np.bincount(labels.ravel(), (expected > 0.3).ravel(), minlength=count)
    keep = np.zeros(count, np.float32)
    for label in range(1, count):
        area = facts[label, cv2.CC_STAT_AREA]
        keep[label] = overlap[label] >= 0.3 * area and area >= max(3, 0.002 * largest)
    return matte * keep[labels]


def fill_holes(matte: np.ndarray, evidence: np.ndarray, params: ComponentParams) -> np.ndarray:
    """Fill the holes of ``matte`` (float32 h x w) that are small, or surely move as the object does.

    A window in a van is of other colours, but goes with it; what shows between two legs does not.
    """
    count, labels, facts, _ = cv2.connectedComponentsWithStats((matte <= 0.5).astype(np.uint8), connectivity=4)
    open_ = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    most = params.small_hole_share * float((matte > 0.5).sum())
    fill = np.zeros(count, bool)
    for label in set(range(1, count)) - set(open_.tolist()):
        hole = labels == label
        small = facts[label, cv2.CC_STAT_AREA] <= most
        fill[label] = evidence[hole].mean() > (params.against_evidence if small else params.certain_evidence)
    return np.where(fill[labels], np.float32(1), matte)


def keep_marks(matte: np.ndarray, before: np.ndarray, marks: np.ndarray, patches: np.ndarray) -> np.ndarray:
    """``matte`` (float32 h x w) as points say: components of ``before`` that have a positive one are kept, and where a point's
    patch went mostly the other way, it is put right. ``marks``, ``patches``: float32 h x w, of points: 1, -1, or 0."""
    if not marks.any():
        return matte
    _, labels = cv2.connectedComponents((before > 0.5).astype(np.uint8), connectivity=8)
    own = np.unique(labels[(marks > 0) & (before > 0.5)])
    matte = np.where(np.isin(labels, own[own > 0]), before, matte)
    for sign in (1, -1):
        _, pieces = cv2.connectedComponents((patches == sign).astype(np.uint8), connectivity=4)
        for piece in np.unique(pieces[(marks == sign) & (pieces > 0)]):
            patch = pieces == piece
            if (matte[patch] > 0.5).mean() * sign < (0.5 if sign > 0 else -0.5):
                matte = np.where(patch, np.float32(sign > 0), matte)
    return np.where(marks != 0, np.float32(marks > 0), matte).astype(np.float32)
