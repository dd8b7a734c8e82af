"""Clips are found, whatever lies about."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from clips import moving_frames, write_pictures

from restyle.batch import discovery
from restyle.batch.clips import Findings
from restyle.batch.discovery import find_clips
from restyle.errors import FootageError


def found(*sources: Path | str, findings: Findings | None = None) -> list[tuple[str, str, str]]:
    """Source (within the first one), folder and stem of each clip."""
    base = Path(sources[0])
    clips = find_clips([Path(source) for source in sources], findings or Findings())
    return [(os.path.relpath(clip.source, base), str(clip.folder), clip.stem) for clip in clips]


def test_a_folder_is_searched_with_all_that_lies_in_it(footage: Path) -> None:
    for name in ("notes.txt", ".hidden.mp4", "poster.jpg", "day1/B2.MXF"):
        (footage / name).write_bytes(b"x")
    (footage / "old.restyle").mkdir()
    (footage / "old.restyle" / "job.json").write_text("{}")
    (footage / "old.restyle" / "x.mp4").write_bytes(b"x")
    findings = Findings()
    assert found(footage, findings=findings) == [
        ("a.mp4", ".", "a"),
        ("day1/B2.MXF", "day1", "B2"),
        ("day1/b.mov", "day1", "b"),
        ("shot/frame.%04d.png", ".", "shot"),
    ]
    assert findings.pictures == 1
    assert findings.notes == []


def test_several_sequences_in_one_folder_are_several_clips(tmp_path: Path) -> None:
    for name in ("left.%04d.png", "right_%d.png"):
        write_pictures(tmp_path / "shot", moving_frames(3, (16, 16)), name)
    assert found(tmp_path / "shot") == [("left.%04d.png", ".", "left"), ("right_%d.png", ".", "right")]


def test_the_folder_itself_may_be_a_sequence(footage: Path) -> None:
    assert found(footage / "shot") == [("frame.%04d.png", ".", "shot")]
    assert found(footage / "shot" / "frame.%04d.png") == [(".", ".", "shot")]


def test_patterns_keep_the_folders_below_them(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [clip[1:] for clip in found(footage / "**" / "*.m*")] == [(".", "a"), ("day1", "b")]
    assert [clip[1:] for clip in found(footage / "d*")] == [("day1", "b")]
    monkeypatch.chdir(footage)
    assert [clip[1:] for clip in found("*.mp4")] == [(".", "a")]
    assert [clip[1:] for clip in found("*/*.mov")] == [("day1", "b")]


def test_a_clip_that_is_named_twice_is_one(footage: Path) -> None:
    assert len(found(footage, footage / "a.mp4", footage / "day1")) == 3


def test_what_is_not_there_is_told(footage: Path) -> None:
    with pytest.raises(FootageError, match=r"there is no file or folder '.*nothing'"):
        found(footage / "nothing")
    with pytest.raises(FootageError, match=r"nothing matches '.*\*\.mkv'"):
        found(footage / "*.mkv")


def test_links_are_followed_but_not_round_in_a_circle(footage: Path, tmp_path: Path) -> None:
    (footage / "day1" / "back").symlink_to(footage)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (footage / "a.mp4").rename(elsewhere / "c.mp4")
    (footage / "linked").symlink_to(elsewhere)
    (footage / "broken.mp4").symlink_to(tmp_path / "gone.mp4")
    findings = Findings()
    assert [clip[0] for clip in found(footage, findings=findings)] == [
        "broken.mp4",
        "day1/b.mov",
        "linked/c.mp4",
        "shot/frame.%04d.png",
    ]
    assert findings.notes == [f"'{footage}/day1/back' is a link to a folder that it lies in: not followed"]


def test_a_folder_that_cannot_be_read_is_told_and_left_out(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == "day1":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(discovery.os, "scandir", refusing)
    findings = Findings()
    assert [clip[0] for clip in found(footage, findings=findings)] == ["a.mp4", "shot/frame.%04d.png"]
    assert findings.notes == [f"cannot read the folder '{footage}/day1': permission denied; its clips are left out"]
