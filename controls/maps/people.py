"""People as joints, and the picture that OpenPose ControlNets were trained on.

Joints are OpenPose's (Cao, Hidalgo, Simon, Wei & Sheikh, "OpenPose", PAMI 2019): 18 of the body (COCO's with a neck), 21 of
each hand, 70 of the face (68 landmarks and both pupils).
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

__all__ = ["PARTS", "Person", "draw_people"]

PARTS = {"body": 18, "left_hand": 21, "right_hand": 21, "face": 70}
JOINTS = (
    *("nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow", "left wrist"),
    *("right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle"),
    *("right eye", "left eye", "right ear", "left ear"),
)
_LIMBS = (
    *((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13)),
    *((1, 0), (0, 14), (14, 16), (0, 15), (15, 17)),
)
# Eighteen hues, 20 degrees apart, from red on; OpenPose rounds their channels to thirds of 255.
_HUES = tuple(tuple(round(3 * c) * 85 for c in colorsys.hsv_to_rgb(number / 18, 1, 1)) for number in range(18))
_FINGERS = tuple((0 if joint % 4 == 1 else joint - 1, joint) for joint in range(1, 21))
DRAWN_AT = 512  # pixels of the short side for which thicknesses are given
STICK, JOINT, FACE_DOT, FINGER = 4, 4, 3, 2


@dataclass(frozen=True, eq=False)
class Person:
    """One person's joints: float32 N x 3 a part, (x, y, confidence), pixels of the picture; confidence 0 is not seen."""

    body: np.ndarray
    left_hand: np.ndarray | None = None
    right_hand: np.ndarray | None = None
    face: np.ndarray | None = None

    def __post_init__(self) -> None:
        for part, count in PARTS.items():
            joints = getattr(self, part)
            if joints is None and part != "body":
                continue
            if joints.shape != (count, 3) or joints.dtype != np.float32:
                raise ValueError(f"a {part} is float32 {count} x 3, got {joints.shape} of {joints.dtype}")

    def plain(self) -> dict[str, list[list[float]]]:
        """Return plain lists, rounded to 1/1000, for a map's ``facts``."""
        parts = {part: getattr(self, part) for part in PARTS}
        return {part: np.round(joints, 3).tolist() for part, joints in parts.items() if joints is not None}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Person:
        """People that ``plain`` wrote, read back. Raises ``ValueError`` for anything else."""
        unknown = set(plain) - set(PARTS)
        if unknown or "body" not in plain:
            raise ValueError(f"a person has a body and may have hands and a face, got {', '.join(sorted(plain))}")
        return cls(**{part: np.asarray(joints, np.float32) for part, joints in plain.items()})


def draw_people(people: Sequence[Person], width: int, height: int) -> np.ndarray:
    """uint8 height x width x 3: limbs and joints in OpenPose's colours on black, as controlnet_aux draws them.

    Thicknesses are those for a short side of 512 pixels, scaled to the picture's, so that a ControlNet sees the same whatever
    the footage's size.
    """
    canvas = np.zeros((height, width, 3), np.uint8)
    scale = min(width, height) / DRAWN_AT
    for person in people:
        _draw_body(canvas, person.body, scale)
        for hand in (person.left_hand, person.right_hand):
            if hand is not None:
                _draw_hand(canvas, hand, scale)
        if person.face is not None:
            for x, y in _pixels_of(person.face):
                cv2.circle(canvas, (x, y), _thick(FACE_DOT, scale), (255, 255, 255), thickness=-1)
    return canvas


def _draw_body(canvas: np.ndarray, body: np.ndarray, scale: float) -> None:
    visible = body[:, 2] > 0
    stick = _thick(STICK, scale)
    for (a, b), colour in zip(_LIMBS, _HUES, strict=False):
        if not (visible[a] and visible[b]):
            continue
        (ax, ay), (bx, by) = body[a, :2].astype(float), body[b, :2].astype(float)
        middle = (int((ax + bx) / 2), int((ay + by) / 2))
        half, turn = int(np.hypot(ax - bx, ay - by) / 2), int(np.degrees(np.arctan2(ay - by, ax - bx)))
        outline = cv2.ellipse2Poly(middle, (half, stick), turn, 0, 360, 1)
        cv2.fillConvexPoly(canvas, outline, [int(c * 0.6) for c in colour])
    for joint, colour in zip(body, _HUES, strict=True):
        if joint[2] > 0:
            cv2.circle(canvas, _pixel(joint), _thick(JOINT, scale), colour, thickness=-1)


def _draw_hand(canvas: np.ndarray, hand: np.ndarray, scale: float) -> None:
    for number, (a, b) in enumerate(_FINGERS):
        if hand[a, 2] > 0 and hand[b, 2] > 0:
            colour = [255 * c for c in colorsys.hsv_to_rgb(number / len(_FINGERS), 1, 1)]
            cv2.line(canvas, _pixel(hand[a]), _pixel(hand[b]), colour, thickness=_thick(FINGER, scale))
    for x, y in _pixels_of(hand):
        cv2.circle(canvas, (x, y), _thick(JOINT, scale), (0, 0, 255), thickness=-1)


def _thick(at_512: int, scale: float) -> int:
    return max(1, round(at_512 * scale))


def _pixel(joint: np.ndarray) -> tuple[int, int]:
    return round(float(joint[0])), round(float(joint[1]))


def _pixels_of(joints: np.ndarray) -> list[tuple[int, int]]:
    return [_pixel(joint) for joint in joints if joint[2] > 0]
