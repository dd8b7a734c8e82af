"""What each device of consistency is worth: how alike diffusion paints the same surface in keyframes of rendered footage.

    python benchmarks/small_diffusion.py models/small        once: a model to paint with
    python benchmarks/diffusion_worth.py models/small

Keyframes of a shot are painted with every device off, with each one alone, and with the default set. Then each painting is
compared with the next one (``near``) and the third after it (``far``) along the clip's true motion, where the surface is
seen in all frames between: the mean difference, as a share of the painting's own spread. That motion comes from the renderer;
the painter goes by what it measures in the footage. ``detail``, the variance of the Laplacian over that of the line "off",
says what likeness cost: blur is alike, too.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from benchmarks.diffusion_cost import LINES  # noqa: E402
from restyle import Job, Recipe  # noqa: E402
from samples import CLIPS, Truth, clip, load_truth  # noqa: E402


def paint(name: str, options: dict[str, Any], args: argparse.Namespace) -> dict[int, np.ndarray]:
    """Frame -> painting of the keyframes of one clip's span."""
    recipe = Recipe.build(
        painter="diffusion",
        prompt=args.prompt,
        keyframes=f"every:{args.every}",
        filler="hold",
        range=args.range,
        painter_options={
            "model": str(args.model),
            "resolution": args.resolution,
            "steps": args.steps,
            "strength": args.strength,
            "guidance_scale": args.guidance_scale,
        }
        | options,
    )
    rendered = Job(clip(name), recipe=recipe, offline=True).frames()
    return {made.result.index: made.result.picture for made in rendered if made.key is not None}


def followed(truth: Truth, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each truth point of frame ``first`` is in ``last``, and whether it is seen all the way: h x w x 2 (x, y) of the
    truth's grid, bool h x w."""
    width, height = truth.grid
    share = width / truth.size[0]
    place = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    seen = np.ones((height, width), bool)
    for frame in range(first, last):
        x, y = place[..., 0], place[..., 1]
        still = truth.seen_ahead(frame).astype(np.float32)
        seen &= cv2.remap(still, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT) > 0.5
        flow = truth.flow_forward(frame) * share
        place = place + cv2.remap(flow, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    x, y = place[..., 0], place[..., 1]
    return place, seen & (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)


def measured(paintings: dict[int, np.ndarray], truth: Truth) -> tuple[float, float, float]:
    """Near, far, and the variance of the Laplacian."""
    small = {n: cv2.resize(p, truth.grid, interpolation=cv2.INTER_AREA) for n, p in paintings.items()}
    numbers = sorted(small)
    found = []
    for apart in (1, 3):
        differences = []
        for first, last in zip(numbers, numbers[apart:], strict=False):
            place, seen = followed(truth, first, last)
            there = cv2.remap(small[last], place[..., 0], place[..., 1], cv2.INTER_LINEAR).astype(np.float32)
            differences.append(np.abs(there - small[first])[seen].mean() / small[first].std())
        found.append(float(np.mean(differences)))
    greys = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in small.values()]
    return found[0], found[1], float(np.mean([cv2.Laplacian(grey, cv2.CV_32F).var() for grey in greys]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a folder in the hub's layout")
    parser.add_argument("--prompt", default="autumn oil")
    parser.add_argument("--clips", default=",".join(CLIPS))
    parser.add_argument("--range", default="0:41")
    parser.add_argument("--every", type=int, default=8)
    parser.add_argument("--resolution", type=int, default=320)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--strength", type=float, default=0.65)
    parser.add_argument("--guidance-scale", type=float, default=2.0)
    parser.add_argument("--lines", default=",".join(line for line in LINES if line not in ("plain", "loop")))
    parser.add_argument("--pictures", type=Path, help="a folder to write the paintings into, to be looked at")
    args = parser.parse_args()
    for name in args.clips.split(","):
        truth = load_truth(name)
        off = None
        print(
            f"{name}, a keyframe every {args.every} of frames {args.range}, as many pixels as {args.resolution} x "
            f"{args.resolution}, {args.steps} steps"
        )
        for line in args.lines.split(","):
            began = time.perf_counter()
            paintings = paint(name, LINES[line], args)
            seconds = time.perf_counter() - began
            near, far, detail = measured(paintings, truth)
            off = off or detail
            print(f"{line:16} near {near:.3f}  far {far:.3f}  detail {detail / off:.2f}  {seconds:.0f} s", flush=True)
            for number, painting in paintings.items():
                if args.pictures:
                    place = args.pictures / name
                    place.mkdir(parents=True, exist_ok=True)
                    cv2.imwrite(str(place / f"{line}.{number:04d}.png"), painting[..., ::-1])


if __name__ == "__main__":
    main()
