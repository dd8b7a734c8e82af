"""Reports read back from job folders, which anybody may have changed."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from restyle.errors import JobError
from restyle.files.owned import LIST_NAME, OwnFiles
from restyle.quality.report import FrameRow, Moment, ReportData, write_report
from restyle.quality.stored_report import PaintedFrame, StoredMoment, read_report

NAME = "pictures/" + "0123456789abcdef" * 2


@pytest.fixture
def job(tmp_path: Path) -> Path:
    rows = [
        FrameRow(frame, 0, painted=frame == 24, reason="start" if frame == 24 else None, moving_blocks=4)
        for frame in range(24, 30)
    ]
    data = ReportData(
        title="out.mp4",
        rate=Fraction(24),
        frames=rows,
        moments=[Moment(26, "00:00:01:02", 0.75, (8, 0, 40, 32))],
        pictures=NAME,
    )
    write_report(data, tmp_path / "report.html", tmp_path / "report.json")
    folder = tmp_path / NAME
    folder.mkdir(parents=True)
    for name in ("clip.mp4", "poster.jpg", "before.jpg", "after.jpg", "moment-01.source.jpg", "moment-01.result.jpg"):
        (folder / name).write_bytes(name.encode())
    (folder / LIST_NAME).write_text(OwnFiles.of_folder(folder, NAME).to_text())
    return tmp_path


def test_what_was_written_is_read(job: Path) -> None:
    report = read_report(job)
    assert report.first == 24
    assert report.painted == (PaintedFrame(24, "start"),)
    folder = job / NAME
    (moment,) = report.moments
    assert moment == StoredMoment(
        26, 0.75, (8, 0, 40, 32), folder / "moment-01.source.jpg", folder / "moment-01.result.jpg", None
    )
    assert (report.level, report.verdict.split(" ")[0]) == ("good", "Good.")
    assert report.summary["frames"] == 6
    assert (report.clip, report.poster) == (folder / "clip.mp4", folder / "poster.jpg")
    assert (report.before, report.after) == (folder / "before.jpg", folder / "after.jpg")


def test_only_pictures_that_lie_there_as_they_were_written_are_named(job: Path, tmp_path: Path) -> None:
    folder = job / NAME
    (folder / "poster.jpg").write_bytes(b"another")
    (folder / "before.jpg").unlink()
    (folder / "before.jpg").symlink_to(folder / "after.jpg")
    report = read_report(job)
    assert (report.poster, report.before, report.after) == (None, None, folder / "after.jpg")
    os.rename(job / "pictures", job / "elsewhere")
    assert read_report(job).after is None
    (job / "pictures").symlink_to(job / "elsewhere")
    assert read_report(job).after is None


def change(job: Path, **values: Any) -> None:
    path = job / "report.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    "values",
    [
        {"frames": []},
        {"frames": 3},
        {"frames": [{"frame": -1, "painted": True, "reason": "x"}]},
        {"frames": [{"frame": "1", "painted": True, "reason": "x"}]},
        {"frames": [{"painted": True}]},
        {"moments": [{"frame": 1, "loss": 0.5}]},
        {"moments": [{"frame": 1, "loss": 0.5, "box": [0, 0, 0, 4]}]},
        {"moments": [{"frame": 1, "loss": 0.5, "box": [0, 0, "a", 4]}]},
        {"moments": [{"frame": 1, "loss": 0.5, "box": [0, 0, 1e999, 4]}]},
        {"moments": {}, "frames": None},
        {"pictures": "../../etc"},
        {"pictures": "pictures/../windows"},
        {"pictures": 3},
        {"summary": 3},
        {"schema": "restyle.comparison"},
        {"version": 99},
    ],
)
def test_a_changed_report_is_one_line(job: Path, values: dict[str, Any]) -> None:
    change(job, **values)
    with pytest.raises(JobError, match=r"report\.json.*run the job again"):
        read_report(job)


def test_no_report_and_no_json_are_one_line(job: Path) -> None:
    (job / "report.json").write_text("{")
    with pytest.raises(JobError, match="cannot read"):
        read_report(job)
    (job / "report.json").unlink()
    with pytest.raises(JobError, match="--no-report"):
        read_report(job)
