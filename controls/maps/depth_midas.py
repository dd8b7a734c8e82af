"""Depth by MiDaS: Ranftl et al., "Vision Transformers for Dense Prediction" (ICCV 2021)."""

from __future__ import annotations

import numpy as np

from controls.maps.aux_detector import PACKAGES, AuxDetector
from controls.maps.base import DetectorTraits, Weights
from controls.maps.depth_maps import CONTROLNETS, OUTPUT, depth_map, to_unit
from controls.maps.weights import vendor
from controls.types import ControlMap
from interp.pixels.sizes import restored
from interp.quiet import without_prints

__all__ = ["MidasDepth"]


class MidasDepth(AuxDetector):
    """Ranftl et al., "Vision Transformers for Dense Prediction" (DPT hybrid, ICCV 2021). Options as ``AuxDetector``."""

    traits = DetectorTraits(
        name="depth-midas",
        kind="depth",
        about="MiDaS 3 DPT hybrid (Ranftl et al. 2021)",
        licence="Apache-2.0",
        output=OUTPUT + "1/distance",
        packages=PACKAGES,
        extra="controls",
        weights=Weights("lllyasviel/Annotators", ("dpt_hybrid-midas-501f0c75.pt",), "MIT"),
        multiple=64,
        stabilise_method="depth",
        controlnets=CONTROLNETS,
    )
    module, part = "midas", "MidasDetector"

    def detect(self, picture: np.ndarray) -> ControlMap:
        """``values`` are 0 at the farthest point of the frame and 1 at the nearest."""
        small, size = self._prepared(picture)
        torch = vendor("torch", self.traits)
        device = next(iter(self._model.model.parameters())).device
        with torch.no_grad(), without_prints():
            ready = torch.from_numpy(small).float().to(device) / 127.5 - 1.0
            depth = self._model.model(ready.permute(2, 0, 1)[None])[0].cpu().numpy()
        return depth_map(restored(to_unit(depth), size))
