"""SAM 2 of random weights, in both formats that it is published in: the makers' package's file, and transformers' folder."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from controls.types import Matte

SIDE = 128
CONFIG = "configs/sam2.1/sam2.1_hiera_t.yaml"
FILE = "sam2.1_hiera_tiny.safetensors"

RENAMED = [  # names in the package -> in transformers, one after the other
    (r"^maskmem_tpos_enc", "memory_temporal_positional_encoding"),
    (r"^no_mem_embed", "no_memory_embedding"),
    (r"^no_mem_pos_enc", "no_memory_positional_encoding"),
    (r"^no_obj_ptr", "no_object_pointer"),
    (r"^no_obj_embed_spatial", "occlusion_spatial_embedding_parameter"),
    (r"^obj_ptr_tpos_proj", "temporal_positional_encoding_projection_layer"),
    (r"^obj_ptr_proj", "object_pointer_proj"),
    (r"^image_encoder\.trunk", "vision_encoder.backbone"),
    (r"^image_encoder\.neck", "vision_encoder.neck"),
    (r"(neck\.convs\.\d+)\.conv", r"\1"),
    (r"patch_embed\.proj\b", "patch_embed.projection"),
    (r"^sam_(prompt_encoder|mask_decoder)", r"\1"),
    (r"pe_layer\.positional_encoding_gaussian_matrix", "shared_embedding.positional_embedding"),
    (r"mask_downscaling\.0", "mask_embed.conv1"),
    (r"mask_downscaling\.1", "mask_embed.layer_norm1"),
    (r"mask_downscaling\.3", "mask_embed.conv2"),
    (r"mask_downscaling\.4", "mask_embed.layer_norm2"),
    (r"mask_downscaling\.6", "mask_embed.conv3"),
    (r"output_upscaling\.0", "upscale_conv1"),
    (r"output_upscaling\.1", "upscale_layer_norm"),
    (r"output_upscaling\.3", "upscale_conv2"),
    (r"^memory_encoder\.out_proj", "memory_encoder.projection"),
    (r"^memory_encoder\.pix_feat_proj", "memory_encoder.feature_projection"),
    (r"^memory_encoder\.fuser", "memory_encoder.memory_fuser"),
    (r"\bgamma$", "scale"),
    (r"\bdwconv", "depthwise_conv"),
    (r"\bpwconv", "pointwise_conv"),
    (r"\bout_proj", "o_proj"),
    (r"\.norm(?=[\d._])", ".layer_norm"),
]
THREE = r"(iou_prediction_head|pred_obj_score_head|object_pointer_proj|output_hypernetworks_mlps\.\d+)\.layers\."
TWO = r"(\.mlp)\.layers\."


def random_predictor(side: int = SIDE) -> Any:
    """The package's predictor of random weights, larger than those a network is born with, so that memory matters."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sam2.build_sam import build_sam2_video_predictor
    torch.manual_seed(7)
    network = build_sam2_video_predictor(
        CONFIG, None, device="cpu", hydra_overrides_extra=[f"++model.image_size={side}"]
    )
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.ndim == 1 and name.endswith("gamma"):  # layer scales are born at a millionth
                value.fill_(0.3)
        # an object that is there: else every logit is the same
        network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(4.0)
    network.fill_hole_area = 0  # needs its compiled CUDA part
    return network.eval()


def save_file_of_the_package(network: Any, folder: Path) -> Path:
    """Write the package's file."""
    from safetensors.torch import save_file

    save_file(network.state_dict(), folder / FILE)
    return folder / FILE


def save_folder_of_transformers(state: Mapping[str, Any], folder: Path, **config: Any) -> Path:
    """Write the folder that transformers loads, with the weights of the package's ``state``."""
    from transformers import Sam2VideoConfig, Sam2VideoModel

    model = Sam2VideoModel(Sam2VideoConfig(**config))
    model.load_state_dict(converted(state), strict=True)
    model.save_pretrained(folder)
    return folder


def save_small_folder(folder: Path) -> Path:
    """Write a folder of a network that is as small as transformers can make one, for what does not depend on its size."""
    import torch
    from transformers import Sam2HieraDetConfig, Sam2VideoConfig, Sam2VideoModel, Sam2VisionConfig

    widths = [16, 32, 64, 128]
    trunk = Sam2HieraDetConfig(
        hidden_size=16, embed_dim_per_stage=widths, num_attention_heads_per_stage=[1, 1, 1, 1],
        blocks_per_stage=[1, 1, 2, 1], global_attention_blocks=[3],
    )  # fmt: skip
    vision = Sam2VisionConfig(backbone_config=trunk, backbone_channel_list=widths[::-1])
    torch.manual_seed(3)
    model = Sam2VideoModel(
        Sam2VideoConfig(
            vision_config=vision, memory_attention_num_layers=1, memory_attention_feed_forward_hidden_size=64
        )
    )
    torch.nn.init.constant_(model.mask_decoder.pred_obj_score_head.proj_out.bias, 4.0)  # an object that is there
    model.save_pretrained(folder)
    return folder


def converted(state: Mapping[str, Any]) -> dict[str, Any]:
    """The package's weights under transformers' names."""
    import torch

    renamed = {_renamed(name): value for name, value in state.items()}
    points = [renamed.pop(f"prompt_encoder.point_embeddings.{n}.weight") for n in range(4)]
    renamed["prompt_encoder.point_embed.weight"] = torch.cat(points)
    renamed["shared_image_embedding.positional_embedding"] = renamed[
        "prompt_encoder.shared_embedding.positional_embedding"
    ]
    return renamed


def _renamed(name: str) -> str:
    for pattern, text in RENAMED:
        name = re.sub(pattern, text, name)
    name = re.sub(THREE + r"(\d)", lambda m: f"{m[1]}.{('proj_in', 'layers.0', 'proj_out')[int(m[2])]}", name)
    name = re.sub(TWO + r"(\d)", lambda m: f"{m[1]}.{('proj_in', 'proj_out')[int(m[2])]}", name)
    down = re.fullmatch(r"memory_encoder\.mask_downsampler\.encoder\.(\d+)\.(\w+)", name)
    if down:
        layer, part = divmod(int(down[1]), 3)
        place = "final_conv" if layer == 4 else f"layers.{layer}.{('conv', 'layer_norm')[part]}"
        name = f"memory_encoder.mask_downsampler.{place}.{down[2]}"
    return name


class Drift:
    """A shot of noise that drifts."""

    size = (96, 64)

    def __init__(self, count: int) -> None:
        random = np.random.default_rng(4)
        world = np.asarray(
            Image.fromarray(random.integers(0, 255, (20, 40, 3), np.uint8)).resize((240, 120), Image.Resampling.BICUBIC)
        )
        self.frames = [np.ascontiguousarray(world[20:84, 3 * t : 3 * t + 96]) for t in range(count)]

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        yield from self.frames[start:stop]

    def as_the_network_sees_them(self, side: int = SIDE) -> Any:
        """All frames, float32 N x 3 x side x side, normalised."""
        import torch

        small = np.stack([np.asarray(Image.fromarray(frame).resize((side, side))) / 255.0 for frame in self.frames])
        normal = (small - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        return torch.from_numpy(normal.transpose(0, 3, 1, 2)).float()


def matte_of(left: int, top: int, right: int, bottom: int) -> Matte:
    values = np.zeros(Drift.size[::-1], np.float32)
    values[top:bottom, left:right] = 1
    return Matte(values)
