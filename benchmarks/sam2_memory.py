"""Peak memory of following an object with SAM 2 must not grow with the shot: 600 frames against 60, ours and both references.

    python benchmarks/sam2_memory.py [--frames 60,600] [--image-size 128] [--threads 1]

Ours runs by transformers and by SAM 2's own package; the references are transformers' session and the package's predictor, both
of which are given their frames as tensors. Each run has a process of its own; the peak is the one that the kernel counted for
it. The weights are random: memory does not depend on them. Prints one line a run, then the ratios (of ours at most 1.15) and
what a frame adds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
LIMIT = 1.15
SIZE = (640, 360)
OURS = ("ours, transformers", "ours, package")
THEIRS = ("transformers' session", "package's predictor")


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


def run(who: str, weights: Path, frames: int, side: int) -> None:
    """One run, in a process of its own: prints the peak before and after, MiB."""
    import torch

    from controls.masks.sam2.masker import Sam2Masker
    from controls.types import Matte, Prompted

    clip = Made(frames)
    drawn = np.zeros(SIZE[::-1], np.float32)
    drawn[100:260, 200:400] = 1  # a matte: with random weights a box may mark nothing
    model = weights if "transformers" in who else weights / "sam2.1_hiera_tiny.safetensors"
    masker = Sam2Masker(model=str(model), image_size=side, device="cpu")
    steps: Iterator[object]
    if who in OURS:
        steps = masker.follow(clip, [Prompted("a", 0, Matte(drawn))])
    else:
        _, network = masker._load(frames)
        seen = torch.from_numpy(np.stack([_prepared(picture, side) for picture in clip.read(0, frames)]))
        if who == THEIRS[0]:
            steps = session_steps(network._model, seen, network._mask(drawn))
        else:
            import sam2.sam2_video_predictor as theirs

            theirs.load_video_frames = lambda **_: (seen, SIZE[1], SIZE[0])
            state = network._model.init_state("unused")
            network._model.add_new_mask(state, 0, 1, torch.from_numpy(drawn > 0.5))
            steps = network._model.propagate_in_video(state)
    next(steps)
    before = peak()
    assert 1 + sum(1 for _ in steps) == frames
    print(json.dumps([before, peak()]))


def peak() -> float:
    """This process's peak, MiB. (What ``getrusage`` gives counts the parent's before it began.)"""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


def session_steps(model: Any, seen: Any, mask: Any) -> Iterator[object]:
    import torch
    from transformers import Sam2VideoInferenceSession

    session = Sam2VideoInferenceSession(seen, *SIZE[::-1], dtype=torch.float32)
    session.add_mask_inputs(session.obj_id_to_idx(1), 0, mask)
    session.obj_with_new_inputs = [1]
    for frame in range(len(seen)):
        yield model(session, frame_idx=frame)


def _prepared(picture: np.ndarray, side: int) -> np.ndarray:
    from controls.masks.sam2.network import _prepared

    return _prepared(picture, side)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", default="60,600")
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--run", nargs=3, metavar=("WHO", "WEIGHTS", "FRAMES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    from controls.torchvision_guard import make_torchvision_importable

    make_torchvision_importable()
    import torch

    torch.set_num_threads(options.threads)
    if options.run:
        return run(options.run[0], Path(options.run[1]), int(options.run[2]), options.image_size)
    from sam2_weights import random_predictor, save_file_of_the_package, save_folder_of_transformers

    few, many = (int(count) for count in options.frames.split(","))
    peaks: dict[tuple[str, int], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        network = random_predictor()
        save_file_of_the_package(network, Path(folder))
        save_folder_of_transformers(network.state_dict(), Path(folder))
        del network
        own = [sys.executable, __file__, "--image-size", str(options.image_size), "--threads", str(options.threads)]
        for who in (*OURS, *THEIRS):
            for count in (few, many):
                command = [*own, "--run", who, folder, str(count)]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise SystemExit(done.stderr)
                before, peaks[who, count] = json.loads(done.stdout.splitlines()[-1])
                print(
                    f"{who:21s} {count:5d} frames: peak {peaks[who, count]:7.1f} MiB, {before:.1f} after the first",
                    flush=True,
                )
    ratios = {who: peaks[who, many] / peaks[who, few] for who in (*OURS, *THEIRS)}
    for who, ratio in ratios.items():
        grown = (peaks[who, many] - peaks[who, few]) / (many - few)
        print(f"{who:21s} ratio {ratio:.3f}, {grown * 1024:.0f} KiB for each further frame")
    print(json.dumps({"image_size": options.image_size, "ratios": ratios, "limit": LIMIT}))
    sys.exit(max(ratios[who] for who in OURS) > LIMIT)


if __name__ == "__main__":
    main()
