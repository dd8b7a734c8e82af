"""Sheets of what a trained small model paints of photographs that it never saw, beside how the style networks paint them.

    python weights/training/small/sheets.py MODEL SET OUT.png      MODEL in the hub's layout, as ``ship.py`` writes it

Each block is one photograph: above, it and the networks' paintings in some looks; below, its map, and the model's paintings
from noise alone by the same words and that map. By the library's own pipeline, so that nothing of ours helps.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parent)]

from pictures import PaintedPairs

from controls.maps import DETECTORS
from controls.torchvision_guard import make_torchvision_importable
from restyle.painters.neural_style.networks import StyleNetworks
from restyle.painters.neural_style.styles import STYLES

LOOKS = ("starry swirl", "ukiyo wave", "autumn oil", "winter ink", "mosaic")


def load(model: Path) -> Any:
    """The library's own pipeline, in full precision."""
    make_torchvision_importable()
    from diffusers import ControlNetModel, StableDiffusionControlNetPipeline

    net = ControlNetModel.from_pretrained(model / "controlnet", torch_dtype=torch.float32)
    pipe: Any = StableDiffusionControlNetPipeline.from_pretrained(
        model, controlnet=net, safety_checker=None, torch_dtype=torch.float32
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("set", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kind", default="lineart", help="of the map: canny, lineart, tile")
    parser.add_argument("--photographs", type=int, default=4)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance-scale", type=float, default=3.0)
    args = parser.parse_args()
    pipe, networks, detector = load(args.model), StyleNetworks(), DETECTORS.make(args.kind, {})
    pairs = PaintedPairs(args.set)
    held_out = np.flatnonzero(pairs.held_out)
    rows = []
    for number in held_out[:: max(1, len(held_out) // args.photographs)][: args.photographs]:
        photo = np.ascontiguousarray(pairs.sources[number, 0])
        shown = detector.detect(photo).picture
        condition = torch.from_numpy(np.ascontiguousarray(shown)).permute(2, 0, 1)[None].float() / 255
        taught, ours = [photo], [shown]
        for look in LOOKS:
            blend = [float(style.name == look.replace(" ", "-")) for style in STYLES]
            taught.append((networks.paint_builtin(photo, blend) * 255 + 0.5).clip(0, 255).astype(np.uint8))
            made = pipe(
                look,
                image=condition,
                num_inference_steps=args.steps,
                guidance_scale=args.guidance_scale,
                generator=torch.Generator().manual_seed(int(number)),
                output_type="np",
                height=photo.shape[0],
                width=photo.shape[1],
            ).images[0]
            ours.append((made * 255 + 0.5).astype(np.uint8))
        rows += [np.concatenate(taught, 1), np.concatenate(ours, 1)]
    cv2.imwrite(str(args.out), np.concatenate(rows)[..., ::-1])


if __name__ == "__main__":
    main()
