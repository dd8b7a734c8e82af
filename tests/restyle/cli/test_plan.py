"""``restyle plan``, for real."""

from __future__ import annotations

from pathlib import Path

from command import Caller


def test_plan(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    said = restyle_command("plan", "in.mp4", "--keyframes", "0,10", "--cuts", "10").out
    assert "0:10" in said
    assert "10:24" in said
    assert "24 frames, 2 shots, 2 windows, 2 keyframes to paint" in said
    found = restyle_command("plan", "in.mp4", "--keyframes", "every:12", "--json").json
    assert [key["frame"] for key in found["keyframes"]] == [0, 12]
    assert found["frames"] == 24
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]  # nothing was written
