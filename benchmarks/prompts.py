"""Prompts that a masker breaks on their own frame, out of many random ones; 0 is right.

    python benchmarks/prompts.py [--masker flowcut] [--prompts 200] [--seed 1] [--width 320] [--clip FILE ...]

Each trial marks a thing of the rendered samples on a frame of a short run of frames (by a point, a box that is drawn loosely
or too tight, or its matte), and mostly adds points on the same frame or a later one: positive ones anywhere on the thing,
negative ones anywhere off it. With ``--clip`` points and boxes are anywhere in other footage. Counted are prompts: those that
the masker's own mattes break, those that are broken after the step through which all mattes pass (``controls.masks.binding``),
and trials that the masker refuses in one line, which breaks nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.mattes import THINGS
from controls.masks import MASKERS
from controls.masks.binding import SLACK, bound, obeys
from controls.types import Box, Masked, Matte, Point, Prompt, Prompted
from samples import CLIPS, clip, load_truth

LENGTH = 4  # frames of a trial


@dataclass
class Run:
    """Frames in memory, and the thing's mattes in them; ``None``: there is no truth."""

    frames: list[np.ndarray]
    truth: list[np.ndarray] | None

    @property
    def size(self) -> tuple[int, int]:
        return self.frames[0].shape[1], self.frames[0].shape[0]

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        yield from self.frames[start:stop]


def runs(options: argparse.Namespace, random: np.random.Generator) -> Iterator[Run]:
    """Runs of frames, without end."""
    held: dict[str, list[np.ndarray]] = {}
    names = options.clip or list(CLIPS)
    while True:
        name = str(random.choice(names))
        if name not in held:
            held[name] = decoded(Path(name) if options.clip else clip(name), options.width)
        frames = held[name]
        if options.clip:
            start = int(random.integers(0, max(1, len(frames) - LENGTH)))
            yield Run(frames[start : start + LENGTH], None)
            continue
        truth = load_truth(name)
        first, end = truth.shots[int(random.integers(len(truth.shots)))]
        thing = str(random.choice(THINGS[name]))
        start = int(random.integers(first, max(first + 1, end - LENGTH)))
        size = frames[0].shape[1::-1]
        mattes = [cv2.resize(truth.matte(thing, t), size) > 0.5 for t in range(start, min(end, start + LENGTH))]
        if all(matte.sum() > 60 for matte in mattes):
            yield Run(frames[start : start + len(mattes)], mattes)


def decoded(path: Path, width: int) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    height = round(frames[0].shape[0] * width / frames[0].shape[1])
    return [cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in frames]


def marked(run: Run, random: np.random.Generator) -> list[Prompted]:
    """One object's random prompts."""
    here = int(random.integers(len(run) - 1))
    everywhere = np.ones(run.size[::-1], bool)
    thing = everywhere if run.truth is None else run.truth[here]
    kind = random.choice(["point", "box", "matte"]) if run.truth is not None else random.choice(["point", "box"])
    prompts: list[Prompted] = []
    if kind == "matte":
        prompts.append(Prompted("it", here, Matte(cv2.GaussianBlur(thing.astype(np.float32), (0, 0), 0.8))))
    elif kind == "box":
        prompts.append(Prompted("it", here, boxed(thing, random)))
    else:
        prompts.append(Prompted("it", here, spot(thing, random, positive=True)))
    for _ in range(int(random.integers(0, 4))):
        frame = here if random.random() < 0.5 else int(random.integers(here, len(run)))
        positive = bool(random.random() < 0.5)
        on = everywhere if run.truth is None else run.truth[frame]
        prompts.append(
            Prompted("it", frame, spot(on if positive or run.truth is None else ~on, random, positive=positive))
        )
    return prompts


def spot(where: np.ndarray, random: np.random.Generator, *, positive: bool) -> Point:
    y, x = np.nonzero(where)
    n = int(random.integers(len(x)))
    return Point(float(x[n]), float(y[n]), positive)


def boxed(thing: np.ndarray, random: np.random.Generator) -> Box:
    height, width = thing.shape
    if thing.all():
        left, top = random.integers(0, width - 40), random.integers(0, height - 40)
        sides = random.integers(20, 120, 2)
        return Box(
            float(left), float(top), float(min(width - 1, left + sides[0])), float(min(height - 1, top + sides[1]))
        )
    y, x = np.nonzero(thing)
    off = random.uniform(-0.15, 0.3, 4) * [np.ptp(x), np.ptp(y), np.ptp(x), np.ptp(y)]
    left, top = max(0.0, float(x.min() - off[0])), max(0.0, float(y.min() - off[1]))
    right, bottom = min(width - 1.0, float(x.max() + off[2])), min(height - 1.0, float(y.max() + off[3]))
    return Box(left, top, max(left + 3, right), max(top + 3, bottom))


def broken(found: list[Masked], prompts: list[Prompted]) -> int:
    """How many of the prompts the mattes break."""
    mattes = {masked.frame: masked.mattes["it"] for masked in found}
    count = 0
    for prompted in prompts:
        own: list[Prompt] = [each.prompt for each in prompts if each.frame == prompted.frame]
        points = [each for each in own if isinstance(each, Point)]
        matte, prompt = mattes[prompted.frame], prompted.prompt
        if isinstance(prompt, Point):
            count += not obeys(matte, prompt, points)
            continue
        spared = np.zeros(matte.shape, np.uint8)  # round points, which count more
        for point in points:
            cv2.circle(spared, (round(point.x), round(point.y)), round(0.05 * max(matte.shape)), 1, -1)
        if isinstance(prompt, Matte):
            count += bool((np.abs(matte - prompt.values)[spared == 0] > 1e-6).any())
        elif isinstance(prompt, Box) and not any(isinstance(each, Matte) for each in own):
            left, top, right, bottom = int(prompt.left), int(prompt.top), int(prompt.right), int(prompt.bottom)
            spared[max(0, top - SLACK) : bottom + SLACK + 2, max(0, left - SLACK) : right + SLACK + 2] = 1
            count += bool((matte[spared == 0] > 0.5).any())
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--masker", default="flowcut")
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--width", type=int, default=320, help="of the pictures that are looked at")
    parser.add_argument("--clip", action="append", help="footage without truth, instead of the samples")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    counts = {"prompts": 0, "broken by the masker alone": 0, "broken": 0, "refused trials": 0}
    for run in runs(options, random):
        if counts["prompts"] >= options.prompts:
            break
        prompts = marked(run, random)
        try:
            found = list(MASKERS.make(options.masker).follow(run, prompts))
        except ValueError as error:
            counts["refused trials"] += 1
            print(f"refused: {error}", flush=True)
            continue
        counts["prompts"] += len(prompts)
        counts["broken by the masker alone"] += broken(found, prompts)
        after = broken(list(bound(found, run, prompts)), prompts)
        counts["broken"] += after
        if after:
            print(f"BROKEN: {prompts}", flush=True)
    print(json.dumps({"masker": options.masker, **counts}))


if __name__ == "__main__":
    main()
