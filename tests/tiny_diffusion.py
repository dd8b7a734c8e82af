"""Diffusion models of random weights, a few hundred thousand numbers each, in the hub's exact layout.

    python tests/tiny_diffusion.py sd15 FOLDER

Kinds: ``sd15``, ``sdxl``, ``sd15-inpaint``, ``sdxl-inpaint``, ``controlnet-sd15``, ``controlnet-sdxl``,
``controlnet-union-sdxl``, ``t2i-adapter-sd15``, ``t2i-adapter-sdxl``, ``lora-sd15``, ``lora-sdxl``, ``ip-adapter-sd15``,
``ip-adapter-sdxl`` (two adapters with one encoder), ``embedding-sd15``, ``embedding-sdxl`` (a word of two vectors), and
those of ``tiny_editors``. The same kind has the same weights each time. Their pictures mean nothing; what is computed with
them is as real as with others.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from controls.torchvision_guard import make_torchvision_importable

make_torchvision_importable()

from diffusers.models import (  # noqa: E402
    AutoencoderKL,
    ControlNetModel,
    ControlNetUnionModel,
    T2IAdapter,
    UNet2DConditionModel,
)
from diffusers.schedulers import DDIMScheduler, EulerDiscreteScheduler  # noqa: E402
from transformers import (  # noqa: E402
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

__all__ = ["KINDS", "build"]

WIDTH = 32  # of the text encoders, and so of cross-attention


def build(kind: str, folder: str | Path) -> Path:
    """Write a model of that kind into ``folder`` (a LoRA or an IP-Adapter: files in it), and give the folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = torch.random.get_rng_state()
    torch.manual_seed(sum(kind.encode()))
    try:
        (KINDS | _editors())[kind](folder)
    finally:
        torch.random.set_rng_state(state)
    return folder


def tokenizer() -> CLIPTokenizer:
    """Byte by byte, with no merges."""
    alphabet = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(code) for code in alphabet]
    letters += [chr(256 + place) for place in range(256 - len(alphabet))]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer({word: number for number, word in enumerate(words)}, [], model_max_length=77)


def unet(*, xl: bool, channels: int = 4) -> UNet2DConditionModel:
    """Two resolutions with attention, and one without: the last, or in SDXL's the first."""
    cross, plain = "CrossAttn{}Block2D", "{}Block2D"
    levels = (plain, cross, cross) if xl else (cross, cross, plain)
    more: dict[str, Any] = {}
    if xl:
        more = {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": WIDTH + 6 * 8,
            "transformer_layers_per_block": (1, 1, 2),
            "use_linear_projection": True,
        }
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=channels,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(16, 32, 32),
        down_block_types=tuple(level.format("Down") for level in levels),
        up_block_types=tuple(level.format("Up") for level in reversed(levels)),
        cross_attention_dim=2 * WIDTH if xl else WIDTH,
        attention_head_dim=(2, 4, 4),
        norm_num_groups=8,
        **more,
    ).eval()


def vae() -> AutoencoderKL:
    """Eight pixels a latent, as the real ones; and like those its latents tell pictures apart and are nearly certain."""
    made = AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
        latent_channels=4,
    ).eval()
    with torch.no_grad():
        made.encoder.conv_out.weight.mul_(6)
        made.quant_conv.weight[:4].mul_(4)
        made.quant_conv.weight[4:].mul_(0.1)
        made.quant_conv.bias[4:].fill_(-4)
    return made


def text_encoder(*, projects: bool = False) -> CLIPTextModel:
    config = CLIPTextConfig(
        hidden_size=WIDTH,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=3,
        vocab_size=514,
        bos_token_id=512,
        eos_token_id=513,
        pad_token_id=513,
        projection_dim=WIDTH,
    )
    return (CLIPTextModelWithProjection if projects else CLIPTextModel)(config).eval()


def _sd15(folder: Path, channels: int = 4) -> None:
    from diffusers import StableDiffusionInpaintPipeline, StableDiffusionPipeline

    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1,
    )  # fmt: skip
    kind = StableDiffusionPipeline if channels == 4 else StableDiffusionInpaintPipeline
    kind(
        vae=vae(),
        text_encoder=text_encoder(),
        tokenizer=tokenizer(),
        unet=unet(xl=False, channels=channels),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)


def _sdxl(folder: Path, channels: int = 4) -> None:
    from diffusers import StableDiffusionXLInpaintPipeline, StableDiffusionXLPipeline

    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="leading", steps_offset=1
    )
    kind = StableDiffusionXLPipeline if channels == 4 else StableDiffusionXLInpaintPipeline
    kind(
        vae=vae(),
        text_encoder=text_encoder(),
        text_encoder_2=text_encoder(projects=True),
        tokenizer=tokenizer(),
        tokenizer_2=tokenizer(),
        unet=unet(xl=True, channels=channels),
        scheduler=scheduler,
    ).save_pretrained(folder)


def _controlnet(folder: Path, *, xl: bool) -> None:
    model = ControlNetModel.from_unet(unet(xl=xl), conditioning_channels=3, load_weights_from_unet=False)
    for block in [*model.controlnet_down_blocks, model.controlnet_mid_block, model.controlnet_cond_embedding.conv_out]:
        torch.nn.init.normal_(block.weight, std=0.2)  # as if trained: real ones begin at zero
    model.save_pretrained(folder)


def _union(folder: Path) -> None:
    """Of eight kinds, as the newer of the published ones."""
    like = unet(xl=True).config
    model = ControlNetUnionModel(
        down_block_types=like.down_block_types,
        block_out_channels=like.block_out_channels,
        layers_per_block=1,
        norm_num_groups=8,
        cross_attention_dim=like.cross_attention_dim,
        transformer_layers_per_block=like.transformer_layers_per_block,
        attention_head_dim=like.attention_head_dim,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=like.addition_time_embed_dim,
        num_class_embeds=None,
        projection_class_embeddings_input_dim=like.projection_class_embeddings_input_dim,
        conditioning_embedding_out_channels=(8, 8, 16, 16),
        num_control_type=8,
        num_trans_channel=16,
        num_trans_head=4,
        num_proj_channel=16,
    )
    blocks = [*model.controlnet_down_blocks, model.controlnet_mid_block, model.controlnet_cond_embedding.conv_out]
    for block in [*blocks, model.spatial_ch_projs]:
        torch.nn.init.normal_(block.weight, std=0.2)
    model.save_pretrained(folder)


def _t2i_adapter(folder: Path, *, xl: bool) -> None:
    adapter = {"adapter_type": "full_adapter_xl", "channels": [16, 32, 32, 32], "downscale_factor": 16} if xl else {
        "adapter_type": "full_adapter", "channels": [16, 32, 32], "downscale_factor": 8
    }  # fmt: skip
    T2IAdapter(in_channels=3 if xl else 1, num_res_blocks=1, **adapter).save_pretrained(folder)


def _embedding(folder: Path, *, xl: bool) -> None:
    from safetensors.torch import save_file

    names = ("clip_l", "clip_g") if xl else ("<gouache>",)
    save_file({name: torch.randn(2, WIDTH) for name in names}, folder / "gouache.safetensors")


def _lora(folder: Path, *, xl: bool) -> None:
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    model = unet(xl=xl)
    model.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    for name, values in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(values, std=0.3)
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(model))
    kind = StableDiffusionXLPipeline if xl else StableDiffusionPipeline
    kind.save_lora_weights(folder, unet_lora_layers=layers, safe_serialization=True)


def eyes() -> CLIPVisionModelWithProjection:
    """What sees pictures."""
    config = CLIPVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        image_size=224,
        patch_size=32,
        projection_dim=WIDTH,
    )
    return CLIPVisionModelWithProjection(config).eval()


def _ip_adapter(folder: Path, *, xl: bool) -> None:
    """``models/ip-adapter.safetensors``, ``models/ip-adapter_two.safetensors`` and ``models/image_encoder``."""
    from safetensors.torch import save_file

    eyes().save_pretrained(folder / "models" / "image_encoder")
    CLIPImageProcessor(crop_size=224, size=224).save_pretrained(folder / "models" / "image_encoder")
    model = unet(xl=xl)
    across = 2 * WIDTH if xl else WIDTH
    tokens = 4
    weights = {
        "image_proj.proj.weight": torch.randn(tokens * across, WIDTH) * 0.2,
        "image_proj.proj.bias": torch.zeros(tokens * across),
        "image_proj.norm.weight": torch.ones(across),
        "image_proj.norm.bias": torch.zeros(across),
    }
    number = 1
    for name, part in model.named_modules():
        if name.endswith("attn2"):
            inner = part.to_k.weight.shape[0]
            for what in ("to_k_ip", "to_v_ip"):
                weights[f"ip_adapter.{number}.{what}.weight"] = torch.randn(inner, across) * 0.2
            number += 2
    save_file(weights, folder / "models" / "ip-adapter.safetensors")
    other = {name: values if "norm" in name else torch.randn_like(values) * 0.2 for name, values in weights.items()}
    save_file(other, folder / "models" / "ip-adapter_two.safetensors")


KINDS: dict[str, Callable[[Path], None]] = {
    "sd15": _sd15,
    "sd15-inpaint": lambda folder: _sd15(folder, channels=9),
    "sdxl": _sdxl,
    "sdxl-inpaint": lambda folder: _sdxl(folder, channels=9),
    "controlnet-sd15": lambda folder: _controlnet(folder, xl=False),
    "controlnet-sdxl": lambda folder: _controlnet(folder, xl=True),
    "controlnet-union-sdxl": _union,
    "t2i-adapter-sd15": lambda folder: _t2i_adapter(folder, xl=False),
    "t2i-adapter-sdxl": lambda folder: _t2i_adapter(folder, xl=True),
    "embedding-sd15": lambda folder: _embedding(folder, xl=False),
    "embedding-sdxl": lambda folder: _embedding(folder, xl=True),
    "lora-sd15": lambda folder: _lora(folder, xl=False),
    "lora-sdxl": lambda folder: _lora(folder, xl=True),
    "ip-adapter-sd15": lambda folder: _ip_adapter(folder, xl=False),
    "ip-adapter-sdxl": lambda folder: _ip_adapter(folder, xl=True),
}


def _editors() -> dict[str, Callable[[Path], None]]:
    import tiny_editors
    import tiny_films

    return tiny_editors.KINDS | tiny_films.KINDS


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in KINDS | _editors():
        sys.exit(f"usage: python {sys.argv[0]} KIND FOLDER; kinds are {', '.join(KINDS | _editors())}")
    print(json.dumps({"made": str(build(sys.argv[1], sys.argv[2]))}))
