"""SAM 2's network with the weights of a local file."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from sam2.build_sam import build_sam2_video_predictor

from controls.errors import ControlError
from controls.masks.sam2.weights import PICKLES

__all__ = ["build_network"]


def build_network(checkpoint: Path, config: str, *, image_size: int | None, device: str | None) -> Any:
    """The network, with its weights, in evaluation mode on ``device`` (``None``: CUDA if there is one): the package's
    ``SAM2VideoPredictor``.

    Raises ``ControlError`` where the file is none of this configuration's checkpoints.
    """
    overrides = [] if image_size is None else [f"++model.image_size={image_size}"]
    network = build_sam2_video_predictor(config, None, device="cpu", hydra_overrides_extra=overrides)
    try:
        network.load_state_dict(_read(checkpoint))
    except (RuntimeError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ControlError(f"{str(checkpoint)!r} is no checkpoint of {config}: {reason}") from error
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return network.to(device).eval()


def _read(checkpoint: Path) -> dict[str, Any]:
    if checkpoint.suffix.lower() in PICKLES:
        try:
            stored = torch.load(checkpoint, map_location="cpu", weights_only=True)  # tensors only, no code
        except pickle.UnpicklingError as error:
            raise ValueError(f"it holds more than weights ({error})") from error
        return dict(stored.get("model", stored))
    try:
        return load_file(checkpoint)
    except SafetensorError as error:
        raise ValueError(f"it is not in safetensors format ({error})") from error
