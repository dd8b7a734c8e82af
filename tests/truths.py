"""Folders of truth for generated clips, kept as ``restyle.quality.truth`` reads them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from restyle.quality.truth import pack_plane

STEPS = 32


def write_truth(
    folder: Path, frames: int, size: tuple[int, int], shift: tuple[int, int], *, scale: int = 1, **facts: object
) -> Path:
    """Truth of ``clips.moving_frames(frames, size, shift=shift)``: one shot, all of it 10 m away. ``scale``: pixels of the clip
    to a point of the grid. ``facts``: in place of what they are."""
    grid = (size[0] // scale, size[1] // scale)
    shape = (frames, grid[1], grid[0])
    folder.mkdir(parents=True)
    forward = np.full((*shape, 2), [STEPS * side for side in shift], np.int16)
    np.savez_compressed(
        folder / "shot0.npz",
        forward=pack_plane(forward),
        turn=pack_plane(np.zeros_like(forward)),
        depth=pack_plane(np.full(shape, 10, np.float16)),
        mattes=np.zeros(shape, np.uint8),
    )
    plain = {
        "version": 1,
        "size": size,
        "grid": grid,
        "rate": "25/1",
        "frames": frames,
        "cuts": [],
        "flow_steps": STEPS,
        "objects": {},
    }
    (folder / "facts.json").write_text(json.dumps(plain | facts))
    return folder
