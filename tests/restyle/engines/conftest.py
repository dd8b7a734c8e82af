"""What the tests of batches share."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import moving_frames, write_clip, write_pictures

SIZE = (32, 32)


@pytest.fixture(autouse=True)
def _own_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was learned on this machine stays out of it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """A folder of two clips and a sequence: ``a.mp4``, ``day1/b.mov``, ``shot/frame.%04d.png``."""
    folder = tmp_path / "footage"
    (folder / "day1").mkdir(parents=True)
    write_clip(folder / "a.mp4", moving_frames(6, SIZE), audio=True)
    write_clip(folder / "day1" / "b.mov", moving_frames(8, SIZE, seed=1, cuts=(4,)))
    write_pictures(folder / "shot", moving_frames(5, SIZE, seed=2), "frame.%04d.png", first=0)
    return folder
