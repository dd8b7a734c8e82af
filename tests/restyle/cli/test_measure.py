"""``restyle measure``, for real."""

from __future__ import annotations

from pathlib import Path

from clips import moving_frames, write_clip
from command import Caller

SIZE = (64, 48)


def test_measure(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    restyle_command("run", "in.mp4", "-o", "out.mp4", "--style", "mosaic", "--no-report")
    found = restyle_command("measure", "in.mp4", "out.mp4", "--json").json
    assert found["source_frames"] == found["result_frames"] == 24
    assert found["findings"] == []
    assert found["summary"]["warp_error"] > 0
    said = restyle_command("measure", "in.mp4", "out.mp4", "--size", "32").out
    assert "warp error" in said
    write_clip(tmp_path / "short.mp4", moving_frames(20, SIZE))
    assert "20 frames" in restyle_command("measure", "in.mp4", "short.mp4").out
