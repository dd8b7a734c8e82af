"""Pose of several people, whole bodies, by DWPose: Yang, Zeng, Yuan & Li, "Effective Whole-body Pose Estimation with Two-stages
Distillation" (ICCVW 2023). People are found by YOLOX (Ge et al., "YOLOX: Exceeding YOLO Series in 2021"), and the joints of
each by an RTMPose network (Jiang et al., "RTMPose", 2023; SimCC: Li et al., ECCV 2022). Both run on onnxruntime, which restyle
needs anyway; ONNX files hold numbers, not programs.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from controls.errors import ControlError
from controls.maps.base import DetectorTraits, Weights
from controls.maps.people import PARTS, Person
from controls.maps.pictures import picture_to_detect
from controls.maps.pose_maps import CONTROLNETS, OUTPUT, inside, pose_map
from controls.maps.weights import weights_folder
from controls.onnx import open_network
from controls.types import ControlMap

__all__ = ["DWPose", "boxes_of", "crop_of", "joints_of", "letterboxed", "person_of"]

DETECTOR, POSE_NETWORK = "yolox_l.onnx", "dw-ll_ucoco_384.onnx"
STRIDES = (8, 16, 32)  # of YOLOX's three grids
GREY = 114  # what YOLOX was shown beside the picture
OVERLAP = 0.45  # from which two boxes are of one person
PADDING = 1.25  # RTMPose was shown so much more than the box
MEAN = np.array((123.675, 116.28, 103.53), np.float32)  # of RGB values, as RTMPose was trained
SPREAD = np.array((58.395, 57.12, 57.375), np.float32)
SPLIT = 2.0  # bins of SimCC's axes a pixel
JOINTS = (
    133  # of COCO-WholeBody (Jin et al., ECCV 2020): 17 of the body, 6 of the feet, 68 of the face, 21 of each hand
)
FACE, LEFT_HAND, RIGHT_HAND = slice(23, 91), slice(91, 112), slice(112, 133)
SHOULDERS = (5, 6)
# COCO's joint for each of OpenPose's; the neck is between both shoulders.
BODY = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)


class DWPose:
    """``hands``, ``face``: whether those are drawn, too (they cost nothing more). ``confidence``: in [0, 1], from which
    somebody counts as found; ``visible``: from which a joint does. Joints outside of the picture are left out.

    ``weights``: a folder that holds both ONNX files. ``device``: ``cpu`` or ``cuda`` (onnxruntime-gpu). ``threads``: 0 is one a
    core.

    Raises ``MissingWeightsError``, and ``ControlError`` for files of something else and a device that is not there.
    """

    traits = DetectorTraits(
        name="pose-dwpose",
        kind="pose",
        about="several people's bodies, hands and faces, by DWPose (Yang et al. 2023)",
        licence="Apache-2.0",
        output=OUTPUT,
        weights=Weights("yzd-v/DWPose", (DETECTOR, POSE_NETWORK), "Apache-2.0"),
        stabilise_method="pose",
        controlnets=CONTROLNETS,
    )

    def __init__(
        self,
        *,
        hands: bool = True,
        face: bool = True,
        confidence: float = 0.3,
        visible: float = 0.3,
        weights: str | None = None,
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        if not (0 <= confidence <= 1 and 0 <= visible <= 1) or threads < 0:
            raise ValueError(
                "pose-dwpose takes confidence and visible in [0, 1] and threads >= 0, "
                f"got {confidence:g}, {visible:g} and {threads}"
            )
        folder = weights_folder(self.traits, weights)
        self._hands, self._face = hands, face
        self._confidence, self._visible = confidence, visible
        self._detector = _Network(folder / DETECTOR, 1, device, threads, fallback=(640, 640))
        self._pose_network = _Network(folder / POSE_NETWORK, 2, device, threads, fallback=(288, 384))

    def detect(self, picture: np.ndarray) -> ControlMap:
        """``facts["people"]`` holds all people found, the surest first (``controls.maps.people.Person.plain``)."""
        picture = picture_to_detect(picture)
        height, width = picture.shape[:2]
        shown, scale = letterboxed(picture, self._detector.size)
        (raw,) = self._detector.run(shown[..., ::-1])  # YOLOX was trained on BGR
        people = []
        for box in boxes_of(raw[0], self._detector.size, scale, least=self._confidence):
            joints = self._joints(picture, box)
            person = person_of(joints, (width, height), visible=self._visible, hands=self._hands, face=self._face)
            if person is not None:
                people.append(person)
        return pose_map(people, width, height)

    def _joints(self, picture: np.ndarray, box: np.ndarray) -> np.ndarray:
        to_crop = crop_of(box, self._pose_network.size)
        crop = cv2.warpAffine(picture, to_crop, self._pose_network.size, flags=cv2.INTER_LINEAR)
        ready = (crop.astype(np.float32) - MEAN) / SPREAD
        across, down = self._pose_network.run(ready)
        width, height = self._pose_network.size
        for axis, length in ((across, width), (down, height)):
            if axis.shape != (1, JOINTS, round(length * SPLIT)):
                raise ControlError(f"{self._pose_network.path.name!r} is no DWPose network: it gives {axis.shape}")
        return joints_of(across[0], down[0], to_crop)


def letterboxed(picture: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, float]:
    """``picture`` in the upper left of grey uint8 of ``size`` (width, height), and by how much it was scaled, as YOLOX asks."""
    height, width = picture.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    shown = np.full((size[1], size[0], 3), GREY, np.uint8)
    fitted = max(1, int(width * scale)), max(1, int(height * scale))
    shown[: fitted[1], : fitted[0]] = cv2.resize(picture, fitted, interpolation=cv2.INTER_LINEAR)
    return shown, scale


def boxes_of(raw: np.ndarray, size: tuple[int, int], scale: float, *, least: float) -> np.ndarray:
    """People's boxes out of YOLOX's output, float32 N x 4 (left, top, right, bottom) in pixels of the picture, surest first.

    ``raw``: float32 cells x 85: the centre's position from the cell's corner in cells, the logarithm of width and height in
    cells, the confidence that there is something, and those of COCO's 80 classes (0 is a person). Cells are those of the grids
    of ``size``, finest first, row by row. Of boxes that overlap the surest is kept. Raises ``ControlError`` for another shape.
    """
    grids = [(size[0] // stride, size[1] // stride, stride) for stride in STRIDES]
    if raw.ndim != 2 or raw.shape[0] != sum(w * h for w, h, _ in grids) or raw.shape[1] < 6:
        raise ControlError(
            f"{DETECTOR!r} is no YOLOX network: it gives {raw.shape} for a picture of {size[0]} x {size[1]}"
        )
    cells = np.concatenate(
        [
            np.stack([*np.meshgrid(np.arange(w), np.arange(h)), np.full((h, w), s)], 2).reshape(-1, 3)
            for w, h, s in grids
        ]
    ).astype(np.float32)
    scores = raw[:, 4] * raw[:, 5]
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > least]
    centre = (raw[order, :2] + cells[order, :2]) * cells[order, 2:]
    half = np.exp(raw[order, 2:4]) * cells[order, 2:] / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1) / np.float32(scale)
    chosen: list[np.ndarray] = []
    for box in boxes:
        if all(_overlap(box, other) <= OVERLAP for other in chosen):
            chosen.append(box)
    return np.array(chosen, np.float32).reshape(-1, 4)


def crop_of(box: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """float64 2 x 3: from the picture's pixels to those of the crop of ``size`` (width, height) that RTMPose is shown: the box
    and a quarter more, widened or heightened to the crop's shape."""
    left, top, right, bottom = (float(side) for side in box)
    width, height = max(right - left, 1.0) * PADDING, max(bottom - top, 1.0) * PADDING
    scale = min(size[0] / width, size[1] / height)
    x, y = (left + right) / 2, (top + bottom) / 2
    return np.array([[scale, 0, size[0] / 2 - scale * x], [0, scale, size[1] / 2 - scale * y]])


def joints_of(across: np.ndarray, down: np.ndarray, to_crop: np.ndarray) -> np.ndarray:
    """float32 133 x 3 (x, y, confidence) in pixels of the picture, out of SimCC's axes (float32 133 x places each, two places a
    pixel of the crop; a joint is where each is highest, and as sure as the lower of both). ``to_crop``: ``crop_of``'s."""
    positions = np.stack([across.argmax(axis=1), down.argmax(axis=1)], axis=1) / SPLIT
    scores = np.minimum(across.max(axis=1), down.max(axis=1))
    xy = (positions - to_crop[:, 2]) / [to_crop[0, 0], to_crop[1, 1]]
    return np.concatenate([xy, np.maximum(scores, 0)[:, None]], axis=1).astype(np.float32)


def person_of(
    joints: np.ndarray, size: tuple[int, int], *, visible: float, hands: bool = True, face: bool = True
) -> Person | None:
    """OpenPose's joints of COCO-WholeBody's (float32 133 x 3), in a picture of ``size``; ``None`` where no body is seen.

    It has no pupils: the last two of a face are never seen.
    """
    neck = joints[list(SHOULDERS)].mean(axis=0)
    neck[2] = joints[list(SHOULDERS), 2].min()
    body = np.stack([neck if joint is None else joints[joint] for joint in BODY])
    parts = {"body": body, "left_hand": joints[LEFT_HAND], "right_hand": joints[RIGHT_HAND], "face": joints[FACE]}
    made: dict[str, np.ndarray] = {}
    for part, marks in parts.items():
        if (part == "face" and not face) or (part.endswith("hand") and not hands):
            continue
        whole = np.zeros((PARTS[part], 3), np.float32)
        whole[: len(marks)] = inside(marks, *size)
        whole[whole[:, 2] < visible] = 0
        whole[:, 2] = whole[:, 2].clip(0, 1)
        if whole[:, 2].any():
            made[part] = whole
    return Person(**made) if "body" in made else None


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Area in both over area in either."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return float(both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both))


class _Network:
    """An ONNX network that takes one picture and gives ``outputs`` arrays."""

    def __init__(self, path: Path, outputs: int, device: str, threads: int, *, fallback: tuple[int, int]) -> None:
        self._session = open_network(path, "pose-dwpose", device=device, threads=threads)
        self.path = path
        taken = self._session.get_inputs()
        if len(taken) != 1 or len(taken[0].shape) != 4 or len(self._session.get_outputs()) != outputs:
            raise ControlError(f"{str(path)!r} is none of DWPose's networks: it takes or gives something else")
        self._name = taken[0].name
        sides = taken[0].shape[3], taken[0].shape[2]
        self.size: tuple[int, int] = sides if all(isinstance(side, int) for side in sides) else fallback
        """Width and height of the picture that it takes."""

    def run(self, picture: np.ndarray) -> list[np.ndarray]:
        """``picture``: h x w x 3, of ``size``."""
        ready = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32)
        outputs: list[np.ndarray] = self._session.run(None, {self._name: ready})
        return outputs
