"""``restyle preview``, for real."""

from __future__ import annotations

from pathlib import Path

from clips import read_picture
from command import Caller


def test_preview(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    found = restyle_command("preview", "in.mp4", "-o", "sheet.png", "--style", "lava", "--cuts", "12", "--json").json
    assert found == {
        "sheet": "sheet.png",
        "shots": [{"shot": 0, "frame": 0, "reason": "start"}, {"shot": 1, "frame": 12, "reason": "start"}],
    }
    sheet = read_picture(tmp_path / "sheet.png")
    assert sheet.shape[0] > 48
    assert sheet.shape[1] > 128
    assert "--overwrite" in restyle_command.fails("preview", "in.mp4", "-o", "sheet.png", code=4)
    assert "'sheet.txt'" in restyle_command.fails("preview", "in.mp4", "-o", "sheet.txt", code=4)
    assert "no folder" in restyle_command.fails("preview", "in.mp4", "-o", "none/sheet.png", code=4)
    assert restyle_command("preview", "in.mp4", "-o", "sheet.png", "--overwrite", "--painter", "identity").code == 0
