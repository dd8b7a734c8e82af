"""What each device of consistency costs over the plain batched pipeline of diffusers; whole clips against painting every frame.

    python benchmarks/diffusion_cost.py                       on the CPU: SD 1.5's layers at a quarter of their width, 256x256
    python benchmarks/diffusion_cost.py --device cuda --full  the full SD 1.5 (or --family sdxl) at its own size

Weights are random: speed does not depend on them. Every line is a process of its own, so that peak memory is its own; each
paints the same windows of the same keyframes, with one ControlNet and guidance, once to warm up and then timed. All lines of
one round are run before the next round begins, and the best of each is taken.

    plain       diffusers' ControlNet img2img pipeline, a window's new keyframes in one batch
    loop        the same, keyframe by keyframe, with the one before it beside it, as the research code does
    off         ours with every device off
    ...         ours with one device on, and with the default set
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

OFF = {"attention": "none", "warp_noise": False, "shape_until": 0.0, "colour_from": 1.0}
LINES: dict[str, dict[str, Any]] = {
    "plain": {},
    "loop": {},
    "off": OFF,
    "noise": OFF | {"warp_noise": True},
    "shape": OFF | {"shape_until": 0.2},
    "colour": OFF | {"colour_from": 0.8},
    "anchor-previous": OFF | {"attention": "anchor-previous"},
    "joint": OFF | {"attention": "joint"},
    "trajectory": OFF | {"attention": "trajectory"},
    "woven": OFF | {"attention": "woven"},
    "default": {},
}
TARGET = 1.25


def build(folder: Path, family: str, width: float) -> None:
    """A base model and a ControlNet of a family's layers, ``width`` times as wide."""
    import tiny_diffusion
    import torch
    from diffusers import ControlNetModel, UNet2DConditionModel

    tiny_diffusion.build(family, folder / "base")
    own = UNet2DConditionModel.load_config(folder / "base" / "unet")

    def heads(count: int) -> int:
        """Fewer, not thinner: what attention costs for its size depends on how wide a head is."""
        return max(1, round(count * width))

    shared = {"norm_num_groups": 32 if width == 1 else 8, "layers_per_block": 2, "sample_size": 64}
    if family == "sd15":
        blocks = tuple(max(16, int(c * width)) for c in (320, 640, 1280, 1280))
        config = {
            **own, **shared, "block_out_channels": blocks, "attention_head_dim": heads(8),
            "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
            "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        }  # fmt: skip
    else:
        blocks = tuple(max(16, int(c * width)) for c in (320, 640, 1280))
        config = {
            **own, **shared, "block_out_channels": blocks, "attention_head_dim": tuple(map(heads, (5, 10, 20))),
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            "transformer_layers_per_block": (1, 2, 10),
        }  # fmt: skip
    torch.manual_seed(0)
    unet = UNet2DConditionModel.from_config(config)
    unet.save_pretrained(folder / "base" / "unet")
    ControlNetModel.from_unet(unet, load_weights_from_unet=False).save_pretrained(folder / "net")


def pictures(count: int, size: int) -> list[Any]:
    """A picture that pans."""
    import cv2
    import numpy as np

    rough = np.random.default_rng(0).integers(0, 256, (24, 40, 3)).astype(np.float32)
    large = cv2.resize(rough, (size + 16 * count, size), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    return [np.ascontiguousarray(large[:, 16 * n : 16 * n + size]) for n in range(count)]


class Pan:
    """The motion of ``pictures``."""

    def __init__(self, size: int) -> None:
        self._size = size

    def motion(self, here: int, there: int) -> Any:
        import numpy as np

        from interp.types import Motion

        flow = np.zeros((self._size, self._size, 2), np.float32)
        flow[..., 0] = -16.0 * (there - here)
        x = np.arange(self._size)[None] + flow[..., 0]
        return Motion(flow, ((x >= 0) & (x < self._size)).astype(np.float32))


def paint(line: str, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """One line, in this process: seconds a keyframe, and peak memory."""
    import numpy as np
    import torch

    from controls.torchvision_guard import make_torchvision_importable

    make_torchvision_importable()
    keys = pictures(args.keys + 1, args.size)
    windows = [keys[start : start + args.window + 1] for start in range(0, args.keys, args.window)]
    work = plainly if line in ("plain", "loop") else ours
    torch.set_num_threads(args.threads)
    run, device = work(line, folder, args)
    run(windows[:1])
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    made = run(windows)
    if device == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - began
    peak = (
        torch.cuda.max_memory_allocated()
        if device == "cuda"
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    assert all(np.isfinite(one).all() for one in made)
    import diffusers

    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    return {
        "seconds": seconds / len(made),
        "peak": peak,
        "device": name,
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
    }


def plainly(line: str, folder: Path, args: argparse.Namespace) -> Any:
    """diffusers' own pipeline."""
    import torch
    from diffusers import (
        ControlNetModel,
        StableDiffusionControlNetImg2ImgPipeline,
        StableDiffusionXLControlNetImg2ImgPipeline,
    )
    from PIL import Image

    device = args.device
    dtype = torch.float16 if device == "cuda" else torch.float32
    kind = (
        StableDiffusionXLControlNetImg2ImgPipeline
        if args.family == "sdxl"
        else StableDiffusionControlNetImg2ImgPipeline
    )
    net = ControlNetModel.from_pretrained(folder / "net", torch_dtype=dtype)
    pipe = kind.from_pretrained(folder / "base", controlnet=net, torch_dtype=dtype).to(device)
    pipe.set_progress_bar_config(disable=True)

    def call(images: list[Any]) -> list[Any]:
        shown = [Image.fromarray(one) for one in images]
        return list(
            pipe(
                ["a painting"] * len(images), negative_prompt=["fog"] * len(images), image=shown, control_image=shown,
                num_inference_steps=args.steps * 2, strength=0.5 + 1e-6, guidance_scale=7.0, output_type="np",
            ).images
        )  # fmt: skip

    def run(windows: list[list[Any]]) -> list[Any]:
        made: list[Any] = []
        for number, window in enumerate(windows):
            new = window if number == 0 else window[1:]
            if line == "plain":
                made += call(new)
            else:
                for place, one in enumerate(new):
                    made += call([new[max(0, place - 1)], one])[1:]
        return made

    return run, device


def ours(line: str, folder: Path, args: argparse.Namespace) -> Any:
    """The painter."""
    from restyle.painters.base import PaintRequest
    from restyle.painters.diffusion.painter import DiffusionPainter
    from restyle.types import TextPrompt

    painter = DiffusionPainter(
        model=str(folder / "base"), controls=[{"kind": "canny", "model": str(folder / "net")}], steps=args.steps,
        strength=0.5, guidance_scale=7.0, resolution=0, device=args.device, **({"batch": args.window + 1} | LINES[line]),
    )  # fmt: skip

    def run(windows: list[list[Any]]) -> list[Any]:
        made: list[Any] = []
        carry = None
        last = None
        for number, window in enumerate(windows):
            first = number * args.window
            frames = tuple(range(first, first + len(window)))
            work = PaintRequest(
                shot=0, frames=frames, pictures=tuple(window), seeds=frames, tracker=Pan(args.size),
                positions=tuple(range(len(window))), fixed={} if last is None else {0: last},
                prompts=(TextPrompt("a painting", "fog"),) * len(window), controls={"canny": tuple(window)},
            )  # fmt: skip
            paintings, carry = painter.paint(work, carry)
            last = paintings[-1]
            made += paintings if number == 0 else paintings[1:]
        return made

    return run, args.device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--family", default="sd15", choices=["sd15", "sdxl"])
    parser.add_argument("--full", action="store_true", help="the family's own width, at its own size")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--keys", type=int, default=9, help="keyframes of the shot, less one")
    parser.add_argument("--window", type=int, default=4, help="new keyframes of a window")
    parser.add_argument("--steps", type=int, default=10, help="steps that are really made")
    parser.add_argument("--gap", type=int, default=12, help="frames from keyframe to keyframe, for whole clips")
    parser.add_argument("--fill", type=float, default=0.06, help="seconds an in-between takes")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lines", default=",".join(LINES))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.full:
        args.size = {"sd15": 512, "sdxl": 1024}[args.family]
    if args.one:
        print(json.dumps(paint(args.one, args.folder, args)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder, args.family, 1.0 if args.full else 0.25)
        found: dict[str, dict[str, Any]] = {}
        for _ in range(args.rounds):
            for line in args.lines.split(","):
                words = [sys.executable, "-W", "ignore", __file__, "--one", line, "--folder", name, *sys.argv[1:]]
                done = subprocess.run(words, capture_output=True, text=True)
                if done.returncode:
                    sys.exit(done.stderr)
                got = json.loads(done.stdout.strip().splitlines()[-1])
                if line not in found or got["seconds"] < found[line]["seconds"]:
                    found[line] = got
    first = next(iter(found.values()))
    print(
        f"{args.family}, {'full' if args.full else 'a quarter'} width, {args.size}x{args.size}, {args.steps} steps, windows of "
        f"{args.window} new keyframes, {first['device']}, torch {first['torch']}, diffusers {first['diffusers']}"
    )
    plain, loop = found["plain"], found["loop"]
    for line, got in found.items():
        ratio = got["seconds"] / plain["seconds"]
        print(
            f"{line:16} {got['seconds'] * 1000:8.0f} ms a keyframe   {ratio:5.2f} of plain   "
            f"{got['peak'] / 2**20:7.0f} MiB  {got['peak'] / plain['peak']:5.2f} of plain"
        )
    default = found["default"]
    ratio = default["seconds"] / plain["seconds"]
    print(f"default set over plain: {ratio:.2f} (at most {TARGET}: {'reached' if ratio <= TARGET else 'MISSED'})")
    print(f"default set over the loop keyframe by keyframe: {default['seconds'] / loop['seconds']:.2f}")
    clip = default["seconds"] / args.gap + args.fill
    print(
        f"a whole clip, a keyframe in {args.gap} frames and {args.fill * 1000:.0f} ms an in-between: "
        f"{clip / plain['seconds']:.3f} of painting every frame"
    )


if __name__ == "__main__":
    main()
