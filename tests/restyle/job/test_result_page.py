"""A result in a notebook."""

from __future__ import annotations

import re
import shutil
from base64 import b64decode
from pathlib import Path

from scenes import texture

import restyle


def test_a_result_shows_its_verdict_and_a_frame_before_and_after(tmp_path: Path) -> None:
    world = texture(60, 120, 3)
    frames = [world[:, number : number + 80] for number in range(8)]
    result = restyle.restyle(frames, tmp_path / "<out>.mkv", rate=12, style="lava")
    page = result._repr_html_()
    assert "&lt;out&gt;.mkv" in page
    assert "<out>" not in page
    assert result.verdict
    assert result.verdict.partition(" ")[0] in page
    before, after = (b64decode(each) for each in sorted(set(re.findall(r"base64,([^\"]+)\"", page))))
    assert before[:2] == after[:2] == b"\xff\xd8"
    assert "http" not in page
    assert "<script" not in page
    shutil.rmtree(result.folder)
    assert "base64" not in result._repr_html_(), "the job folder is gone"


def test_without_a_report_there_is_no_picture(tmp_path: Path) -> None:
    frames = [texture(40, 60, 3)] * 4
    result = restyle.restyle(frames, tmp_path / "out.mkv", rate=12, painter="identity", report=False)
    assert "base64" not in result._repr_html_()
    assert "4 frames" in result._repr_html_()
