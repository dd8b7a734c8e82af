"""Pose of several people by OpenPose: Cao, Hidalgo, Simon, Wei & Sheikh, "OpenPose: Realtime Multi-Person 2D Pose Estimation
Using Part Affinity Fields" (PAMI 2019)."""

from __future__ import annotations

from typing import Any

import numpy as np

from controls.maps.aux_detector import PACKAGES, AuxDetector
from controls.maps.base import DetectorTraits, Weights
from controls.maps.people import PARTS, Person
from controls.maps.pose_maps import CONTROLNETS, OUTPUT, pose_map
from controls.types import ControlMap
from interp.quiet import without_prints

__all__ = ["OpenPose"]


class OpenPose(AuxDetector):
    """``hands``, ``face``: whether those are looked for, too (several times the work). Others as ``AuxDetector``."""

    traits = DetectorTraits(
        name="pose-openpose",
        kind="pose",
        about="several people's bodies, hands and faces, by OpenPose (Cao et al. 2019)",
        licence="Apache-2.0",
        output=OUTPUT,
        packages=PACKAGES,
        extra="controls",
        weights=Weights(
            "lllyasviel/Annotators",
            ("body_pose_model.pth", "hand_pose_model.pth", "facenet.pth"),
            "OpenPose's own: academic and non-commercial use only",
        ),
        multiple=64,
        stabilise_method="pose",
        controlnets=CONTROLNETS,
    )
    module, part = "open_pose", "OpenposeDetector"

    def __init__(
        self,
        *,
        hands: bool = False,
        face: bool = False,
        weights: str | None = None,
        resolution: int | None = 512,
        device: str = "cpu",
    ) -> None:
        super().__init__(weights=weights, resolution=resolution, device=device)
        self._hands, self._face = hands, face

    def detect(self, picture: np.ndarray) -> ControlMap:
        """``facts["people"]`` holds all people found (``controls.maps.people.Person.plain``)."""
        small, size = self._prepared(picture)
        with without_prints():
            poses = self._model.detect_poses(small, include_hand=self._hands, include_face=self._face)
        work = (small.shape[1], small.shape[0])
        return pose_map([_person(pose, work, size) for pose in poses], *size)


def _person(pose: Any, work: tuple[int, int], size: tuple[int, int]) -> Person:
    return Person(
        _joints(pose.body.keypoints, PARTS["body"], work, size),
        *(
            None if marks is None else _joints(marks, PARTS[part], work, size)
            for part, marks in (("left_hand", pose.left_hand), ("right_hand", pose.right_hand), ("face", pose.face))
        ),
    )


def _joints(marks: Any, count: int, work: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """The package's marks, whole pixels of the working picture over its size, as pixels of the frame; it has (-1, -1) for
    those of hands and faces that are not seen, ``None`` for a body's."""
    joints = np.zeros((count, 3), np.float32)
    for number, mark in enumerate(marks[:count]):
        if mark is not None and mark.x >= 0 and mark.y >= 0:
            joints[number] = [
                (mark.x * work[0] + 0.5) * size[0] / work[0] - 0.5,
                (mark.y * work[1] + 0.5) * size[1] / work[1] - 0.5,
                1.0,
            ]
    return joints
