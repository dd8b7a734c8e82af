"""What each device of consistency is worth: how alike diffusion paints the same surface in keyframes of rendered footage.

    python benchmarks/consistency.py                     the model small, on the samples: hours on 2 cores
    python benchmarks/consistency.py --clips harbour --seeds 2 --lines "own noise, none;default"
    python benchmarks/consistency.py --clips clip.mp4,other.mp4     clips of one's own

Keyframes of a shot are painted from several seeds: with each kind of noise and each mode of attention, with further devices
on top of the default's two, and with the default set. The samples' true motion comes from the renderer; that of other clips
is measured, where both directions agree. Each figure is the mean over seeds and clips, with the standard error over seeds;
all but ``detail`` and ``shape`` are better when they are smaller:

    near, far   difference between a keyframe's painting and the next one's (the third after it), along the true motion, where
                the surface is seen in all frames between; a share of the painting's own spread
    colour      difference of the mean colours of what both show, in 255
    look        difference of colour and brushwork between whole keyframes: mean and spread of the channels, and energy at
                three sizes, each as a share
    stuck       near, over the same taken at the same place of the screen, where the motion is at least 4 pixels: below 1 the
                paint moves with the content; above, it sticks to the screen, which scores well on what stands still and is
                worthless
    detail      variance of the Laplacian over that of ``own noise, none``: what likeness cost, for blur is alike, too
    shape       how well edges of the painting follow the footage's in what moves by itself (``interp.structure``)
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from benchmarks.diffusion_cost import OFF  # noqa: E402
from interp.flow import ESTIMATORS  # noqa: E402
from interp.structure import agreement, block_means, gradients_of_picture, grid_of, has_structure  # noqa: E402
from restyle import Job, Recipe  # noqa: E402
from restyle.footage import open_footage  # noqa: E402
from restyle.painters.diffusion import denoiser  # noqa: E402
from restyle.painters.diffusion import painter as diffusion  # noqa: E402
from restyle.types import TextPrompt  # noqa: E402
from samples import CLIPS, Truth, clip, load_truth  # noqa: E402

NOISES = ("own", "shared", "warped")
MODES = ("none", "anchor-previous", "joint", "trajectory", "woven")
TIED = OFF | {"warp_noise": True, "attention": "woven"}
LINES: dict[str, dict[str, Any]] = {
    f"{noise} noise, {mode}": OFF | {"warp_noise": noise == "warped", "attention": mode}
    for noise in NOISES
    for mode in MODES
} | {
    "woven, own weight 0": TIED | {"own_weight": 0.0},
    "woven, own weight 0.5": TIED | {"own_weight": 0.5},
    "woven, all layers": TIED | {"layers": "all"},
    "woven, neighbours": TIED | {"neighbours": True},
    "woven, disoccluded": TIED | {"disoccluded": True},
    "woven, shapes": TIED | {"shape_until": 0.2},
    "woven, colours": TIED | {"colour_from": 0.8},
    "woven, pixel fusion": TIED | {"pixel_fusion": 0.5},
    "woven, colours, pixel fusion": TIED | {"colour_from": 0.8, "pixel_fusion": 0.5},
    "default": {},
    "default, pixel fusion": {"pixel_fusion": 0.5},
    "default, held plain": {},
}
FIGURES = ("near", "far", "colour", "look", "stuck", "detail", "shape")
MOVES = 4.0  # pixels of the clip between two keyframes, from which a place counts for ``stuck``
OWN = 1.5  # pixels a frame beside the camera's motion, from which a place moves by itself
MEASURED_WIDTH = 480  # pixels, at which motion is measured where there is no truth
SIZES = (1.0, 2.0, 4.0)  # pixels, of the energies that belong to a look


@contextmanager
def one_seed() -> Iterator[None]:
    """All keyframes painted from the same noise, wherever they are."""
    paint = diffusion.DiffusionPainter.paint

    def shared(self: Any, request: Any, carry: Any) -> Any:
        return paint(self, replace(request, seeds=(request.seeds[0],) * len(request.seeds)), carry)

    diffusion.DiffusionPainter.paint = shared  # type: ignore[method-assign]
    try:
        yield
    finally:
        diffusion.DiffusionPainter.paint = paint  # type: ignore[method-assign]


class MeasuredMotion:
    """What ``Truth`` tells of motion, for frames of a clip that has none: measured, and seen where both directions agree."""

    def __init__(self, path: str, first: int, end: int) -> None:
        with open_footage(path) as footage:
            frames = [frame.picture for frame in islice(footage.frames(), first, end + 1)]
        height, width = frames[0].shape[:2]
        self.size, self._first = (width, height), first
        self.grid = (MEASURED_WIDTH, round(MEASURED_WIDTH * height / width))
        greys = [
            cv2.cvtColor(cv2.resize(frame, self.grid, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
            for frame in frames
        ]
        estimator = ESTIMATORS.make("dis", {})
        self._ahead = [estimator.estimate(here, there) for here, there in pairwise(greys)]
        self._back = [estimator.estimate(there, here) for here, there in pairwise(greys)]

    def flow_forward(self, t: int) -> np.ndarray:
        """Motion from frame ``t`` to the next: float32 h x w x 2, pixels of the clip."""
        return self._ahead[t - self._first] * (self.size[0] / self.grid[0])

    def seen_ahead(self, t: int) -> np.ndarray:
        """Places of frame ``t`` that are still seen in the next one: bool h x w."""
        ahead, back = self._ahead[t - self._first], self._back[t - self._first]
        x, y = np.moveaxis(grid_places(self.grid) + ahead, -1, 0)
        returned = cv2.remap(back, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        inside = (x >= 0) & (x <= self.grid[0] - 1) & (y >= 0) & (y <= self.grid[1] - 1)
        return inside & (np.linalg.norm(ahead + returned, axis=-1) < 1)


def grid_places(grid: tuple[int, int]) -> np.ndarray:
    """(x, y) of each point: float32 h x w x 2."""
    return np.stack(np.meshgrid(*(np.arange(side, dtype=np.float32) for side in grid)), -1)


@contextmanager
def held_plainly() -> Iterator[None]:
    """Keyframes that are painted already run without maps and words where they are only looked at, as they once did."""
    call = denoiser.Denoiser.__call__

    def plain(self: Any, inputs: Any, *rest: Any, maps: bool, **more: Any) -> Any:
        if all(row.fine is None and row.generator is None for row in inputs):
            inputs, maps = [replace(row, prompt=TextPrompt()) for row in inputs], False
        return call(self, inputs, *rest, maps=maps, **more)

    denoiser.Denoiser.__call__ = plain  # type: ignore[method-assign]
    try:
        yield
    finally:
        denoiser.Denoiser.__call__ = call  # type: ignore[method-assign]


def how(line: str) -> AbstractContextManager[None]:
    """What a line asks for beside the painter's options."""
    if line.startswith("shared noise"):
        return one_seed()
    return held_plainly() if line.endswith("held plain") else nullcontext()


def paint(name: str, line: str, seed: int, args: argparse.Namespace) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Frame -> footage and painting of the keyframes of one clip's span."""
    options = {"model": args.model, "strength": args.strength} | LINES[line]
    options |= {name: value for name in ("resolution", "steps") if (value := getattr(args, name))}
    recipe = Recipe.build(
        painter="diffusion",
        prompt=args.prompt,
        keyframes=f"every:{args.every}",
        filler="hold",
        range=args.range,
        seed=seed,
        controls=[{"kind": kind} for kind in args.controls.split(",") if kind],
        painter_options=options,
    )
    job = Job(clip(name) if name in CLIPS else name, recipe=recipe, offline=True)
    with how(line):
        rendered = list(job.frames())
    if len({made.shot for made in rendered}) > 1:  # keyframes on both sides of a cut show nothing in common
        sys.exit(f"{name}: there is a cut within {args.range}; take frames of one shot (--range)")
    return {made.result.index: (made.source.picture, made.result.picture) for made in rendered if made.key is not None}


def followed(truth: Truth | MeasuredMotion, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each truth point of frame ``first`` is in ``last``, and whether it is seen all the way: h x w x 2 (x, y) of the
    truth's grid, bool h x w."""
    width, height = truth.grid
    share = width / truth.size[0]
    place = grid_places(truth.grid)
    seen = np.ones((height, width), bool)
    for frame in range(first, last):
        x, y = place[..., 0], place[..., 1]
        still = truth.seen_ahead(frame).astype(np.float32)
        seen &= cv2.remap(still, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT) > 0.5
        flow = truth.flow_forward(frame) * share
        place = place + cv2.remap(flow, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    x, y = place[..., 0], place[..., 1]
    return place, seen & (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)


def look(picture: np.ndarray) -> np.ndarray:
    """Colour and brushwork as ten positive numbers."""
    values = picture.astype(np.float32)
    grey = cv2.cvtColor(values / 255, cv2.COLOR_RGB2GRAY)
    energy = [
        np.abs(cv2.GaussianBlur(grey, (0, 0), size) - cv2.GaussianBlur(grey, (0, 0), 2 * size)).mean() * 1000
        for size in SIZES
    ]
    return np.array([*values.mean((0, 1)), *values.std((0, 1)), *energy]) + 1


def measured(paintings: dict[int, tuple[np.ndarray, np.ndarray]], truth: Truth | MeasuredMotion) -> dict[str, float]:
    """All figures but ``detail``, which is the variance of the Laplacian here."""
    grid = truth.grid
    small = {n: cv2.resize(p, grid, interpolation=cv2.INTER_AREA).astype(np.float32) for n, (_, p) in paintings.items()}
    numbers = sorted(small)
    found: dict[str, list[float]] = {name: [] for name in FIGURES}
    points = grid_places(grid)
    for apart, name in ((1, "near"), (3, "far")):
        for first, last in zip(numbers, numbers[apart:], strict=False):
            place, seen = followed(truth, first, last)
            there = cv2.remap(small[last], place[..., 0], place[..., 1], cv2.INTER_LINEAR)
            spread = small[first].std()
            along = np.abs(there - small[first]).mean(-1)
            found[name].append(along[seen].mean() / spread)
            if apart == 1:
                moving = seen & (np.linalg.norm(place - points, axis=-1) * truth.size[0] / grid[0] >= MOVES)
                if moving.mean() > 0.02:
                    fixed = np.abs(small[last] - small[first]).mean(-1)
                    found["stuck"].append(along[moving].mean() / fixed[moving].mean())
                found["colour"].append(np.abs((there - small[first])[seen].mean(0)).mean())
                one, other = look(paintings[first][1]), look(paintings[last][1])
                found["look"].append(np.abs(np.log(one / other)).mean())
    for number, (footage, painting) in paintings.items():
        found["detail"].append(cv2.Laplacian(cv2.cvtColor(painting, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())
        edges = gradients_of_picture(footage)
        flow = truth.flow_forward(number)
        own = np.linalg.norm(flow - np.median(flow, (0, 1)), axis=-1) > OWN
        blocks = block_means(own.astype(np.float32), grid_of(edges.shape[1], edges.shape[0])) > 0.3
        counted = blocks & has_structure(edges)
        if counted.any():
            found["shape"].append(agreement(edges, gradients_of_picture(painting))[counted].mean())
    return {name: float(np.mean(values)) if values else float("nan") for name, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="small", help="as --painter-option model")
    parser.add_argument("--prompt", default="painting")
    parser.add_argument("--controls", default="lineart")
    parser.add_argument("--clips", default=",".join(CLIPS))
    parser.add_argument("--range", default="0:41")
    parser.add_argument("--every", type=int, default=8)
    parser.add_argument("--strength", type=float, default=0.85)
    parser.add_argument("--resolution", type=int, help="as --painter-option resolution")
    parser.add_argument("--steps", type=int, help="as --painter-option steps")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--lines", default=";".join(LINES), help="separated by semicolons")
    parser.add_argument("--kept", type=Path, help="a file to which figures are added, and from which a run goes on")
    parser.add_argument("--pictures", type=Path, help="a folder to write the paintings into, to be looked at")
    args = parser.parse_args()
    lines = args.lines.split(";")
    kept = [json.loads(row) for row in args.kept.read_text().splitlines()] if args.kept and args.kept.exists() else []
    done = {(row["line"], row["clip"], row["seed"]): row for row in kept}
    for seed in range(args.seeds):
        for name in args.clips.split(","):
            truth = load_truth(name) if name in CLIPS else MeasuredMotion(name, *map(int, args.range.split(":")))
            title = Path(name).stem
            for line in lines:
                if (line, title, seed) in done:
                    continue
                began = time.perf_counter()
                paintings = paint(name, line, seed, args)
                figures = measured(paintings, truth)
                row = {
                    "line": line,
                    "clip": title,
                    "seed": seed,
                    "seconds": round(time.perf_counter() - began),
                } | figures
                done[line, title, seed] = row
                if args.kept:
                    with args.kept.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                print(row, flush=True)
                for number, (_, painting) in paintings.items() if args.pictures else ():
                    place = args.pictures / title
                    place.mkdir(parents=True, exist_ok=True)
                    cv2.imwrite(str(place / f"{line}.{seed}.{number:04d}.png"), painting[..., ::-1])
    table(list(done.values()), lines)


def table(rows: list[dict[str, Any]], lines: list[str]) -> None:
    """Print the means, and what they may be wrong by."""
    print(f"| devices | {' | '.join(FIGURES)} |")
    print(f"|---|{'---|' * len(FIGURES)}")
    off = {(row["clip"], row["seed"]): row["detail"] for row in rows if row["line"] == "own noise, none"}
    for line in lines:
        cells = []
        for figure in FIGURES:
            by_seed: dict[int, list[float]] = {}
            for row in rows:
                if row["line"] == line and np.isfinite(row[figure]):
                    whole = off.get((row["clip"], row["seed"]), np.nan) if figure == "detail" else 1.0
                    by_seed.setdefault(row["seed"], []).append(row[figure] / whole)
            means = [float(np.mean(values)) for values in by_seed.values()]
            error = np.std(means, ddof=1) / len(means) ** 0.5 if len(means) > 1 else float("nan")
            cells.append(f"{np.mean(means):.3g} ± {error:.2g}" if means else "")
        print(f"| {line} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
