"""Base of the detectors that wrap controlnet_aux's: loading one from a folder, and calling it at a size that
it takes, so that the map lies on the frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from controls.errors import ControlError
from controls.maps.base import DetectorTraits
from controls.maps.pictures import picture_to_detect
from controls.maps.weights import vendor, weights_folder
from interp.pixels.sizes import detection_size, resized, restored
from interp.quiet import without_prints

__all__ = ["AuxDetector"]

PACKAGES = ("torch", "torchvision", "controlnet_aux", "timm")


class AuxDetector:
    """Base of the detectors by controlnet_aux (its repository: huggingface/controlnet_aux, Apache-2.0).

    ``weights``: a folder that holds ``traits.weights.files``. ``resolution``: short side to detect at, before it is rounded to
    what the network takes; ``None`` is the picture's own. ``device``: torch's name for where to compute.

    Making one loads it. Raises ``MissingPackageError``, ``MissingWeightsError``, and ``ControlError`` for weights of something
    else.
    """

    traits: DetectorTraits
    module: str
    """The module of controlnet_aux that holds the detector."""
    part: str
    """And its class."""

    def __init__(
        self,
        *,
        weights: str | None = None,
        resolution: int | None = 512,
        device: str = "cpu",
    ) -> None:
        if resolution is not None and resolution < 1:
            raise ValueError(f"a resolution is at least 1 pixel, got {resolution}")
        detector = getattr(vendor(f"controlnet_aux.{self.module}", self.traits), self.part)
        folder = weights_folder(self.traits, weights)
        self._resolution = resolution
        try:
            with without_prints():
                self._model = detector.from_pretrained(str(folder)).to(device)
        except Exception as error:  # whatever a file of something else makes torch's loader and the package say
            reason = " ".join(str(error).split())[:160]
            raise ControlError(
                f"the weights of {self.traits.name!r} in {str(folder)!r} cannot be used: {reason}"
            ) from error

    def _prepared(self, picture: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
        """The picture at a size that the network takes, and the frame's own size."""
        picture = picture_to_detect(picture)
        size = picture.shape[1::-1]
        work = detection_size(*size, resolution=self._resolution, multiple=self.traits.multiple)
        return resized(picture, work), size

    def _called(self, picture: np.ndarray, **options: Any) -> np.ndarray:
        """The package's own call, which then has nothing to resize; uint8 H x W x 3 of the frame's size."""
        small, size = self._prepared(picture)
        side = min(small.shape[:2])
        with without_prints():
            control_map = self._model(small, detect_resolution=side, image_resolution=side, output_type="np", **options)
        return np.ascontiguousarray(restored(control_map, size))
