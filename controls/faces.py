"""Faces in a picture, by MediaPipe's BlazeFace (Bazarevsky et al., 2019), whose full-range network is inside the package
(mediapipe 0.10.14, Apache-2.0). Whether it is installed can be asked without importing it, which takes seconds."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from controls.errors import ControlError
from interp.errors import MissingPackageError
from interp.quiet import without_logs, without_warnings

__all__ = ["FaceFinder", "can_find_faces"]

FULL_RANGE = 1  # MediaPipe's number of the network that sees small faces, too
SURE = 0.5  # the network's own figure from which something is a face


def can_find_faces() -> bool:
    """Tell whether the package is installed."""
    return find_spec("mediapipe") is not None


class FaceFinder:
    """Finds faces down to a twentieth of the picture's width. One frame says nothing about the next.

    Raises ``MissingPackageError``, and ``ControlError`` if the package cannot be used.
    """

    def __init__(self) -> None:
        try:
            with without_warnings(), without_logs():
                from mediapipe.python.solutions.face_detection import FaceDetection

                self._network: Any = FaceDetection(model_selection=FULL_RANGE, min_detection_confidence=SURE)
                self._network.process(np.zeros((64, 64, 3), np.uint8))  # it says what it says the first time
        except ModuleNotFoundError as error:
            raise MissingPackageError("finding faces", error.name or "mediapipe", "pose") from error
        except (ImportError, OSError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:160]
            raise ControlError(f"finding faces: the package mediapipe cannot be used: {reason}") from error

    def find(self, picture: np.ndarray) -> list[tuple[float, float, float, float]]:
        """Give each face's left, top, right and bottom as shares of the picture's sides. ``picture``: H x W x 3 uint8 RGB."""
        with without_warnings():
            found = self._network.process(np.ascontiguousarray(picture)).detections or ()
        boxes = [face.location_data.relative_bounding_box for face in found]
        return [(box.xmin, box.ymin, box.xmin + box.width, box.ymin + box.height) for box in boxes]
