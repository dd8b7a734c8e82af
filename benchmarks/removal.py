"""Removing things, against what was really behind them.

    python benchmarks/removal.py [CLIP ...] [--frames 40] [--pictures FOLDER]

A disc is laid over footage and moved across it; what it hides is filled in again and compared with the footage, within the hole
alone: PSNR, and how much the change from frame to frame differs from the footage's own (flicker, in code values of 255).
Rivals in the same run: OpenCV's inpainting of each frame by itself (Telea), and the median of 25 frames spread over the clip,
which is what a still camera would be cleaned with. Milliseconds a frame are wall-clock. Beware: the disc is opaque and its
matte exact.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from interp.plates import clean_plates
from restyle.footage import open_footage, write_picture
from restyle.job.job import Job
from restyle.recipe import Recipe


def covered(frames: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The footage with a disc of a tenth of its height passing over it, and where the disc is."""
    height, width = frames[0].shape[:2]
    shown, holes = [], []
    for t, frame in enumerate(frames):
        matte = np.zeros((height, width), np.uint8)
        x = width * (0.2 + 0.6 * t / max(1, len(frames) - 1))
        y = height * (0.45 + 0.05 * np.sin(t * 0.5))
        cv2.circle(matte, (round(x), round(y)), round(height * 0.07), 1, -1)
        picture = frame.copy()
        picture[matte > 0] = (220, 40, 60)
        shown.append(picture)
        holes.append(cv2.dilate(matte, np.ones((5, 5), np.uint8)) > 0)
    return shown, holes


def score(made: list[np.ndarray], truth: list[np.ndarray], holes: list[np.ndarray]) -> tuple[float, float]:
    values = [
        10 * np.log10(255**2 / max(1e-6, float(np.mean((a[h].astype(float) - b[h]) ** 2))))
        for a, b, h in zip(made, truth, holes, strict=True)
    ]
    steps = []
    for (a, b), (c, d), (h, k) in zip(pairwise(made), pairwise(truth), pairwise(holes), strict=True):
        if (h & k).any():
            steps.append(float(np.abs((b.astype(float) - a) - (d.astype(float) - c))[h & k].mean()))
    return float(np.mean(values)), float(np.mean(steps))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, help="footage (default: our sample)")
    parser.add_argument(
        "--frames", type=int, default=40, help="of each clip, from its start; of these, the longest shot"
    )
    parser.add_argument("--pictures", type=Path, help="write the middle frame, as each leaves it, into this folder")
    options = parser.parse_args()
    clips = options.clips
    if not clips:
        import samples

        clips = [samples.clip()]
    for clip in clips:
        found = Job(clip, None, Recipe(range=f"0:{options.frames}")).analyse()
        shot = max(pairwise([found.start, *found.cuts, found.stop]), key=lambda ends: ends[1] - ends[0])
        with open_footage(clip) as footage:
            frames = [frame.picture for frame in footage.frames(*shot)]
        shown, holes = covered(frames)
        began = time.perf_counter()
        plates = [plate.picture for plate in clean_plates(zip(shown, holes, strict=True))]
        spent = (time.perf_counter() - began) * 1e3 / len(frames)
        median = np.median(np.array(shown[:: max(1, len(shown) // 25)]), axis=0).astype(frames[0].dtype)
        ways = {
            "restyle": plates,
            "telea": [
                cv2.inpaint(a, h.astype(np.uint8), 5, cv2.INPAINT_TELEA) for a, h in zip(shown, holes, strict=True)
            ],
            "median": [np.where(h[:, :, None], median, a) for a, h in zip(shown, holes, strict=True)],
        }
        print(f"{clip.stem}: {len(frames)} frames, {spent:.0f} ms each")
        for name, made in ways.items():
            psnr, flicker = score(made, frames, holes)
            print(f"  {name:8} PSNR {psnr:5.1f} dB  flicker {flicker:5.2f}", flush=True)
            if options.pictures:
                options.pictures.mkdir(parents=True, exist_ok=True)
                write_picture(options.pictures / f"{clip.stem}-{name}.png", made[len(made) // 2])


if __name__ == "__main__":
    main()
