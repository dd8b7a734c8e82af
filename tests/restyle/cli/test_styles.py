"""``restyle styles``, for real."""

from __future__ import annotations

from pathlib import Path

from clips import read_picture
from command import Caller


def test_styles(clip: Path, restyle_command: Caller, tmp_path: Path) -> None:
    listed = restyle_command("styles", "--json").json["styles"]
    assert len(listed) == 26
    said = restyle_command("styles").out
    for style in listed:
        assert style["name"] in said
        assert style["description"] in said
    assert "--sheet" in restyle_command.fails("styles", "-o", "sheet.jpg", code=2)
    found = restyle_command("styles", "--sheet", "in.mp4", "-o", "sheet.jpg", "--json").json
    assert found["sheet"] == "sheet.jpg"
    assert read_picture(tmp_path / "sheet.jpg").shape[0] > 48
