"""Models that are known by name, with their ids and licences. Imports nothing heavy.

Ids, files and licences are those of the models' own pages, as they were in 2024 and 2025; nothing was run on these weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from controls.maps import kinds
from restyle.weights.selection import Selection

__all__ = [
    "BASE_MODELS",
    "FAMILIES",
    "IP_ADAPTERS",
    "LICENCES",
    "SAM2",
    "UNUSED",
    "BaseModel",
    "Family",
    "IPAdapter",
    "controlnet_for",
]

Family = Literal["sd15", "sdxl"]
FAMILIES: Mapping[Family, str] = {"sd15": "SD 1.5", "sdxl": "SDXL"}
"""As a person calls them."""


UNUSED = ("safety_checker", "feature_extractor", "image_encoder")
"""Parts of models that the painter ``diffusion`` does not load: pictures are seen by an IP-Adapter's own encoder."""


@dataclass(frozen=True)
class BaseModel:
    """A base model with what goes well with it."""

    model: str
    family: Family
    licence: str
    about: str
    vae: str | None = None
    schedule: str | None = None
    resolution: int | None = None
    """Side of the square, in pixels, that it was made for, where that is not its family's."""
    guidance_scale: float | None = None
    """As ``resolution``."""
    steps: int | None = None
    """As ``resolution``."""

    @property
    def source(self) -> str:
        """A hub id, or a folder."""
        return self.model

    def controlnet_for(self, kind: str) -> str | None:
        """Hub id or folder of the ControlNet that suits a kind of control map; ``None`` if none is known."""
        return controlnet_for(kind, self.family)

    @property
    def selection(self) -> Selection:
        """The part of the repository that is loaded: not its own VAE where another goes with it."""
        return Selection(unused=UNUSED, replaced=("vae",) if self.vae else ())


@dataclass(frozen=True)
class IPAdapter:
    """An adapter that takes the style of a picture, with its image encoder beside it."""

    hub_id: str
    folder: str
    """Within the hub id."""
    file: str
    licence: str = "Apache-2.0"

    @property
    def files(self) -> tuple[str, ...]:
        """Everything that is needed of the hub id."""
        encoder = f"{self.folder}/image_encoder"
        return f"{encoder}/config.json", f"{self.folder}/{self.file}", f"{encoder}/model.safetensors"


BASE_MODELS: Mapping[str, BaseModel] = {
    "sd15": BaseModel(
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "sd15",
        "CreativeML OpenRAIL-M",
        "Stable Diffusion 1.5",
        vae="stabilityai/sd-vae-ft-mse",
    ),
    "dreamshaper": BaseModel("Lykon/dreamshaper-8", "sd15", "CreativeML OpenRAIL-M", "illustration, SD 1.5"),
    "realistic": BaseModel(
        "SG161222/Realistic_Vision_V5.1_noVAE",
        "sd15",
        "CreativeML OpenRAIL-M",
        "photographs, SD 1.5",
        vae="stabilityai/sd-vae-ft-mse",
    ),
    "sdxl": BaseModel(
        "stabilityai/stable-diffusion-xl-base-1.0",
        "sdxl",
        "CreativeML OpenRAIL++-M",
        "Stable Diffusion XL",
        vae="madebyollin/sdxl-vae-fp16-fix",
    ),
    "sdxl-turbo": BaseModel(
        "stabilityai/sdxl-turbo",
        "sdxl",
        "Stability AI Non-Commercial Research Community",
        "SDXL in four steps",
        schedule="turbo",
        resolution=512,
    ),
}

IP_ADAPTERS: Mapping[Family, IPAdapter] = {
    "sd15": IPAdapter("h94/IP-Adapter", "models", "ip-adapter_sd15.safetensors"),
    "sdxl": IPAdapter("h94/IP-Adapter", "sdxl_models", "ip-adapter_sdxl.safetensors"),
}
"""The one for each family."""

SAM2: Mapping[str, str] = {
    "sam2": "SAM 2.1 small, 0.2 GB: follows objects",
    "sam2-tiny": "SAM 2.1 tiny, 0.2 GB: the fastest",
    "sam2-base-plus": "SAM 2.1 base plus, 0.3 GB",
    "sam2-large": "SAM 2.1 large, 0.9 GB: the most exact, as its makers measure",
}
"""Checkpoints of the masker sam2, which are Apache-2.0."""

LICENCES: Mapping[str, str] = {
    "stabilityai/sd-vae-ft-mse": "MIT",
    "madebyollin/sdxl-vae-fp16-fix": "MIT",
    "TheMistoAI/MistoLine": "OpenRAIL++",
    "diffusers/controlnet-canny-sdxl-1.0": "OpenRAIL++",
    "diffusers/controlnet-depth-sdxl-1.0": "OpenRAIL++",
    "diffusers/controlnet-zoe-depth-sdxl-1.0": "OpenRAIL++",
    "lllyasviel/control_v11f1e_sd15_tile": "OpenRAIL; pickled only, see docs/models.md",
    "lllyasviel/control_v11f1p_sd15_depth": "OpenRAIL",
    "lllyasviel/control_v11p_sd15_canny": "OpenRAIL",
    "lllyasviel/control_v11p_sd15_lineart": "OpenRAIL",
    "lllyasviel/control_v11p_sd15_normalbae": "OpenRAIL",
    "lllyasviel/control_v11p_sd15_openpose": "OpenRAIL",
    "lllyasviel/control_v11p_sd15_softedge": "OpenRAIL",
    "xinsir/controlnet-openpose-sdxl-1.0": "Apache-2.0",
    "xinsir/controlnet-tile-sdxl-1.0": "Apache-2.0",
}
"""Of the VAEs and ControlNets that are known by id."""


def controlnet_for(kind: str, family: Family) -> str | None:
    """Hub id of the ControlNet that suits a kind of control map; ``None`` if none is known."""
    facts = kinds().get(kind)
    return None if facts is None else facts.controlnets.get(family)
