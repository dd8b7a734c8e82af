"""Memory that is computed with beside the weights, reckoned from networks' configurations. Imports no torch.

A network holds so many times the pictures that run through its widest layers: as many numbers as they have tokens (or latent
pixels), times their channels. How many times was counted by running the published architectures on tensors without numbers,
and adding up the sizes of all that are alive at once (torch 2, diffusers 0.42, attention that keeps no scores). On a GPU
nothing of it was measured; a device's libraries take more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restyle.weights.trusted import read_table

__all__ = ["Load", "work_bytes"]

UNET = 28  # Stable Video Diffusion; SD 1.5 and AnimateDiff 26, SDXL 16
TRANSFORMER = 18  # FLUX.1 17, LTX 16, CogVideoX 13, Wan 13 to 18, and what its VACE layers keep
UNET_CHANNELS, UNET_STRIDE = 320, 8  # of all of Stable Diffusion's

VAES: Mapping[str, tuple[float, float, float]] = {
    "AutoencoderKL": (6, 6, 3),
    "AutoencoderKLTemporalDecoder": (8, 8, 7),
    "AutoencoderKLWan": (18, 35, 1),
    "AutoencoderKLQwenImage": (18, 35, 1),
    "AutoencoderKLCogVideoX": (14, 14, float("inf")),
    "AutoencoderKLLTXVideo": (3, 3, float("inf")),
    "AutoencoderKLLTX2Video": (1, 1.3, float("inf")),
}
"""Class -> pictures of its widest layers for one latent frame, for each further one, and how many further ones count: others
are decoded after each other."""


@dataclass(frozen=True)
class Load:
    """Pictures that run through a network at once."""

    size: tuple[int, int]
    """Width and height of what is painted, in pixels."""
    frames: int = 1
    """Pictures that are made together."""
    stride: tuple[int, int] = (1, UNET_STRIDE)
    """Frames and pixels a side that are one to the network."""
    rows: int = 1
    """Times that it is computed at once: 2 where what guides is computed with what is guided."""
    shown: int = 0
    """Pictures of the same size that are shown to it beside."""

    @property
    def latent_frames(self) -> int:
        """Frames that the network sees."""
        return (self.frames - 1) // self.stride[0] + 1


def work_bytes(model: Path | None, load: Load, width: int) -> tuple[int, int]:
    """Bytes that a model's network takes, and those that its VAE takes as a whole, at ``width`` bytes a number.

    ``model``: a folder in the hub's layout; ``None``: a model of Stable Diffusion's kind, of which nothing else is known."""
    pixels = load.size[0] * load.size[1]
    unet, transformer, vae = (_config(model, part) for part in ("unet", "transformer", "vae"))
    if transformer:
        channels = transformer.get("num_attention_heads", 0) * transformer.get("attention_head_dim", 0)
        channels = channels or transformer.get("dim", 0)
        times = TRANSFORMER + len(transformer.get("vace_layers") or ())
    else:
        channels, times = (unet.get("block_out_channels") or [UNET_CHANNELS])[0], UNET
    tokens = (load.latent_frames + load.shown) * load.rows * pixels // load.stride[1] ** 2
    decoded = _vae_numbers(vae, load) if vae or model is None else 0
    return width * times * tokens * channels, width * decoded * pixels


def _vae_numbers(vae: Mapping[str, Any], load: Load) -> int:
    """Numbers a pixel that a VAE holds when it decodes what is painted."""
    first, further, most = VAES.get(vae.get("_class_name", ""), VAES["AutoencoderKL"])
    channels = vae.get("decoder_base_dim") or vae.get("base_dim") or (vae.get("block_out_channels") or [128])[0]
    side = vae.get("patch_size") if "base_dim" in vae else 1  # Wan 2.2's works on patches
    return int((first + further * min(load.latent_frames - 1, most)) * channels) // (side or 1) ** 2


def _config(model: Path | None, part: str) -> Mapping[str, Any]:
    """Configuration of a part; empty: there is none that can be read, which is said when it is loaded."""
    try:
        return {} if model is None else read_table(model / part / "config.json")
    except (OSError, ValueError):
        return {}
