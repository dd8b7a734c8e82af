"""Sheets on which a person sees where to point, and what became of it: of ``look``, ``matte`` and ``controls``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, read_picture, write_pictures
from command import Caller

THING = "thing=box:20,14,44,34@2"


@pytest.fixture
def shot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bright thing on a texture that moves."""
    frames = moving_frames(6, (64, 48), box=True)
    write_pictures(tmp_path / "shot", frames, "f.%04d.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "shot"


def test_frames_are_shown_large_with_prompts(shot: Path, restyle_command: Caller, tmp_path: Path) -> None:
    found = restyle_command("look", "0,2", "shot", "-o", "look.png", "--object", THING, "--json").json
    assert found == {"sheet": "look.png", "frames": [0, 2], "size": [64, 48]}
    plain = restyle_command("look", "0,2", "shot", "-o", "plain.png")
    assert "x runs from 0 to 63, y from 0 to 47" in plain.out
    with_prompt, without = read_picture(tmp_path / "look.png"), read_picture(tmp_path / "plain.png")
    assert with_prompt.shape == without.shape
    assert max(without.shape) > 4 * 64
    assert 100 < (with_prompt != without).any(axis=2).sum() < 0.1 * without.shape[0] * without.shape[1]
    assert "no frame 9" in restyle_command.fails("look", "9", "shot", "-o", "more.png", code=2)
    assert "'1-2'" in restyle_command.fails("look", "1-2", "shot", "-o", "more.png", code=2)
    assert "--overwrite" in restyle_command.fails("look", "0", "shot", "-o", "look.png", code=4)


def test_mattes_come_with_a_sheet_and_doubts(shot: Path, restyle_command: Caller, tmp_path: Path) -> None:
    found = restyle_command("matte", "shot", "-o", "out", "--masker", "flowcut", "--object", THING, "--json").json
    assert found["sheet"] == "out/sheet.jpg"
    assert found["doubts"] == []
    assert read_picture(tmp_path / "out/sheet.jpg").shape[1] > 200
    assert len(list((tmp_path / "out/thing").iterdir())) == 6


def test_a_preview_makes_the_prompted_frames_alone(shot: Path, restyle_command: Caller, tmp_path: Path) -> None:
    objects = ("--object", THING, "--object", "thing=not:60,40@4", "--masker", "flowcut")
    found = restyle_command("matte", "shot", "-o", "seen", "--preview", *objects, "--json").json
    assert found == {"sheet": "seen/sheet.jpg", "frames": [2, 4]}
    assert [path.name for path in (tmp_path / "seen").glob("[!.]*")] == ["sheet.jpg"]
    sheet = read_picture(tmp_path / "seen/sheet.jpg").astype(int)
    pink = (sheet[..., 0] > sheet[..., 1] + 40).mean()
    assert pink > 0.01, "the matte is tinted"


def test_maps_come_with_a_sheet(shot: Path, restyle_command: Caller, tmp_path: Path) -> None:
    found = restyle_command("controls", "shot", "-o", "maps", "--kinds", "canny", "--json").json
    assert found["sheet"] == "maps/sheet.jpg"
    sheet = read_picture(tmp_path / "maps/sheet.jpg")
    assert sheet.shape[1] > 2 * 64
    assert np.ptp(sheet) > 100
