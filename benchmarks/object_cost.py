"""What changing one object costs, against restyling the whole frame.

    python benchmarks/object_cost.py [CLIP] [--size 1920x1080] [--frames 72] [--share 0.1] [--keyframes auto] [--json FILE]

The object is a rectangle of the given share of the frame that travels across it; its mattes are handed over as files, so that
what is compared is painting, filling, compositing, reading and writing: both jobs are whole, analysis and report included.
Reading and writing are of the whole frame in both; ``--keyframes every:1`` shows what is left where painting outweighs them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from footage import resized_clip  # noqa: E402

from restyle import Job, Recipe  # noqa: E402
from restyle.footage import probe  # noqa: E402

LIMIT = 1 / 4


def mattes(folder: Path, frames: int, width: int, height: int, share: float) -> Path:
    """A rectangle of that share of the frame, from the left to the right."""
    folder.mkdir()
    w, h = round(width * share**0.5), round(height * share**0.5)
    for number in range(frames):
        left = round((width - w) * (0.2 + 0.6 * number / max(1, frames - 1)))
        matte = np.zeros((height, width), np.uint8)
        matte[(height - h) // 2 : (height + h) // 2, left : left + w] = 255
        cv2.imwrite(str(folder / f"matte.{number:06d}.png"), matte, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return folder


def seconds(clip: Path, out: Path, recipe: Recipe) -> float:
    began = time.perf_counter()
    Job(clip, out, recipe, overwrite=True, fresh=True).run()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", nargs="?", type=Path, help="footage (default: our own sample)")
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--frames", type=int, default=72)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--keyframes", default="auto", help="of both jobs, as the command line takes them")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    source = options.clip
    if source is None:
        import samples

        source = samples.clip()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        clip = resized_clip(source, place / "clip.mp4", width=width, height=height, frames=options.frames)
        frames = probe(clip).frames or options.frames
        folder = mattes(place / "mattes", frames, width, height, options.share)
        seconds(clip, place / "warm.mp4", Recipe(range="0:2"))
        whole = seconds(clip, place / "whole.mp4", Recipe.build(keyframes=options.keyframes))
        untouched = seconds(
            clip, place / "untouched.mp4", Recipe(painter="identity", filler="hold", keyframes="every:1000")
        )
        edit = Recipe.build(keyframes=options.keyframes, objects=(f"thing=mattes:{folder}",))
        part = seconds(clip, place / "part.mp4", edit)
    found = {
        "whole_ms": 1e3 * whole / frames,
        "object_ms": 1e3 * part / frames,
        "reading_and_writing_ms": 1e3 * untouched / frames,
        "ratio": part / whole,
    }
    print(
        f"{frames} frames of {options.size}: whole {found['whole_ms']:.0f} ms a frame, an object of {options.share:.0%} "
        f"{found['object_ms']:.0f} ms; reading, motion and writing alone {found['reading_and_writing_ms']:.0f} ms"
    )
    print(f"ratio {found['ratio']:.3f}, target {LIMIT:.2f}: {'reached' if found['ratio'] <= LIMIT else 'MISSED'}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
