"""Reports read back from job folders, which anybody may have changed."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from restyle.errors import JobError
from restyle.quality.report import FrameRow, Moment, ReportData, write_report
from restyle.quality.stored_report import PaintedFrame, StoredMoment, read_report


@pytest.fixture
def job(tmp_path: Path) -> Path:
    rows = [
        FrameRow(frame, 0, painted=frame == 24, reason="start" if frame == 24 else None, moving_blocks=4)
        for frame in range(24, 30)
    ]
    data = ReportData(
        title="out.mp4", rate=Fraction(24), frames=rows, moments=[Moment(26, "00:00:01:02", 0.75, (8, 0, 40, 32))]
    )
    write_report(data, tmp_path / "report.html", tmp_path / "report.json")
    return tmp_path


def test_what_was_written_is_read(job: Path) -> None:
    report = read_report(job)
    assert report.first == 24
    assert report.painted == (PaintedFrame(24, "start"),)
    assert report.moments == (StoredMoment(26, 0.75, (8, 0, 40, 32)),)


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
