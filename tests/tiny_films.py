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


def _gemma() -> tuple[Any, Any]:
    """LTX-2's reader of prompts, letter by letter."""
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, GemmaTokenizer

    words = ["<pad>", "<eos>", "<bos>", "<unk>", "▁", *(chr(code) for code in range(33, 127))]
    table = {word: number for number, word in enumerate(words)}
    text = {
        "vocab_size": 128,
        "hidden_size": WIDTH,
        "intermediate_size": 37,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
    }
    eyes_of_it = {
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 28,
        "patch_size": 14,
    }
    config = Gemma3Config(text_config=text, vision_config=eyes_of_it, mm_tokens_per_image=1)
    made = Gemma3ForConditionalGeneration(config).eval()
    return made, GemmaTokenizer(vocab=table, merges=[], model_max_length=256)


def _ltx2(folder: Path) -> None:
    from diffusers import (
        AutoencoderKLLTX2Audio,
        AutoencoderKLLTX2Video,
        FlowMatchEulerDiscreteScheduler,
        LTX2Pipeline,
        LTX2VideoTransformer3DModel,
    )
    from diffusers.pipelines.ltx2 import LTX2TextConnectors, LTX2Vocoder

    encoder, tokenizer = _gemma()
    coder = AutoencoderKLLTX2Video(
        latent_channels=CHANNELS,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 16, 32),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1),
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
    ).eval()
    hearing = AutoencoderKLLTX2Audio(
        base_channels=8, ch_mult=(1,), num_res_blocks=1, latent_channels=2, mel_bins=16, attn_resolutions=None
    ).eval()
    sound = hearing.config.latent_channels * hearing.config.mel_bins // 4
    LTX2Pipeline(
        tokenizer=tokenizer,
        text_encoder=encoder,
        vae=coder,
        audio_vae=hearing,
        vocoder=LTX2Vocoder(
            in_channels=2 * 16,
            hidden_channels=16,
            upsample_kernel_sizes=[4, 4],
            upsample_factors=[2, 2],
            resnet_kernel_sizes=[3],
            resnet_dilations=[[1]],
        ).eval(),
        connectors=LTX2TextConnectors(
            caption_channels=WIDTH,
            text_proj_in_factor=3,
            video_connector_num_attention_heads=4,
            video_connector_attention_head_dim=8,
            video_connector_num_layers=1,
            video_connector_num_learnable_registers=None,
            audio_connector_num_attention_heads=4,
            audio_connector_attention_head_dim=8,
            audio_connector_num_layers=1,
            audio_connector_num_learnable_registers=None,
            rope_double_precision=False,
        ).eval(),
        scheduler=FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True,
            base_shift=0.95,
            max_shift=2.05,
            base_image_seq_len=1024,
            max_image_seq_len=4096,
            shift_terminal=0.1,
        ),
        transformer=enlivened(
            LTX2VideoTransformer3DModel(
                in_channels=CHANNELS,
                out_channels=CHANNELS,
                num_attention_heads=2,
                attention_head_dim=16,
                cross_attention_dim=32,
                audio_in_channels=sound,
                audio_out_channels=sound,
                audio_num_attention_heads=2,
                audio_attention_head_dim=8,
                audio_cross_attention_dim=16,
                num_layers=2,
                caption_channels=WIDTH,
                rope_double_precision=False,
            )
        ),
    ).save_pretrained(folder)


def _animate(folder: Path) -> None:
    from diffusers import UniPCMultistepScheduler, WanAnimatePipeline, WanAnimateTransformer3DModel
    from transformers import CLIPImageProcessor, CLIPVisionModel

    encoder, tokenizer = _words()
    WanAnimatePipeline(
        tokenizer=tokenizer,
        text_encoder=encoder,
        vae=vae(),
        scheduler=UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0),
        image_processor=CLIPImageProcessor(crop_size=224, size=224),
        image_encoder=CLIPVisionModel(eyes().config).eval(),
        transformer=enlivened(
            WanAnimateTransformer3DModel(
                num_attention_heads=2,
                attention_head_dim=12,
                in_channels=2 * CHANNELS + 4,
                latent_channels=CHANNELS,
                out_channels=CHANNELS,
                text_dim=WIDTH,
                freq_dim=32,
                ffn_dim=32,
                num_layers=2,
                image_dim=WIDTH,
                motion_encoder_channel_sizes={"4": 8, "8": 8, "16": 8},
                motion_encoder_size=16,
                motion_style_dim=8,
                motion_dim=4,
                motion_encoder_dim=8,
                face_encoder_hidden_dim=16,
                face_encoder_num_heads=2,
                inject_face_latents_blocks=2,
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
    "animate": _animate,
    "cogvideox-control": _cogvideox,
    "ltx": _ltx,
    "ltx-2": _ltx2,
    "lucy-edit": _lucy,
    "motion-sd15": _motion,
    "svd": _svd,
    "vace": _vace,
}
