"""False shifts of colour that holding keyframes to their anchor makes where every colour is right already.

    python benchmarks/colour_lock.py CLIP ... [--gaps 12,24,48]

The footage itself stands in for paintings whose colours never shift, in pictures of one value a latent (8 pixels) and three
channels: whatever the lock changes of them is false. *whole*: mean and spread of whole pictures brought to those of a frame
before, as Rerender-A-Video does; *along*: those of what both show, along the footage's own motion. The mean change of a pixel,
of 255, of frames that lie so many after every twelfth within the first 100.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from interp.flow.dis import DisEstimator
from interp.tracks import MotionTrack
from restyle.footage import open_footage
from restyle.painters.diffusion.correspondences import Correspondences
from restyle.painters.diffusion.latents import match_colours, match_colours_along

LONGEST = 768
FRAMES = 100
EVERY = 12


def measure(clip: Path, gaps: list[int]) -> None:
    """Print one line for each gap."""
    cells, track = [], None
    with open_footage(clip) as footage:
        for number, frame in enumerate(footage.frames()):
            if number == FRAMES:
                break
            height, width = frame.picture.shape[:2]
            scale = LONGEST / max(width, height)
            size = round(width * scale / 8), round(height * scale / 8)
            small = cv2.resize(frame.picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
            cells.append(torch.from_numpy(small).permute(2, 0, 1))
            if track is None:
                track = MotionTrack(DisEstimator(), working=(size[0] * 4, size[1] * 4))
            track.add(frame.picture)
    assert track is not None
    grid = (cells[0].shape[2], cells[0].shape[1])
    places = Correspondences(track, {n: n for n in range(len(cells))}, grid, torch.device("cpu"))
    for gap in gaps:
        whole, along = [], []
        for there in range(0, len(cells) - gap, EVERY):
            here = there + gap
            whole.append(float((match_colours(cells[here], cells[there]) - cells[here]).abs().mean()))
            target = places.tokens(here, there, grid[0] * grid[1])
            along.append(float((match_colours_along(cells[here], cells[there], *target) - cells[here]).abs().mean()))
        if whole:
            print(
                f"{clip.name}: {gap} frames apart, mean (worst) of {len(whole)}: "
                f"whole {np.mean(whole):.2f} ({max(whole):.2f}), along {np.mean(along):.2f} ({max(along):.2f})"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--gaps", default="12,24,48")
    args = parser.parse_args()
    for clip in args.clips:
        measure(clip, [int(gap) for gap in args.gaps.split(",")])


if __name__ == "__main__":
    main()
