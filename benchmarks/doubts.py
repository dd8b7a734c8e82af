"""How often right mattes are doubted, and how often wrong ones are: thresholds of ``controls.masks.doubts`` are set by it.

    python benchmarks/doubts.py [--people CLIP ...] [--show]

Right mattes are the truth of every thing of the rendered samples (and, with ``--people``, what the masker ``people`` finds in a
clip). Wrong ones are made of them: from some frame on the matte is elsewhere, in two pieces, with a strip along the border, the
whole picture or nothing, or half of it is missing for a frame. Printed are frames doubted out of all frames, by kind, and
wrongs found of wrongs made. Stretches where the truth passes behind something are right, too, and count as such.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.mattes import SEEN, THINGS, Shot
from controls.masks import MASKERS
from controls.masks.doubts import SIDE, Doubt, Watch
from controls.types import Masked, People, Prompted
from interp.pixels.sizes import size_within
from samples import CLIPS, clip, load_truth


def decoded(path: Path) -> list[np.ndarray]:
    """Frames, small."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    size = size_within(frames[0].shape[1], frames[0].shape[0], SIDE)
    return [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]


def doubted(frames: list[np.ndarray], mattes: list[np.ndarray], lost: frozenset[int] = frozenset()) -> list[Doubt]:
    watch = Watch()
    masked = (
        Masked(t, {"it": matte}, frozenset({"it"}) if t in lost else frozenset()) for t, matte in enumerate(mattes)
    )
    for _ in watch.over(masked, Shot(frames)):
        pass
    return [doubt for _, doubt in watch.doubts()]


def right() -> Iterator[tuple[str, list[np.ndarray], list[np.ndarray]]]:
    """Things of the samples: name, frames of a shot, mattes."""
    for name in CLIPS:
        truth, frames = load_truth(name), decoded(clip(name))
        size = frames[0].shape[1::-1]
        for number, (first, end) in enumerate(truth.shots):
            for thing in THINGS[name]:
                mattes = [cv2.resize(truth.matte(thing, t), size).astype(np.float32) for t in range(first, end)]
                if max(truth.matte(thing, t).sum() for t in range(first, end)) >= SEEN:
                    yield f"{name} {number} {thing}", frames[first:end], mattes


def wrongs(
    mattes: list[np.ndarray], random: np.random.Generator
) -> Iterator[tuple[str, int, list[np.ndarray], frozenset[int]]]:
    """Mattes that are wrong from a frame on, or in it: what is wrong, the frame, all mattes, frames said to be lost."""
    seen = [t for t in range(2, len(mattes) - 6) if (mattes[t] > 0.5).sum() > 150 and (mattes[t - 1] > 0.5).sum() > 150]
    if not seen:
        return
    t = int(random.choice(seen))
    x = np.nonzero(mattes[t] > 0.5)[1]
    half = mattes[t].copy()
    half[:, : int(np.median(x))] = 0
    yield "half is missing", t, [*mattes[:t], half, *mattes[t + 1 :]], frozenset()
    far = (mattes[0].shape[1] // 2 + int(x.mean())) % mattes[0].shape[1]
    elsewhere = [np.roll(matte, far - int(x.mean()), axis=1) for matte in mattes]
    yield "it is elsewhere", t, [*mattes[:t], *elsewhere[t:]], frozenset()
    two = [np.maximum(a, b) for a, b in zip(mattes, elsewhere, strict=True)]
    yield "a second piece", t, [*mattes[:t], *two[t:]], frozenset()
    strip = [matte.copy() for matte in mattes]
    for matte in strip[t:]:
        matte[-max(4, matte.shape[0] // 30) :] = 1
    yield "a strip along the border", t, [*mattes[:t], *strip[t:]], frozenset()
    yield "nothing", t, [*mattes[:t], *(np.zeros_like(m) for m in mattes[t:])], frozenset(range(t, len(mattes)))
    yield "all", t, [*mattes[:t], *(np.ones_like(m) for m in mattes[t:])], frozenset()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, action="append", default=[], help="a clip of people, shot by one camera")
    parser.add_argument("--show", action="store_true", help="name every frame that is doubted")
    options = parser.parse_args()
    random = np.random.default_rng(1)
    alarms: Counter[str] = Counter()
    frames_seen, things = 0, 0
    made: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for name, frames, mattes in right():
        doubts = doubted(frames, mattes)
        things += 1
        frames_seen += sum((matte > 0.5).any() for matte in mattes)
        alarms.update(doubt.kind for doubt in doubts)
        if options.show and doubts:
            print(name, [(doubt.frame, doubt.kind) for doubt in doubts], flush=True)
        for what, t, wrong, lost in wrongs(mattes, random):
            made[what] += 1
            part, late = slice(max(0, t - 3), t + 2), min(t, 3)
            lost_here = frozenset(frame - part.start for frame in lost)
            found[what] += any(doubt.frame >= late for doubt in doubted(frames[part], wrong[part], lost_here))
    for path in options.people:
        frames = decoded(path)
        masked = MASKERS.make("people").follow(Shot(frames), [Prompted("it", 0, People())])
        doubts = doubted(frames, [one.mattes["it"] for one in masked])
        print(path.name, len(frames), "frames:", [(doubt.frame, doubt.kind) for doubt in doubts], flush=True)
    print(f"right: {sum(alarms.values())} doubts in {frames_seen} frames of {things} things: {dict(alarms)}")
    for what in made:
        print(f"wrong: {what}: {found[what]} of {made[what]} found")
    print(
        json.dumps(
            {
                "false_alarms": sum(alarms.values()),
                "frames": frames_seen,
                "found": sum(found.values()),
                "made": sum(made.values()),
            }
        )
    )


if __name__ == "__main__":
    main()
