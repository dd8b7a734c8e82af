"""``restyle clean``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from clips import moving_frames, write_clip
from command import Caller

from restyle.job.store import JobStore
from restyle.quality.stored_report import read_report


@pytest.fixture
def jobs(restyle_command: Caller, tmp_path: Path) -> list[Path]:
    """Three finished jobs, the last one the longest unused, and one that is not finished."""
    folders = []
    write_clip(tmp_path / "clip.mp4", moving_frames(4, (32, 32)))
    for number in range(4):
        restyle_command("run", "clip.mp4", "-o", f"{number}.mp4", "--painter", "identity")
        folders.append(tmp_path / f"{number}.mp4.restyle")
        os.utime(folders[-1] / "lock", (1_000_000 - number, 1_000_000 - number))
    (folders[3] / "result.json").unlink()
    return folders


def kept(folders: list[Path]) -> list[bool]:
    return [any((folder / "windows").iterdir()) for folder in folders]


def test_the_longest_unused_is_given_up_first(restyle_command: Caller, jobs: list[Path]) -> None:
    given_up = [path for path in jobs[0].rglob("*/*/**/*") if "pictures" not in path.parts]  # the report's own stay
    size = sum(path.stat().st_size for path in given_up if path.is_file())
    said = restyle_command("clean", ".", "--keep", str(int(size * 1.5)), "--dry-run").out
    assert "of 2 finished jobs would be given up" in said
    assert kept(jobs) == [True] * 4
    restyle_command("clean", ".", "--keep", str(int(size * 1.5)))
    assert kept(jobs) == [True, False, False, True]
    assert (jobs[1] / "report.html").is_file()
    assert read_report(jobs[1]).clip is not None
    assert Path("1.mp4").is_file()


def test_what_was_given_up_is_made_again(restyle_command: Caller, jobs: list[Path]) -> None:
    before = Path("0.mp4").read_bytes()
    assert restyle_command("clean", ".", "--json").json["jobs"] == 3
    assert kept(jobs) == [False, False, False, True]
    restyle_command("run", "clip.mp4", "-o", "0.mp4", "--painter", "identity", "--overwrite")
    assert Path("0.mp4").read_bytes() == before
    assert kept(jobs)[0]


def test_a_job_at_work_is_left(restyle_command: Caller, jobs: list[Path]) -> None:
    with JobStore(jobs[0]):
        restyle_command("clean", str(jobs[0]))
    assert kept(jobs)[0]


def test_what_cannot_be_is_one_line(restyle_command: Caller) -> None:
    assert restyle_command.fails("clean", "nothing", code=3) == "there is no folder 'nothing'"
    assert "a size is such as" in restyle_command.fails("clean", ".", "--keep", "some", code=2)
    assert restyle_command("clean", ".").out == "0 B of 0 finished jobs given up, 0 B kept\n"
