"""How well maskers follow the samples' objects: J (region) and F (boundary) as DAVIS defines them, from one box on one frame.

    python benchmarks/mattes.py [--clip square] [--objects van,ball] [--shot 0] [--frame best] [--pictures FOLDER]

Each object is boxed on one frame of its shot, the box read off the truth, and followed both ways. J is the intersection over
the union of truth and matte (above a half), on the truth's grid; F is the harmonic mean of the precision and recall of the
matte's boundary, matched within 0.8 % of the picture's diagonal (Perazzi et al., "A Benchmark Dataset and Evaluation
Methodology for Video Object Segmentation", CVPR 2016). Frames in which neither shows the object count 1. Beside each object
stands what the box alone, moved with the truth's own middle, would get: the floor.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from controls.masks import MASKERS
from controls.types import Box, Matte, Prompt, Prompted
from samples import CLIPS, Truth, clip, load_truth

SEEN = 40  # truth points from which on an object counts as seen in the frame that is boxed
THINGS = {
    "harbour": ("boat", "lamp", "tree", "balloon", "lighthouse"),
    "square": ("walker", "ball", "van", "stroller", "child", "banner", "lamp", "tree", "planter"),
}
"""What a person would box; not the sea, nor the sky."""
GOAL = (0.85, 0.80)


class Shot:
    """Frames in memory, as a masker reads them."""

    def __init__(self, frames: list[np.ndarray]) -> None:
        self.frames = frames
        self.size = (frames[0].shape[1], frames[0].shape[0])

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        yield from self.frames[start:stop]


def region(found: np.ndarray, truth: np.ndarray) -> float:
    """J: intersection over union of two bool arrays; 1 if both are empty."""
    union = (found | truth).sum()
    return float((found & truth).sum() / union) if union else 1.0


def boundary(found: np.ndarray, truth: np.ndarray, *, within: float = 0.008) -> float:
    """F: how well the borders of two bool arrays match, to ``within`` of the diagonal."""
    reach = int(np.ceil(within * np.hypot(*truth.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    a, b = _border(found), _border(truth)
    if not a.any() and not b.any():
        return 1.0
    if not a.any() or not b.any():
        return 0.0
    precision = (a & (cv2.dilate(b.astype(np.uint8), disc) > 0)).sum() / a.sum()
    recall = (b & (cv2.dilate(a.astype(np.uint8), disc) > 0)).sum() / b.sum()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def _border(inside: np.ndarray) -> np.ndarray:
    """Pixels whose right, lower or lower right neighbour is on the other side."""
    padded = np.pad(inside, ((0, 1), (0, 1)), mode="edge")
    own = padded[:-1, :-1]
    return (own != padded[:-1, 1:]) | (own != padded[1:, :-1]) | (own != padded[1:, 1:])


def box_of(truth: Truth, name: str, frame: int) -> Box:
    """The object's box in the clip's pixels."""
    y, x = np.nonzero(truth.matte(name, frame))
    places = truth.positions[y, x]
    half = truth.size[0] / truth.grid[0] / 2
    (left, top), (right, bottom) = places.min(axis=0) - half, places.max(axis=0) + half
    width, height = truth.size
    return Box(max(0.0, left), max(0.0, top), min(width - 1.0, right), min(height - 1.0, bottom))


def boxed_frame(truth: Truth, name: str, first: int, end: int, which: str) -> int | None:
    """The frame that is boxed, counted through the clip."""
    areas = {t: truth.matte(name, t).sum() for t in range(first, end)}
    seen = [t for t, area in areas.items() if area >= SEEN]
    if not seen:
        return None
    return {"first": seen[0], "middle": seen[len(seen) // 2], "best": max(seen, key=lambda t: areas[t])}[which]


def drawn(picture: np.ndarray, found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The picture with the matte in green, and the truth's outline in magenta."""
    size = picture.shape[1::-1]
    shown = picture.astype(np.float32)
    shown = shown * (1 - 0.45 * found[:, :, None]) + np.array([40, 255, 40], np.float32) * 0.45 * found[:, :, None]
    outline = _border(cv2.resize(truth.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)
    shown[outline] = (255, 0, 255)
    return shown.astype(np.uint8)[:, :, ::-1]


def measured(name_of_clip: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """One row for each thing of a clip, and a line of text."""
    truth = load_truth(name_of_clip)
    with av.open(str(clip(name_of_clip))) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    rows = []
    for number, (first, end) in enumerate(truth.shots):
        if options.shot is not None and number not in options.shot:
            continue
        for name in options.objects.split(",") if options.objects else THINGS[name_of_clip]:
            start = boxed_frame(truth, name, first, end, options.frame)
            if start is None:
                continue
            box = box_of(truth, name, start)
            prompt: Prompt = box
            if options.prompt == "matte":
                prompt = Matte(cv2.resize(truth.matte(name, start), truth.size, interpolation=cv2.INTER_LINEAR))
            began = time.perf_counter()
            js, fs, floor, lost = [], [], [], 0
            for masked in MASKERS.make(options.masker).follow(
                Shot(frames[first:end]), [Prompted(name, start - first, prompt)]
            ):
                t = first + masked.frame
                matte = masked.mattes[name]
                inside = cv2.resize(matte, truth.grid, interpolation=cv2.INTER_AREA) > 0.5
                right = truth.matte(name, t) > 0.5
                js.append(region(inside, right))
                fs.append(boundary(inside, right))
                floor.append(region(_box_at(truth, right, box), right))
                lost += name in masked.lost
                if options.pictures and masked.frame % 6 == 0:
                    options.pictures.mkdir(parents=True, exist_ok=True)
                    cv2.imwrite(
                        str(options.pictures / f"{name_of_clip}-{name}-{t:03d}.png"), drawn(frames[t], matte, right)
                    )
            took = (time.perf_counter() - began) / len(js)
            rows.append(
                {
                    "clip": name_of_clip,
                    "object": name,
                    "shot": number,
                    "boxed": start,
                    "J": np.mean(js),
                    "F": np.mean(fs),
                    "least J": min(js),
                }
            )
            good = np.mean(js) >= GOAL[0] and np.mean(fs) >= GOAL[1]
            print(
                f"{name_of_clip} shot {number} {name:10s} boxed on {start:3d}: J {np.mean(js):.3f}, F {np.mean(fs):.3f}"
                f", box alone J {np.mean(floor):.3f}, lost in {lost}, {took:.2f} s a frame{'' if good else '  BELOW'}",
                flush=True,
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--masker", default="flowcut")
    parser.add_argument("--clip", choices=CLIPS, action="append")
    parser.add_argument("--objects", help="names, commas between them; else all things")
    parser.add_argument("--shot", type=int, action="append")
    parser.add_argument("--frame", default="best", choices=("first", "middle", "best"))
    parser.add_argument(
        "--prompt", default="box", choices=("box", "matte"), help="matte: the truth's own, for the following alone"
    )
    parser.add_argument("--pictures", type=Path, help="write frames with mattes drawn over them here")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for name in options.clip or CLIPS:
        rows += measured(name, options)
    mean = {key: float(np.mean([row[key] for row in rows])) for key in ("J", "F")}
    print(f"mean J {mean['J']:.3f} (goal {GOAL[0]}), F {mean['F']:.3f} (goal {GOAL[1]})")
    print(json.dumps({"masker": options.masker, "frame": options.frame, **mean}))


def _box_at(truth: Truth, right: np.ndarray, box: Box) -> np.ndarray:
    moved = np.zeros_like(right)
    if not right.any():
        return moved
    y, x = np.nonzero(right)
    s = truth.size[0] / truth.grid[0]
    half_w, half_h = (box.right - box.left) / s / 2, (box.bottom - box.top) / s / 2
    mx, my = (x.min() + x.max()) / 2, (y.min() + y.max()) / 2
    top, left = max(0, round(my - half_h)), max(0, round(mx - half_w))
    moved[top : round(my + half_h) + 1, left : round(mx + half_w) + 1] = True
    return moved


if __name__ == "__main__":
    main()
