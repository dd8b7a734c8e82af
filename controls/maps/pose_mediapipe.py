"""Pose by MediaPipe, whose models come inside the package: no download, ever."""

from __future__ import annotations

from typing import Any

import numpy as np

from controls.maps.base import DetectorTraits
from controls.maps.people import Person
from controls.maps.pictures import picture_to_detect
from controls.maps.pose_maps import CONTROLNETS, OUTPUT, inside, pose_map
from controls.maps.small_people import body_size, find_small_people
from controls.maps.weights import vendor
from controls.types import ControlMap
from interp.quiet import without_logs, without_warnings

__all__ = ["MediapipePose"]

SMALL = 0.4  # of the picture's short side: who is smaller is looked at more closely

# BlazePose's landmark for each of OpenPose's joints; the neck is between both shoulders.
_BODY = (0, None, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)
_SHOULDERS = (11, 12)
# The mesh's vertex for each of the 68 landmarks (jaw, brows, nose, eyes, mouth), then both pupils' (refined landmarks).
_FACE = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87),
    *(468, 473),
)


class MediapipePose:
    """One person's body, hands and face by MediaPipe Holistic: Bazarevsky et al., "BlazePose" (2020), Zhang et al.,
    "MediaPipe Hands" (2020), Grishchenko et al., "Attention Mesh" (2020).

    It finds one person in a picture, the most prominent. Where nobody is found, or somebody small, it looks again in windows
    (``closer``; ``small_people``), which may find several small ones. ``confidence``: in [0, 1], from which a person
    counts as found; ``visible``: from which a joint does. ``hands``, ``face``: whether those are drawn. Joints outside of the
    picture are left out.
    """

    traits = DetectorTraits(
        name="pose",
        kind="pose",
        about="one person's body, hands and face (or several small ones'), by MediaPipe Holistic (BlazePose 2020)",
        licence="Apache-2.0",
        output=OUTPUT,
        packages=("mediapipe",),
        extra="pose",
        bundled="all models are inside the package mediapipe 0.10.14 (Apache-2.0)",
        stabilise_method="pose",
        controlnets=CONTROLNETS,
    )

    def __init__(
        self,
        *,
        confidence: float = 0.5,
        visible: float = 0.5,
        hands: bool = True,
        face: bool = False,
        closer: bool = True,
    ) -> None:
        if not (0 <= confidence <= 1 and 0 <= visible <= 1):
            raise ValueError(f"pose's confidence and visible are in [0, 1], got {confidence:g} and {visible:g}")
        holistic = vendor("mediapipe.python.solutions.holistic", self.traits)
        self._visible, self._hands, self._face, self._closer = visible, hands, face, closer
        with without_warnings(), without_logs():  # of protobuf's, about mediapipe's
            self._model = holistic.Holistic(
                static_image_mode=True,
                model_complexity=1,  # 0 and 2 are not in the package: it would fetch them
                refine_face_landmarks=True,
                min_detection_confidence=confidence,
            )
            self._model.process(np.zeros((64, 64, 3), np.uint8))  # it says what it says the first time

    def detect(self, picture: np.ndarray) -> ControlMap:
        """``facts["people"]`` holds those found (``controls.maps.people.Person.plain``)."""
        picture = picture_to_detect(picture)
        height, width = picture.shape[:2]
        people = self._people_in(picture)
        if self._closer and max(map(body_size, people), default=0.0) < SMALL * min(width, height):
            people = find_small_people(self._people_in, picture) or people
        return pose_map(people, width, height)

    def _people_in(self, picture: np.ndarray) -> list[Person]:
        height, width = picture.shape[:2]
        with without_warnings():
            landmarks = self._model.process(picture)
        if landmarks.pose_landmarks is None:
            return []
        marks = _pixels(landmarks.pose_landmarks, width, height, visibility=True)
        neck = marks[list(_SHOULDERS)].mean(axis=0)
        neck[2] = marks[list(_SHOULDERS), 2].min()
        body = np.stack([neck if mark is None else marks[mark] for mark in _BODY])
        body[body[:, 2] < self._visible, 2] = 0
        body = inside(body, width, height)
        if not body[:, 2].any():
            return []
        face = None
        if self._face and landmarks.face_landmarks is not None:
            face = inside(_pixels(landmarks.face_landmarks, width, height)[list(_FACE)], width, height)
        hands = [
            None if marks is None or not self._hands else inside(_pixels(marks, width, height), width, height)
            for marks in (landmarks.left_hand_landmarks, landmarks.right_hand_landmarks)
        ]
        return [Person(body, hands[0], hands[1], face)]


def _pixels(marks: Any, width: int, height: int, *, visibility: bool = False) -> np.ndarray:
    """Landmarks in [0, 1] across the picture as float32 N x 3 in pixels, (0, 0) the centre of the first."""
    return np.array(
        [(m.x * width - 0.5, m.y * height - 0.5, m.visibility if visibility else 1.0) for m in marks.landmark],
        np.float32,
    )
