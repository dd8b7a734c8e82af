"""Models of video of random weights, in the hub's exact layout; ``tiny_diffusion`` writes them.

As there: a few hundred thousand numbers each, the same weights each time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tiny_diffusion import WIDTH, eyes
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


def _words() -> tuple[Any, Any]:
    """Wan's reader of prompts, and its tokenizer."""
    from transformers import UMT5Config, UMT5EncoderModel

    _, tokenizer = t5()
    config = UMT5Config(vocab_size=128, d_model=WIDTH, d_kv=8, d_ff=37, num_layers=2, num_heads=4)
    return UMT5EncoderModel(config).eval(), tokenizer


def _lucy(folder: Path) -> None:
    from diffusers import LucyEditPipeline, UniPCMultistepScheduler, WanTransformer3DModel

    encoder, tokenizer = _words()
    LucyEditPipeline(
        tokenizer=tokenizer,
        text_encoder=encoder,
        vae=vae(),
        scheduler=UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0),
        transformer=enlivened(
            WanTransformer3DModel(
                patch_size=(1, 2, 2),
                num_attention_heads=2,
                attention_head_dim=12,
                in_channels=2 * CHANNELS,
                out_channels=CHANNELS,
                text_dim=WIDTH,
                freq_dim=32,
                ffn_dim=32,
                num_layers=2,
            )
        ),
        expand_timesteps=True,
    ).save_pretrained(folder)


def _cogvideox(folder: Path) -> None:
    from diffusers import (
        AutoencoderKLCogVideoX,
        CogVideoXDDIMScheduler,
        CogVideoXFunControlPipeline,
        CogVideoXTransformer3DModel,
    )

    encoder, tokenizer = t5()
    coder = AutoencoderKLCogVideoX(
        block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=2, latent_channels=CHANNELS
    ).eval()
    with torch.no_grad():
        coder.encoder.conv_out.conv.weight.mul_(8)
    CogVideoXFunControlPipeline(
        tokenizer=tokenizer,
        text_encoder=encoder,
        vae=coder,
        scheduler=CogVideoXDDIMScheduler(
            prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"
        ),
        transformer=enlivened(
            CogVideoXTransformer3DModel(
                num_attention_heads=2,
                attention_head_dim=16,
                in_channels=2 * CHANNELS,
                out_channels=CHANNELS,
                time_embed_dim=8,
                text_embed_dim=WIDTH,
                num_layers=2,
                use_rotary_positional_embeddings=True,
            )
        ),
    ).save_pretrained(folder)


def _ltx(folder: Path) -> None:
    from diffusers import (
        AutoencoderKLLTXVideo,
        FlowMatchEulerDiscreteScheduler,
        LTXConditionPipeline,
        LTXVideoTransformer3DModel,
    )

    encoder, tokenizer = t5()
    coder = AutoencoderKLLTXVideo(
        latent_channels=CHANNELS,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
    ).eval()
    LTXConditionPipeline(
        tokenizer=tokenizer,
        text_encoder=encoder,
        vae=coder,
        scheduler=FlowMatchEulerDiscreteScheduler(),
        transformer=enlivened(
            LTXVideoTransformer3DModel(
                in_channels=CHANNELS,
                out_channels=CHANNELS,
                num_attention_heads=2,
                attention_head_dim=16,
                cross_attention_dim=32,
                num_layers=2,
                caption_channels=WIDTH,
            )
        ),
    ).save_pretrained(folder)


def _vace(folder: Path) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler, WanVACEPipeline, WanVACETransformer3DModel

    encoder, tokenizer = _words()
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


def _svd(folder: Path) -> None:
    from diffusers import (
        AutoencoderKLTemporalDecoder,
        EulerDiscreteScheduler,
        StableVideoDiffusionPipeline,
        UNetSpatioTemporalConditionModel,
    )
    from transformers import CLIPImageProcessor

    coder = AutoencoderKLTemporalDecoder(
        block_out_channels=(32, 32, 32, 32), down_block_types=("DownEncoderBlock2D",) * 4
    ).eval()
    with torch.no_grad():
        coder.encoder.conv_out.weight.mul_(6)
        coder.quant_conv.weight[:4].mul_(4)
    StableVideoDiffusionPipeline(
        vae=coder,
        image_encoder=eyes(),
        unet=UNetSpatioTemporalConditionModel(
            block_out_channels=(32, 64),
            down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
            up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
            layers_per_block=1,
            addition_time_embed_dim=32,
            projection_class_embeddings_input_dim=96,
            cross_attention_dim=WIDTH,
            num_attention_heads=2,
        ).eval(),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            interpolation_type="linear",
            prediction_type="v_prediction",
            sigma_max=700.0,
            sigma_min=0.002,
            steps_offset=1,
            timestep_spacing="leading",
            timestep_type="continuous",
            use_karras_sigmas=True,
        ),
        feature_extractor=CLIPImageProcessor(crop_size=224, size=224),
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


KINDS: dict[str, Callable[[Path], None]] = {
    "cogvideox-control": _cogvideox,
    "ltx": _ltx,
    "lucy-edit": _lucy,
    "motion-sd15": _motion,
    "svd": _svd,
    "vace": _vace,
}
