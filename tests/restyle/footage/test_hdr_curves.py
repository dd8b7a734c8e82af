from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, write_clip

from restyle.footage import open_footage, probe, read_picture
from restyle.footage.colour import to_depth


def test_pq_footage_becomes_scene_linear_pictures(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    tags = {"matrix": "bt2020nc", "primaries": "bt2020", "transfer": "smpte2084", "range": "tv"}
    white = np.full((48, 64, 3), round(0.58068888 * 65535), np.uint16)
    path = write_clip(tmp_path / "c.mkv", [white] * 2, codec="libx265", pixel_format="yuv420p10le", colour=tags,
                      options={"x265-params": "log-level=none", "crf": "1"})  # fmt: skip
    (note,) = probe(path).notes
    assert note.startswith("PQ (HDR)")
    pass_through(path, "o.%04d.exr")
    assert read_picture(tmp_path / "o.0000.exr").mean() == pytest.approx(1, abs=0.03)
    frame = next(open_footage(path).frames())
    assert to_depth(
        to_depth(frame.picture, "float32", transfer="smpte2084"), "uint16", transfer="smpte2084"
    ) == pytest.approx(frame.picture, abs=1)


def test_ordinary_footage_says_nothing(tmp_path: Path) -> None:
    assert probe(write_clip(tmp_path / "c.mp4", moving_frames(2))).notes == ()
