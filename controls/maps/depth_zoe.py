"""Depth by ZoeDepth: Bhat et al. (2023)."""

from __future__ import annotations

import numpy as np

from controls.maps.aux_detector import PACKAGES, AuxDetector
from controls.maps.base import DetectorTraits, Weights
from controls.maps.depth_maps import CONTROLNETS, OUTPUT, depth_map, to_unit
from controls.maps.weights import vendor
from controls.types import ControlMap
from interp.pixels.sizes import restored
from interp.quiet import without_prints

__all__ = ["ZoeDepth"]


class ZoeDepth(AuxDetector):
    """Bhat et al., "ZoeDepth" (2023): distance in metres. Options as ``AuxDetector``.

    Shown as ControlNet's own tools show it: from its 2nd percentile (white) to its 85th (black).
    """

    traits = DetectorTraits(
        name="depth-zoe",
        kind="depth",
        about="ZoeDepth (Bhat et al. 2023)",
        licence="Apache-2.0",
        output=OUTPUT + "distance, between its 2nd and its 85th percentile",
        packages=PACKAGES,
        extra="controls",
        weights=Weights("lllyasviel/Annotators", ("ZoeD_M12_N.pt",), "MIT"),
        multiple=64,
        stabilise_method="depth",
        controlnets={**CONTROLNETS, "sdxl": "diffusers/controlnet-zoe-depth-sdxl-1.0"},
    )
    module, part = "zoe", "ZoeDetector"

    def detect(self, picture: np.ndarray) -> ControlMap:
        """``values`` are linear in distance, 0 at the farthest point of the frame and 1 at the nearest."""
        small, size = self._prepared(picture)
        torch = vendor("torch", self.traits)
        device = next(iter(self._model.model.parameters())).device
        with torch.no_grad(), without_prints():
            ready = torch.from_numpy(small).float().to(device) / 255.0
            distance = self._model.model.infer(ready.permute(2, 0, 1)[None])[0, 0].cpu().numpy()
        near = to_unit(-distance)
        far, close = np.percentile(near, (15, 98))
        return depth_map(restored(near, size), black=float(far), white=float(close))
