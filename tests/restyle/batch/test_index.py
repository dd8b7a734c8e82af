"""The page that shows what became of every clip."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

from batches import FIELDS, run
from clips import moving_frames, write_clip

from restyle.batch.batch import Batch


def page_of(out: Path) -> str:
    return (out / "batch.restyle/index.html").read_text(encoding="utf-8")


def test_every_clip_has_pictures_a_verdict_and_its_report(footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (footage / "bad <b>.mp4").write_bytes(b"no video")
    write_clip(footage / "odd & 100%.mp4", moving_frames(3, (32, 32)))
    run(footage, out, report=True)
    page = page_of(out)
    links = [unquote(unescape(link)) for link in re.findall(r'(?:src|href)="([^"]+)"', page)]
    for link in links:
        assert (out / "batch.restyle" / link).is_file(), link
    for name in ("a.mp4", "odd & 100%.mp4", "day1/b.mov"):
        assert f"jobs/{name}/report.html" in links
        assert f"../{name}" in links
    assert sum(link.endswith("poster.jpg") for link in links) == 4
    assert sum(link.endswith("before.jpg") for link in links) == 4
    assert "4 done, 1 failed" in page
    assert page.index("bad &lt;b&gt;.mp4") < page.index("a.mp4")
    assert "is no video that can be read" in page
    assert "<b>" not in page


def test_the_page_is_the_same_when_all_was_skipped_but_for_how_it_ended(footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(footage / "a.mp4", out, report=True)
    first = page_of(out)
    run(footage / "a.mp4", out, report=True)
    assert page_of(out).replace("skipped", "done").replace("done: done", "done: new") == first


def test_a_clip_without_a_report_has_its_result(footage: Path, tmp_path: Path) -> None:
    batch = Batch([footage / "a.mp4"], tmp_path / "out", FIELDS, report=False)
    list(batch.results())
    assert batch.index == tmp_path / "out/batch.restyle/index.html"
    page = page_of(tmp_path / "out")
    assert 'href="../a.mp4"' in page
    assert "report.html" not in page
