"""A folder of Stable Diffusion 1.5 as one file, with the names that its authors gave to its tensors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

__all__ = ["write_single_file"]

RESNET = (
    ("norm1.", "in_layers.0."), ("conv1.", "in_layers.2."), ("norm2.", "out_layers.0."), ("conv2.", "out_layers.3."),
    ("time_emb_proj.", "emb_layers.1."), ("conv_shortcut.", "skip_connection."),
)  # fmt: skip
UNET = (
    (r"^time_embedding\.linear_1", "time_embed.0"), (r"^time_embedding\.linear_2", "time_embed.2"),
    (r"^conv_in", "input_blocks.0.0"), (r"^conv_norm_out", "out.0"), (r"^conv_out", "out.2"),
    (r"^mid_block\.resnets\.0", "middle_block.0"), (r"^mid_block\.attentions\.0", "middle_block.1"),
    (r"^mid_block\.resnets\.1", "middle_block.2"),
)  # fmt: skip
VAE = (
    (r"down_blocks\.(\d+)\.resnets", r"down.\1.block"), (r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample"),
    (r"up_blocks\.(\d+)\.resnets", r"up.\1.block"), (r"up_blocks\.(\d+)\.upsamplers\.0", r"up.\1.upsample"),
    (r"mid_block\.attentions\.0", "mid.attn_1"), (r"mid_block\.resnets\.0", "mid.block_1"),
    (r"mid_block\.resnets\.1", "mid.block_2"), (r"conv_shortcut", "nin_shortcut"), (r"conv_norm_out", "norm_out"),
    (r"attn_1\.group_norm", "attn_1.norm"), (r"attn_1\.to_([qkv])", r"attn_1.\1"), (r"attn_1\.to_out\.0", "attn_1.proj_out"),
)  # fmt: skip


def write_single_file(folder: str | Path, path: str | Path) -> Path:
    """Write a folder of ``tiny_diffusion.build("sd15", ...)`` into one file; give its path."""
    folder, path = Path(folder), Path(path)
    weights: dict[str, torch.Tensor] = {}
    for name, values in load_file(folder / "unet" / "diffusion_pytorch_model.safetensors").items():
        weights[f"model.diffusion_model.{_unet(name)}"] = values
    for name, values in load_file(folder / "vae" / "diffusion_pytorch_model.safetensors").items():
        new = _renamed(re.sub(r"up_blocks\.(\d+)", lambda found: f"up_blocks.{3 - int(found[1])}", name), VAE)
        weights[f"first_stage_model.{new}"] = values[:, :, None, None] if _is_linear(new, values) else values
    for name, values in load_file(folder / "text_encoder" / "model.safetensors").items():
        inner = name if name.startswith("text_model.") else f"text_model.{name}"
        weights[f"cond_stage_model.transformer.{inner}"] = values
    save_file({name: values.contiguous() for name, values in weights.items()}, path)
    return path


def _is_linear(name: str, values: torch.Tensor) -> bool:
    return "attn_1" in name and values.ndim == 2


def _renamed(name: str, pairs: Sequence[tuple[str, str]]) -> str:
    for old, new in pairs:
        name = re.sub(old, new, name)
    return name


def _unet(name: str, layers: int = 1, with_attention: Sequence[int] = (1, 2)) -> str:
    """``layers``: residual blocks a level on the way down; ``with_attention``: levels on the way up that have it."""
    found = re.match(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)", name)
    if found is None:
        name = _renamed(name, UNET)
        return _resnet(name) if name.startswith(("middle_block.0", "middle_block.2")) else name
    way, level, part, number, rest = found[1], int(found[2]), found[3], int(found[4]), found[5]
    if part == "downsamplers":
        return f"input_blocks.{(level + 1) * (layers + 1)}.0.{rest.replace('conv', 'op')}"
    if part == "upsamplers":
        return f"output_blocks.{level * (layers + 1) + layers}.{2 if level in with_attention else 1}.{rest}"
    place = level * (layers + 1) + number + (1 if way == "down" else 0)
    inner = f"{'input' if way == 'down' else 'output'}_blocks.{place}.{1 if part == 'attentions' else 0}."
    return inner + (rest if part == "attentions" else _resnet(rest))


def _resnet(name: str) -> str:
    for old, new in RESNET:
        name = name.replace(old, new)
    return name
