"""Depth by Depth Anything V2: Yang et al. (NeurIPS 2024)."""

from __future__ import annotations

import numpy as np

from controls.errors import ControlError
from controls.maps.base import DetectorTraits, Weights
from controls.maps.depth_maps import CONTROLNETS, OUTPUT, depth_map, to_unit
from controls.maps.pictures import picture_to_detect
from controls.maps.weights import vendor, weights_folder
from controls.types import ControlMap
from interp.quiet import without_prints

__all__ = ["DepthAnything"]


class DepthAnything:
    """Yang et al., "Depth Anything V2" (NeurIPS 2024), by transformers.

    ``weights``: a folder of that format (the small model is Apache-2.0, the larger ones CC-BY-NC-4.0);
    ``device`` as ``AuxDetector``. The picture is looked at as the weights' own preprocessor
    says (short side 518, multiples of 14).
    """

    traits = DetectorTraits(
        name="depth",
        kind="depth",
        about="Depth Anything V2 small (Yang et al. 2024), by transformers",
        licence="Apache-2.0",
        output=OUTPUT + "1/distance",
        packages=("torch", "transformers"),
        extra="controls",
        weights=Weights(
            "depth-anything/Depth-Anything-V2-Small-hf",
            ("config.json", "preprocessor_config.json", "model.safetensors"),
            "Apache-2.0",
        ),
        multiple=14,
        stabilise_method="depth",
        controlnets=CONTROLNETS,
    )

    def __init__(self, *, weights: str | None = None, device: str = "cpu") -> None:
        transformers, self._torch = vendor("transformers", self.traits), vendor("torch", self.traits)
        folder = str(weights_folder(self.traits, weights))
        try:
            only_here = {
                "local_files_only": True,
                "trust_remote_code": False,
            }  # else transformers asks, on the terminal
            with without_prints():
                self._prepare = transformers.AutoImageProcessor.from_pretrained(folder, **only_here)
                model = transformers.AutoModelForDepthEstimation.from_pretrained(folder, **only_here)
        except Exception as error:  # whatever a folder of something else makes transformers say
            reason = " ".join(str(error).split())[:160]
            raise ControlError(f"the weights of {self.traits.name!r} in {folder!r} cannot be used: {reason}") from error
        self._model, self._device = model.to(device).eval(), device

    def detect(self, picture: np.ndarray) -> ControlMap:
        """``values`` are 0 at the farthest point of the frame and 1 at the nearest."""
        picture = picture_to_detect(picture)
        with self._torch.no_grad(), without_prints():
            prepared = self._prepare(images=picture, return_tensors="pt").to(self._device)
            depth = self._model(**prepared).predicted_depth
            depth = self._torch.nn.functional.interpolate(
                depth[:, None].float(), picture.shape[:2], mode="bicubic", align_corners=False
            )
        return depth_map(to_unit(depth[0, 0].cpu().numpy()))
