"""Pose maps: people's joints, and the picture drawn from them."""

from __future__ import annotations

import numpy as np

from controls.maps.people import Person, draw_people
from controls.types import ControlMap

__all__ = ["CONTROLNETS", "OUTPUT", "inside", "pose_map"]

CONTROLNETS = {"sd15": "lllyasviel/control_v11p_sd15_openpose", "sdxl": "xinsir/controlnet-openpose-sdxl-1.0"}
OUTPUT = "OpenPose's coloured limbs and joints on black; facts hold the joints"


def pose_map(people: list[Person], width: int, height: int) -> ControlMap:
    """The map of these people, for frames of a size: drawn from what its facts say, to the last digit."""
    plain = [person.plain() for person in people]
    picture = draw_people([Person.of(person) for person in plain], width, height)
    return ControlMap("pose", picture, None, {"people": plain})


def inside(joints: np.ndarray, width: int, height: int) -> np.ndarray:
    """Joints (float32 N x 3) of a picture; those that lie outside of it have confidence 0."""
    x, y = joints[:, 0], joints[:, 1]
    out = (x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5)
    joints = joints.copy()
    joints[out, 2] = 0
    return joints
