"""``restyle measure``, for real."""

from __future__ import annotations

import re
from pathlib import Path

from clips import moving_frames, write_clip
from command import Caller
from truths import write_truth

SIZE = (64, 48)


def test_measure(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    restyle_command("run", "in.mp4", "-o", "out.mp4", "--style", "mosaic", "--no-report")
    found = restyle_command("measure", "in.mp4", "out.mp4", "--json").json
    assert found["source_frames"] == found["result_frames"] == 24
    assert found["findings"] == []
    assert found["summary"]["warp_error"] > 0
    said = restyle_command("measure", "in.mp4", "out.mp4", "--size", "32").out
    assert "warp error" in said
    truth = write_truth(tmp_path / "truth", 24, SIZE, (2, 1))
    beside = restyle_command("measure", "in.mp4", "out.mp4", "--painted", "out.mp4", "--truth", str(truth)).out
    assert re.search(r"warp error over painted +1\n", beside)
    assert "nowhere/facts.json" in restyle_command.fails("measure", "in.mp4", "out.mp4", "--truth", "nowhere", code=2)
    write_clip(tmp_path / "short.mp4", moving_frames(20, SIZE))
    assert "20 frames" in restyle_command("measure", "in.mp4", "short.mp4").out
