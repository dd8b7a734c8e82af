"""Models of video of random weights, in the hub's exact layout; ``tiny_diffusion`` writes them.

As there: a few hundred thousand numbers each, the same weights each time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tiny_diffusion import WIDTH
from tiny_editors import enlivened, t5

__all__ = ["KINDS"]

CHANNELS = 4


def vae() -> Any:
    """Wan's kind: four frames a latent after the first, eight pixels."""
    from diffusers import AutoencoderKLWan

    made = AutoencoderKLWan(
        base_dim=8,
        z_dim=CHANNELS,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.0] * CHANNELS,
        latents_std=[1.0] * CHANNELS,
    ).eval()
    with torch.no_grad():
        made.encoder.conv_out.weight.mul_(8)
    return made


def _vace(folder: Path) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler, WanVACEPipeline, WanVACETransformer3DModel
    from transformers import UMT5Config, UMT5EncoderModel

    _, tokenizer = t5()
    encoder = UMT5EncoderModel(
        UMT5Config(vocab_size=128, d_model=WIDTH, d_kv=8, d_ff=37, num_layers=2, num_heads=4)
    ).eval()
    WanVACEPipeline(
        tokenizer=tokenizer,
        text_encoder=encoder,
        vae=vae(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        transformer=enlivened(
            WanVACETransformer3DModel(
                patch_size=(1, 2, 2),
                num_attention_heads=2,
                attention_head_dim=12,
                in_channels=CHANNELS,
                out_channels=CHANNELS,
                text_dim=WIDTH,
                freq_dim=32,
                ffn_dim=32,
                num_layers=2,
                vace_layers=[0],
                vace_in_channels=2 * CHANNELS + 64,
            )
        ),
    ).save_pretrained(folder)


def _motion(folder: Path) -> None:
    """A motion adapter for ``sd15`` of ``tiny_diffusion``."""
    from diffusers import MotionAdapter

    enlivened(
        MotionAdapter(
            block_out_channels=(16, 32, 32),
            motion_layers_per_block=1,
            motion_num_attention_heads=2,
            motion_norm_num_groups=8,
            motion_max_seq_length=32,
            use_motion_mid_block=False,
        )
    ).save_pretrained(folder)


KINDS: dict[str, Callable[[Path], None]] = {"vace": _vace, "motion-sd15": _motion}
