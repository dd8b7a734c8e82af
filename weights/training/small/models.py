"""The parts of the small diffusion model, in the classes of SD 1.5: Rombach et al., "High-Resolution Image Synthesis with
Latent Diffusion Models" (2022). What differs is in their configurations."""

from __future__ import annotations

from controls.torchvision_guard import make_torchvision_importable

make_torchvision_importable()  # before diffusers imports it

from diffusers import AutoencoderKL, ControlNetModel, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from restyle.painters.neural_style.styles import STYLES

__all__ = [
    "WORDS",
    "make_autoencoder",
    "make_controlnet",
    "make_scheduler",
    "make_text_encoder",
    "make_tokenizer",
    "make_unet",
]

WIDTH = 128  # of the text encoder, and so of cross-attention
LENGTH = 77  # tokens
CHANNELS = 6  # of latents
GENERAL = ("a", "painting", "of", "in", "the", "style")
WORDS = (*GENERAL, *sorted({word for style in STYLES for word in style.name.split("-")} - set(GENERAL)))


def make_tokenizer() -> CLIPTokenizer:
    """Each of ``WORDS`` is one token; other words fall into letters."""
    alphabet = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(code) for code in alphabet]
    letters += [chr(256 + place) for place in range(256 - len(alphabet))]
    vocabulary = [*letters, *(letter + "</w>" for letter in letters)]
    merges: list[tuple[str, str]] = []
    for word in sorted(WORDS, key=len):  # from its end, so that words share merges only where they end alike
        joined = word[-1] + "</w>"
        for letter in reversed(word[:-1]):
            if (letter, joined) not in merges:
                merges.append((letter, joined))
            joined = letter + joined
            if joined not in vocabulary:
                vocabulary.append(joined)
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    made = CLIPTokenizer({token: number for number, token in enumerate(vocabulary)}, merges, model_max_length=LENGTH)
    for word in WORDS:
        if len(made(word).input_ids) != 3:
            raise ValueError(f"{word!r} is not one token")
    return made


def make_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Two layers, 0.5 million weights."""
    last = len(tokenizer) - 1
    return CLIPTextModel(
        CLIPTextConfig(
            hidden_size=WIDTH,
            intermediate_size=2 * WIDTH,
            num_attention_heads=4,
            num_hidden_layers=2,
            vocab_size=last + 1,
            max_position_embeddings=LENGTH,
            bos_token_id=last - 1,
            eos_token_id=last,
            pad_token_id=last,
            projection_dim=WIDTH,
        )
    )


def make_autoencoder() -> AutoencoderKL:
    """Four pixels a latent, six channels; about 1.7 million weights.

    Groups of few channels would take a picture's own colours away with their mean, so there are few groups.
    """
    return AutoencoderKL(
        block_out_channels=(32, 64, 96),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        norm_num_groups=4,
        latent_channels=CHANNELS,
        layers_per_block=1,
        mid_block_add_attention=False,
    )


def make_unet() -> UNet2DConditionModel:
    """Attention at all three sizes; about 12 million weights."""
    return UNet2DConditionModel(
        sample_size=64,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        layers_per_block=1,
        block_out_channels=(64, 128, 192),
        down_block_types=("CrossAttnDownBlock2D",) * 3,
        up_block_types=("CrossAttnUpBlock2D",) * 3,
        cross_attention_dim=WIDTH,
        attention_head_dim=(1, 4, 6),  # heads, as the classes of SD 1.5 count
        norm_num_groups=8,
    )


def make_controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """Starts as the UNet's own first half. The picture has four pixels to a latent, so its way down is shorter."""
    return ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(16, 32, 64))


def make_scheduler() -> DDIMScheduler:
    """Noise up to the end (zero terminal signal), which needs the velocity as what is learnt: Lin et al., "Common Diffusion
    Noise Schedules and Sample Steps Are Flawed" (2024)."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=True,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        steps_offset=1,
    )
