"""``restyle inspect``, for real."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from clips import moving_frames, write_clip, write_pictures
from command import Caller


def test_inspect_tells_facts_cuts_and_motion(restyle_command: Caller, tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", moving_frames(12, (64, 48)), rate=Fraction(24000, 1001), audio=True)
    said = restyle_command("inspect", "a.mp4")
    for fact in ("64 × 48", "24000/1001", "h264", "1 stream", "0:12"):
        assert fact in said.out
    found = restyle_command("inspect", "a.mp4", "--json").json
    assert found["footage"]["rate"] == "24000/1001"
    assert found["frames"] == 12
    assert [(shot["start"], shot["stop"]) for shot in found["shots"]] == [(0, 12)]
    assert len(found["moved"]) == 12
    assert 0.01 < found["moved"][5] < 0.05  # (2, 1) pixels a frame on a diagonal of 80
    headers = restyle_command("inspect", "a.mp4", "--json", "--no-cuts").json
    assert set(headers) == {"footage"}
    assert len(restyle_command("inspect", "a.mp4", "--json", "--range", "2:6").json["moved"]) == 4


def test_inspect_a_sequence_at_a_rate(restyle_command: Caller, tmp_path: Path) -> None:
    write_pictures(tmp_path / "shot", moving_frames(3, (32, 32)))
    assert restyle_command("inspect", "shot", "--json", "--no-cuts").json["footage"]["rate"] == "24"
    found = restyle_command("inspect", "shot/frame.%04d.png", "--fps", "29.97", "--json", "--no-cuts").json
    assert found["footage"]["rate"] == "30000/1001"
    assert "--fps" in restyle_command.fails("inspect", "shot", "--fps", "quick", code=2)
