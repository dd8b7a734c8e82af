"""Depth: near is bright. All networks here know distance up to a scale and a shift only, each frame's own (see
``controls.stabilise.depth``)."""

from __future__ import annotations

import numpy as np

from controls.errors import ControlError
from controls.maps.base import KindFacts, Weights
from controls.maps.pictures import as_picture, picture_to_detect
from controls.maps.vendors import PACKAGES, AuxDetector
from controls.maps.weights import vendor, weights_folder
from controls.types import ControlMap
from interp.pixels.sizes import restored
from interp.quiet import without_prints

__all__ = ["DepthAnything", "MidasDepth", "ZoeDepth", "depth_map"]

CONTROLNETS = {"sd15": "lllyasviel/control_v11f1p_sd15_depth", "sdxl": "diffusers/controlnet-depth-sdxl-1.0"}
_OUTPUT = "near is 255, far is 0, linear in "


def depth_map(values: np.ndarray, *, black: float = 0.0, white: float = 1.0) -> ControlMap:
    """The map of nearness in [0, 1] (float32 H x W). ``black`` and ``white``, the values shown as 0 and as 255, go with it as
    ``facts``, so that a stabilised map is shown alike."""
    shown = (values - np.float32(black)) / np.float32(max(white - black, 1e-6))
    picture = as_picture((shown.clip(0, 1) * np.float32(255)).astype(np.uint8))  # cut off, as ControlNet's own tools do
    return ControlMap("depth", picture, values, {"black": float(black), "white": float(white)})


def _to_unit(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float32) - np.float32(values.min())
    return values / np.float32(max(float(values.max()), 1e-6))


class DepthAnything:
    """Yang et al., "Depth Anything V2" (NeurIPS 2024), by transformers.

    ``weights``: a folder of that format (the small model is Apache-2.0, the larger ones CC-BY-NC-4.0);
    ``device`` as ``AuxDetector``. The picture is looked at as the weights' own preprocessor
    says (short side 518, multiples of 14).
    """

    facts = KindFacts(
        name="depth",
        kind="depth",
        about="Depth Anything V2 small (Yang et al. 2024), by transformers",
        licence="Apache-2.0",
        output=_OUTPUT + "1/distance",
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
        transformers, self._torch = vendor("transformers", self.facts), vendor("torch", self.facts)
        folder = str(weights_folder(self.facts, weights))
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
            raise ControlError(f"the weights of {self.facts.name!r} in {folder!r} cannot be used: {reason}") from error
        self._model, self._device = model.to(device).eval(), device

    def detect(self, picture: np.ndarray) -> ControlMap:
        """``values`` are 0 at the farthest point of the frame and 1 at the nearest."""
        picture = picture_to_detect(picture)
        with self._torch.no_grad(), without_prints():
            prepared = self._prepare(images=picture, return_tensors="pt").to(self._device)
            found = self._model(**prepared).predicted_depth
            found = self._torch.nn.functional.interpolate(
                found[:, None].float(), picture.shape[:2], mode="bicubic", align_corners=False
            )
        return depth_map(_to_unit(found[0, 0].cpu().numpy()))


class MidasDepth(AuxDetector):
    """Ranftl et al., "Vision Transformers for Dense Prediction" (DPT hybrid, ICCV 2021). Options as ``AuxDetector``."""

    facts = KindFacts(
        name="depth-midas",
        kind="depth",
        about="MiDaS 3 DPT hybrid (Ranftl et al. 2021)",
        licence="Apache-2.0",
        output=_OUTPUT + "1/distance",
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
        torch = vendor("torch", self.facts)
        device = next(iter(self._model.model.parameters())).device
        with torch.no_grad(), without_prints():
            ready = torch.from_numpy(small).float().to(device) / 127.5 - 1.0
            found = self._model.model(ready.permute(2, 0, 1)[None])[0].cpu().numpy()
        return depth_map(restored(_to_unit(found), size))


class ZoeDepth(AuxDetector):
    """Bhat et al., "ZoeDepth" (2023): distance in metres. Options as ``AuxDetector``.

    Shown as ControlNet's own tools show it: from its 2nd percentile (white) to its 85th (black).
    """

    facts = KindFacts(
        name="depth-zoe",
        kind="depth",
        about="ZoeDepth (Bhat et al. 2023)",
        licence="Apache-2.0",
        output=_OUTPUT + "distance, between its 2nd and its 85th percentile",
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
        torch = vendor("torch", self.facts)
        device = next(iter(self._model.model.parameters())).device
        with torch.no_grad(), without_prints():
            ready = torch.from_numpy(small).float().to(device) / 255.0
            found = self._model.model.infer(ready.permute(2, 0, 1)[None])[0, 0].cpu().numpy()
        near = _to_unit(-found)
        far, close = np.percentile(near, (15, 98))
        return depth_map(restored(near, size), black=float(far), white=float(close))
