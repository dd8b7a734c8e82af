"""Editors and image-to-image models of random weights, in the hub's exact layout; ``tiny_diffusion`` writes them.

As there: a few hundred thousand numbers each, the same weights each time.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tiny_diffusion import WIDTH, text_encoder, tokenizer

__all__ = ["KINDS"]

VISION = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")


def scheduler(**more: Any) -> Any:
    """Flow matching, its times shifted by the picture's size as FLUX does."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True, **more)


def vae(channels: int = 16) -> Any:
    """FLUX's kind of VAE, eight pixels a latent: shifted latents, and no convolutions beside them."""
    from diffusers import AutoencoderKL

    made = AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
        latent_channels=channels,
        shift_factor=0.1159,
        scaling_factor=0.3611,
        use_quant_conv=False,
        use_post_quant_conv=False,
    ).eval()
    with torch.no_grad():
        made.encoder.conv_out.weight.mul_(24)
        made.encoder.conv_out.weight[channels:].mul_(0.01)
        made.encoder.conv_out.bias[channels:].fill_(-8)
    return made


def telling(coder: Any, times: float) -> Any:
    """A VAE whose latents tell pictures apart."""
    with torch.no_grad():
        coder.encoder.conv_out.weight.mul_(times)
    return coder.eval()


def byte_tokenizer(*special: str) -> Any:
    """Qwen's kind: byte by byte, with no merges."""
    from transformers import Qwen2TokenizerFast

    letters = [token.removesuffix("</w>") for token in list(tokenizer().get_vocab())]
    names = dict.fromkeys([*(letter for letter in letters if len(letter) == 1), "<|endoftext|>"])
    made = Qwen2TokenizerFast({name: number for number, name in enumerate(names)}, [])
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>", *special]})
    return made


def t5() -> tuple[Any, Any]:
    """An encoder and its tokenizer, letter by letter."""
    from transformers import T5Config, T5EncoderModel, T5TokenizerFast

    letters = [(chr(code), -1.0) for code in range(33, 127)]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), ("▁", -1.0), *letters]
    config = T5Config(
        vocab_size=128, d_model=WIDTH, d_kv=8, d_ff=37, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu"
    )
    return T5EncoderModel(config).eval(), T5TokenizerFast(vocab=vocabulary, extra_ids=0)


def flux_transformer(**more: Any) -> Any:
    from diffusers import FluxTransformer2DModel

    made = FluxTransformer2DModel(
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        axes_dims_rope=(4, 6, 6),
        guidance_embeds=True,
        **more,
    )
    return enlivened(made)


def enlivened(network: Any) -> Any:
    """Weights that say something: as they are made, a network of these hardly looks at what it is given. Tokens look at few
    others, and see much of them."""
    with torch.no_grad():
        for name, values in network.named_parameters():
            if values.ndim > 1 and "norm" not in name:
                seen = any(part in name for part in ("to_v", "to_out", "add_v", "to_qkv"))
                torch.nn.init.normal_(values, std=(4 if seen else 1) * values.shape[1] ** -0.5)
            elif any(part in name for part in ("norm_q", "norm_k", "norm_added_q", "norm_added_k")):
                values.fill_(3)
    return network.eval()


def _flux(folder: Path, kind: str) -> None:
    import diffusers

    encoder, second = t5()
    getattr(diffusers, kind)(
        scheduler=scheduler(),
        vae=vae(),
        text_encoder=text_encoder(),
        tokenizer=tokenizer(),
        text_encoder_2=encoder,
        tokenizer_2=second,
        transformer=flux_transformer(),
    ).save_pretrained(folder)


def _qwen_controlnet(folder: Path) -> None:
    from diffusers import QwenImageControlNetModel

    made = QwenImageControlNetModel(
        in_channels=64,
        num_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(4, 6, 6),
    )
    enlivened(made).save_pretrained(folder)


def _z_image_controlnet(folder: Path) -> None:
    from diffusers import ZImageControlNetModel

    made = ZImageControlNetModel(
        control_layers_places=[0],
        control_refiner_layers_places=[0],
        control_in_dim=16,
        dim=WIDTH,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
    )
    enlivened(made).save_pretrained(folder)


def _flux_controlnet(folder: Path) -> None:
    from diffusers import FluxControlNetModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library warns of a part of its own
        made = FluxControlNetModel(
            in_channels=64,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=WIDTH,
            pooled_projection_dim=WIDTH,
            axes_dims_rope=[4, 6, 6],
            guidance_embeds=True,
        )
    enlivened(made).save_pretrained(folder)


def qwen_encoder() -> tuple[Any, Any, Any]:
    """A language model that sees pictures, its tokenizer and its processor."""
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2VLImageProcessor,
        Qwen2VLProcessor,
        Qwen2VLVideoProcessor,
    )

    words = byte_tokenizer(*VISION)
    ids = {name: words.convert_tokens_to_ids(name) for name in VISION}
    config = Qwen2_5_VLConfig(
        text_config={
            "hidden_size": WIDTH,
            "intermediate_size": 37,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "rope_parameters": {"type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6},
            "vocab_size": len(words),
        },
        vision_config={
            "depth": 2,
            "hidden_size": WIDTH,
            "intermediate_size": 37,
            "num_heads": 4,
            "out_hidden_size": WIDTH,
            "fullatt_block_indexes": [1],
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    processor = Qwen2VLProcessor(Qwen2VLImageProcessor(), words, Qwen2VLVideoProcessor())
    return Qwen2_5_VLForConditionalGeneration(config).eval(), words, processor


def _qwen(folder: Path, kind: str) -> None:
    import diffusers

    encoder, words, processor = qwen_encoder()
    coder = diffusers.AutoencoderKLQwenImage(
        base_dim=8, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    )
    transformer = diffusers.QwenImageTransformer2DModel(
        in_channels=64,
        out_channels=16,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(4, 6, 6),
    )
    parts = {} if kind in ("QwenImagePipeline",) else {"processor": processor}
    getattr(diffusers, kind)(
        scheduler=scheduler(),
        vae=telling(coder, 20),
        text_encoder=encoder,
        tokenizer=words,
        transformer=enlivened(transformer),
        **parts,
    ).save_pretrained(folder)


def qwen3() -> tuple[Any, Any]:
    """A language model, and its tokenizer with a template of talk."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    words = byte_tokenizer()
    words.chat_template = (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    )
    config = Qwen3Config(
        vocab_size=len(words),
        hidden_size=WIDTH,
        intermediate_size=37,
        num_hidden_layers=28,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
    )
    return Qwen3ForCausalLM(config).eval(), words


def mistral() -> tuple[Any, Any]:
    """A language model, and its processor with a template of talk."""
    from transformers import (
        Mistral3Config,
        Mistral3ForConditionalGeneration,
        PixtralImageProcessor,
        PixtralProcessor,
    )

    words = byte_tokenizer("[IMG]", "[IMG_BREAK]", "[IMG_END]")
    template = (
        "{% for message in messages %}{% for part in message.content %}<|im_start|>{{ part.text }}<|im_end|>"
        "{% endfor %}{% endfor %}"
    )
    config = Mistral3Config(
        text_config={
            "model_type": "mistral",
            "vocab_size": len(words),
            "hidden_size": WIDTH,
            "intermediate_size": 37,
            "num_hidden_layers": 31,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 8,
        },
        vision_config={
            "model_type": "pixtral",
            "hidden_size": WIDTH,
            "intermediate_size": 37,
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "image_size": 64,
            "patch_size": 16,
        },
        image_token_index=words.convert_tokens_to_ids("[IMG]"),
    )
    processor = PixtralProcessor(PixtralImageProcessor(), words, patch_size=16, chat_template=template)
    return Mistral3ForConditionalGeneration(config).eval(), processor


def _flux2(folder: Path, kind: str) -> None:
    import diffusers

    distilled = kind == "Flux2KleinPipeline"
    encoder, words = qwen3() if distilled else mistral()
    coder = diffusers.AutoencoderKLFlux2(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
        latent_channels=16,
        layers_per_block=1,
    )
    transformer = diffusers.Flux2Transformer2DModel(
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * WIDTH,
        timestep_guidance_channels=32,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=not distilled,
    )
    parts = {"is_distilled": True} if distilled else {}
    getattr(diffusers, kind)(
        scheduler=scheduler(),
        vae=telling(coder, 5),
        text_encoder=encoder,
        tokenizer=words,
        transformer=enlivened(transformer),
        **parts,
    ).save_pretrained(folder)


def _longcat(folder: Path) -> None:
    import diffusers

    encoder, words, processor = qwen_encoder()
    transformer = diffusers.LongCatImageTransformer2DModel(
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        axes_dims_rope=[4, 6, 6],
    )
    diffusers.LongCatImageEditPipeline(
        scheduler=scheduler(),
        vae=vae(),
        text_encoder=encoder,
        tokenizer=words,
        text_processor=processor,
        transformer=enlivened(transformer),
    ).save_pretrained(folder)


def _z_image(folder: Path) -> None:
    import diffusers

    encoder, words = qwen3()
    transformer = diffusers.ZImageTransformer2DModel(
        in_channels=16,
        dim=WIDTH,
        n_layers=1,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=WIDTH,
        axes_dims=[4, 6, 6],
        axes_lens=[1024, 512, 512],
    )
    diffusers.ZImagePipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=vae(),
        text_encoder=encoder.model,
        tokenizer=words,
        transformer=enlivened(transformer),
    ).save_pretrained(folder)


KINDS: dict[str, Callable[[Path], None]] = {
    "flux": lambda folder: _flux(folder, "FluxPipeline"),
    "flux-controlnet": _flux_controlnet,
    "kontext": lambda folder: _flux(folder, "FluxKontextPipeline"),
    "qwen-edit": lambda folder: _qwen(folder, "QwenImageEditPipeline"),
    "qwen-edit-plus": lambda folder: _qwen(folder, "QwenImageEditPlusPipeline"),
    "klein": lambda folder: _flux2(folder, "Flux2KleinPipeline"),
    "flux2": lambda folder: _flux2(folder, "Flux2Pipeline"),
    "longcat-edit": _longcat,
    "qwen-image": lambda folder: _qwen(folder, "QwenImagePipeline"),
    "qwen-image-controlnet": _qwen_controlnet,
    "z-image": _z_image,
    "z-image-controlnet": _z_image_controlnet,
}
