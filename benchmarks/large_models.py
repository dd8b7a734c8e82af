"""Time and peak memory of large models in our painters, on random weights: speed and memory do not depend on what they are.

    python benchmarks/large_models.py                               on the CPU, tiny models: shows that it runs
    python benchmarks/large_models.py --device cuda --full          the published architectures, at their sizes
    python benchmarks/large_models.py --device cuda --full --memory 12    as on a card of 12 GB: the same, held to it

Each model is made, then painted with, in a process of its own: keyframes of one window by ``diffusion`` and ``edit``, one
window of frames by ``video``. Nothing is told of where and how networks are placed: that is the painter's own choice, which the
line names. ``does not fit`` is an answer, too. At full size a model takes up to 40 GB of disk while it is measured.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

GIB = 1 << 30
T5 = {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64, "feed_forward_proj": "gated-gelu"}


@dataclass(frozen=True)
class Case:
    """A model, and what is painted with it."""

    painter: str
    kind: str
    """The tiny one of the same parts, as ``tiny_diffusion`` names it."""
    size: tuple[int, int]
    frames: int
    steps: int
    options: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Part -> what its published configuration has, where the tiny one has another."""


UNET = {"layers_per_block": 2, "norm_num_groups": 32, "sample_size": 64}
CASES: Mapping[str, Case] = {
    "sd15": Case(
        "diffusion", "sd15", (768, 768), 5, 20,
        parts={
            "unet": UNET | {
                "block_out_channels": (320, 640, 1280, 1280), "attention_head_dim": 8, "cross_attention_dim": 768,
                "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
                "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
            },
            "vae": {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "norm_num_groups": 32},
            "text_encoder": {
                "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12,
            },
        },
    ),
    "sdxl": Case(
        "diffusion", "sdxl", (1216, 832), 5, 20,
        parts={
            "unet": UNET | {
                "block_out_channels": (320, 640, 1280), "attention_head_dim": (5, 10, 20), "cross_attention_dim": 2048,
                "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
                "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
                "transformer_layers_per_block": (1, 2, 10), "projection_class_embeddings_input_dim": 2816,
                "addition_time_embed_dim": 256,
            },
            "vae": {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "norm_num_groups": 32},
            "text_encoder": {
                "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12,
            },
            "text_encoder_2": {
                "hidden_size": 1280, "intermediate_size": 5120, "num_attention_heads": 20, "num_hidden_layers": 32,
                "projection_dim": 1280,
            },
        },
    ),
    "vace-1.3b": Case(
        "video", "vace", (832, 480), 33, 20,
        options={"frames": 33, "overlap": 5},
        parts={
            "transformer": {
                "num_attention_heads": 12, "attention_head_dim": 128, "in_channels": 16, "out_channels": 16,
                "text_dim": 4096, "freq_dim": 256, "ffn_dim": 8960, "num_layers": 30,
                "vace_layers": list(range(0, 30, 2)), "vace_in_channels": 96,
            },
            "vae": {
                "base_dim": 96, "z_dim": 16, "dim_mult": [1, 2, 4, 4], "num_res_blocks": 2,
                "latents_mean": [0.0] * 16, "latents_std": [1.0] * 16,
            },
            "text_encoder": T5,
        },
    ),
    "kontext": Case(
        "edit", "kontext", (1248, 832), 2, 20,
        parts={
            "transformer": {
                "in_channels": 64, "num_layers": 19, "num_single_layers": 38, "attention_head_dim": 128,
                "num_attention_heads": 24, "joint_attention_dim": 4096, "pooled_projection_dim": 768,
                "axes_dims_rope": (16, 56, 56),
            },
            "vae": {
                "block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "norm_num_groups": 32,
                "latent_channels": 16,
            },
            "text_encoder": {
                "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12,
                "projection_dim": 768,
            },
            "text_encoder_2": T5,
        },
    ),
}  # fmt: skip


def build(case: Case, folder: Path, *, device: str) -> None:
    """The tiny model, its networks made anew as large as the published ones: half precision, random weights."""
    import tiny_diffusion
    import torch

    tiny_diffusion.build(case.kind, folder)
    import diffusers
    import transformers

    index = json.loads((folder / "model_index.json").read_text())
    for part, more in case.parts.items():
        library, name = index[part]
        kind = getattr(diffusers if library == "diffusers" else transformers, name)
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.bfloat16)
        try:
            with torch.device(device):
                if library == "diffusers":
                    network = kind.from_config(kind.load_config(folder / part) | dict(more))
                else:
                    config = kind.config_class.from_pretrained(folder / part)
                    config.update(dict(more))
                    network = kind(config)
        finally:
            torch.set_default_dtype(before)
        network.to(torch.bfloat16).save_pretrained(folder / part)
        del network


def paint(case: Case, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """One window: seconds a frame that is painted, peak memory, and how it was placed."""
    import numpy as np
    import torch
    from paint_requests import request_of
    from scenes import moving_scene

    from restyle.errors import PainterError
    from restyle.registry import make_painter
    from restyle.types import TextPrompt

    size = case.size if args.full else (96, 64)
    count = case.frames if args.full or case.painter == "video" else 2
    options = dict(case.options) | {"model": str(folder), "steps": case.steps if args.full else 2, "resolution": 0}
    if case.painter == "video" and not args.full:
        count, options = 9, options | {"frames": 9, "overlap": 1}
    cuda = args.device == "cuda"
    if cuda and args.memory:
        whole = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, args.memory * GIB / whole))
    painter = make_painter(case.painter, options | {"device": args.device})
    request = request_of(moving_scene(count, size=size).frames, list(range(count)))
    said: list[str] = []
    object.__setattr__(request, "prompts", (TextPrompt("a painting", ""),) * count)
    object.__setattr__(request, "tick", said.append)
    began = time.perf_counter()
    try:
        painted, _ = painter.paint(request, None)
        first = time.perf_counter() - began
        if cuda:
            torch.cuda.synchronize()
        began = time.perf_counter()
        painted, _ = painter.paint(request, None)
    except PainterError as error:
        return {"fits": False, "said": str(error)}
    seconds = time.perf_counter() - began
    assert all(np.isfinite(one).all() for one in painted)
    peak = torch.cuda.max_memory_allocated() if cuda else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "fits": True,
        "seconds": seconds / count,
        "first": first,
        "peak": peak,
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "said": next((line for line in said if "loading" not in line), ""),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--full", action="store_true", help="the published architectures, at their sizes")
    parser.add_argument("--memory", type=float, default=0, help="GiB of the card that may be used; 0: all of it")
    parser.add_argument("--models", default=",".join(CASES))
    parser.add_argument("--folder", type=Path, help="where models are made and kept; by default they are removed again")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(paint(CASES[args.one[0]], Path(args.one[1]), args)))
        return
    for name in args.models.split(","):
        with tempfile.TemporaryDirectory() as scratch:
            folder = (args.folder or Path(scratch)) / name
            if not (folder / "model_index.json").exists():
                if args.full:
                    build(CASES[name], folder, device=args.device)
                else:
                    import tiny_diffusion

                    tiny_diffusion.build(CASES[name].kind, folder)
            words = [sys.executable, "-W", "ignore", __file__, *sys.argv[1:], "--one", name, str(folder)]
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            got = json.loads(done.stdout.strip().splitlines()[-1])
            if not got["fits"]:
                print(f"{name:10} does not fit: {got['said']}", flush=True)
                continue
            print(
                f"{name:10} {got['seconds']:8.2f} s a frame (first window {got['first']:.0f} s in all)  peak "
                f"{got['peak'] / GIB:6.1f} GiB  {got['device']}  {got['said']}",
                flush=True,
            )


if __name__ == "__main__":
    main()
