"""Peak memory of following an object with SAM 2 must not grow with the shot: 600 frames against 60, ours and the package's own.

    python benchmarks/sam2_memory.py [--frames 60,600] [--image-size 128] [--threads 1]

Each run has a process of its own; the peak is the one that the kernel counted for it. The weights are random: memory does not
depend on them. The package's predictor is given its frames as the tensors that it makes of a folder of JPEGs. Prints one line a
run, then both ratios (ours must be at most 1.15) and what a frame adds.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
LIMIT = 1.15
CONFIG = "configs/sam2.1/sam2.1_hiera_t.yaml"
SIZE = (640, 360)


class Made:
    """Frames that are made when they are read."""

    def __init__(self, count: int) -> None:
        self.size, self.count = SIZE, count
        self.world = np.random.default_rng(1).integers(0, 255, (SIZE[1], SIZE[0] * 2, 3), np.uint8)

    def __len__(self) -> int:
        return self.count

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        for number in range(start, stop):
            left = 3 * number % SIZE[0]
            yield np.ascontiguousarray(self.world[:, left : left + SIZE[0]])


def run(who: str, weights: str, frames: int, side: int) -> None:
    """One run, in a process of its own: prints the peak before and after, MiB."""
    import torch
    from PIL import Image

    from controls.masks.sam2.masker import Sam2Masker
    from controls.types import Matte, Prompted

    clip = Made(frames)
    drawn = np.zeros(SIZE[::-1], np.float32)
    drawn[100:260, 200:400] = 1  # a matte: with random weights a box may mark nothing
    masker = Sam2Masker(model=weights, image_size=side, device="cpu")
    if who == "ours":
        steps: Iterator[object] = masker.follow(clip, [Prompted("a", 0, Matte(drawn))])
    else:
        import sam2.sam2_video_predictor as theirs

        mean, spread = (
            torch.tensor([0.485, 0.456, 0.406])[:, None, None],
            torch.tensor([0.229, 0.224, 0.225])[:, None, None],
        )
        images = torch.zeros(frames, 3, side, side)
        for number, picture in enumerate(clip.read(0, frames)):
            small = np.asarray(Image.fromarray(picture).resize((side, side)), np.float32) / 255
            images[number] = (torch.from_numpy(small).permute(2, 0, 1) - mean) / spread
        theirs.load_video_frames = lambda **_: (images, SIZE[1], SIZE[0])
        predictor = masker._load(frames)[1]._model
        state = predictor.init_state("unused")
        predictor.add_new_mask(state, 0, 1, torch.from_numpy(drawn > 0.5))
        steps = predictor.propagate_in_video(state)
    next(steps)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert 1 + sum(1 for _ in steps) == frames
    print(json.dumps([before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", default="60,600")
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--run", nargs=3, metavar=("WHO", "WEIGHTS", "FRAMES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(options.threads)
    if options.run:
        return run(options.run[0], options.run[1], int(options.run[2]), options.image_size)
    from safetensors.torch import save_file
    from sam2.build_sam import build_sam2_video_predictor

    few, many = (int(count) for count in options.frames.split(","))
    peaks: dict[tuple[str, int], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "sam2.1_hiera_tiny.safetensors"
        save_file(build_sam2_video_predictor(CONFIG, None, device="cpu").state_dict(), weights)
        for who in ("ours", "the package's"):
            for count in (few, many):
                command = [
                    sys.executable,
                    __file__,
                    "--image-size",
                    str(options.image_size),
                    "--threads",
                    str(options.threads),
                ]
                done = subprocess.run(
                    [*command, "--run", who, str(weights), str(count)], capture_output=True, text=True, check=False
                )
                if done.returncode:
                    raise SystemExit(done.stderr)
                before, peaks[who, count] = json.loads(done.stdout.splitlines()[-1])
                print(
                    f"{who:14s} {count:5d} frames: peak {peaks[who, count]:7.1f} MiB, {before:.1f} after the first",
                    flush=True,
                )
    ratios = {who: peaks[who, many] / peaks[who, few] for who in ("ours", "the package's")}
    for who, ratio in ratios.items():
        grown = (peaks[who, many] - peaks[who, few]) / (many - few)
        print(f"{who:14s} ratio {ratio:.3f}, {grown * 1024:.0f} KiB for each further frame")
    print(
        json.dumps(
            {
                "image_size": options.image_size,
                "ratio": ratios["ours"],
                "theirs": ratios["the package's"],
                "limit": LIMIT,
            }
        )
    )
    sys.exit(ratios["ours"] > LIMIT)


if __name__ == "__main__":
    main()
