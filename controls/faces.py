"""Faces in a picture, by MediaPipe's BlazeFace (Bazarevsky et al., 2019), whose full-range network is inside the package
(mediapipe 0.10.14, Apache-2.0)."""

from __future__ import annotations

import numpy as np

from controls.mediapipe_network import open_network
from interp.quiet import without_warnings

__all__ = ["FaceFinder"]

FULL_RANGE = 1  # MediaPipe's number of the network that sees small faces, too
SURE = 0.5  # the network's own figure from which something is a face


class FaceFinder:
    """Finds faces down to a twentieth of the picture's width. One frame says nothing about the next.

    Raises ``MissingPackageError``, and ``ControlError`` if the package cannot be used.
    """

    def __init__(self) -> None:
        self._network = open_network(
            "finding faces",
            "face_detection",
            "FaceDetection",
            model_selection=FULL_RANGE,
            min_detection_confidence=SURE,
        )

    def find(self, picture: np.ndarray) -> list[tuple[float, float, float, float]]:
        """Give each face's left, top, right and bottom as shares of the picture's sides. ``picture``: H x W x 3 uint8 RGB."""
        with without_warnings():
            found = self._network.process(np.ascontiguousarray(picture)).detections or ()
        boxes = [face.location_data.relative_bounding_box for face in found]
        return [(box.xmin, box.ymin, box.xmin + box.width, box.ymin + box.height) for box in boxes]
