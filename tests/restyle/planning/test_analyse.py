from __future__ import annotations

from pathlib import Path

import numpy as np
from clips import moving_frames, write_clip

from restyle import Job, Recipe


def test_a_cut_that_only_motion_betrays_begins_a_shot(tmp_path: Path) -> None:
    """Two textures of the same colours: no histogram changes, but nothing of the one is in the other."""
    path = write_clip(tmp_path / "in.mp4", moving_frames(40, (96, 64), cuts=(20,)), rate=24)
    plan = Job(path).plan()
    assert [shot.start for shot in plan.shots] == [0, 20]
    assert 20 in {key.frame for key in plan.keyframes}
    assert all(key.reason == "end" for key in plan.keyframes if key.frame == 19)


def test_a_flash_stands_alone(tmp_path: Path) -> None:
    frames = moving_frames(30, (96, 64), shift=(1, 0))
    frames[14] = np.full_like(frames[0], 250)
    plan = Job(write_clip(tmp_path / "in.mp4", frames, rate=24)).plan()
    assert {14, 15} <= {key.frame for key in plan.keyframes}
    assert all(not (shot.start < 14 and shot.stop > 15) for shot in plan.shots)


def test_numbers_of_every_frame(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "in.mp4", moving_frames(25, (96, 64)), rate=24)
    found = Job(path, recipe=Recipe(range="5:20")).analyse()
    assert (found.start, found.stop, len(found.pts), len(found.coverage)) == (5, 20, 20, 15)
    assert max(found.moved) > 0.01
    assert found.coverage[0] == 1
