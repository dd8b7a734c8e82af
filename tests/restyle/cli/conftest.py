from __future__ import annotations

from pathlib import Path

import pytest
from clips import moving_frames, write_clip


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two dozen frames with sound."""
    return write_clip(tmp_path / "in.mp4", moving_frames(24, (64, 48)), audio=True)
