"""Footage elsewhere, on this machine."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from clips import moving_frames, write_clip, write_pictures
from object_store import Bucket

from restyle.errors import Cancelled, FootageError, OutputError
from restyle.files import cache
from restyle.files.remote import Url, place_of
from restyle.footage import files_of, probe
from restyle.footage.staging import find_remote, stage

SIZE = (32, 32)


def clip_at(bucket: Bucket, tmp_path: Path, key: str = "day 1/clip.mp4", seed: int = 0) -> Url:
    path = write_clip(tmp_path / "made.mp4", moving_frames(4, SIZE, seed=seed))
    url = place_of(bucket.put(path, key))
    assert isinstance(url, Url)
    return url


def copies(tmp_path: Path) -> list[Path]:
    root = tmp_path / "cache" / "restyle" / "remote"
    return sorted(path for path in root.iterdir() if path.name != cache.COUNTED)


def test_it_is_fetched_once_and_again_when_it_changes(bucket: Bucket, tmp_path: Path) -> None:
    url = clip_at(bucket, tmp_path)
    staged = stage(url)
    assert staged.path.name == "clip.mp4"
    assert staged.path.read_bytes() == (tmp_path / "made.mp4").read_bytes()
    assert staged.state == find_remote(url).state
    bucket.asked.clear()
    assert stage(url).path == staged.path
    assert bucket.fetched() == []
    clip_at(bucket, tmp_path, seed=1)
    other = stage(url)
    assert other.path != staged.path
    assert staged.path.exists()
    assert bucket.fetched() == ["day%201/clip.mp4"]


def test_of_a_sequence_only_what_is_new_is_fetched(bucket: Bucket, tmp_path: Path) -> None:
    pictures = write_pictures(tmp_path / "shot", moving_frames(5, SIZE), "frame.%04d.png", first=1)
    bucket.put(tmp_path / "shot", "shot")
    bucket.put(tmp_path / "shot" / "frame.0001.png", "shot/other.png")
    for name in ("shot/frame.%04d.png", "shot"):
        if name == "shot":
            bucket.files.rm_file(f"{bucket.name}/shot/other.png")
        staged = stage(Url(bucket.url) / name)
        assert [file.name for file in files_of(staged.path)] == [f"frame.{n:04d}.png" for n in range(1, 6)]
        assert probe(staged.path).frames == 5
    write_pictures(tmp_path / "shot", moving_frames(1, SIZE, seed=5), "frame.%04d.png", first=3)
    bucket.put(tmp_path / "shot", "shot")
    bucket.asked.clear()
    again = stage(Url(bucket.url) / "shot")
    assert bucket.fetched() == ["shot/frame.0003.png"]
    assert [file.read_bytes() for file in files_of(again.path)] == [
        file.read_bytes() for file in sorted((tmp_path / "shot").iterdir())
    ]
    assert pictures


def test_what_is_not_there_is_told(bucket: Bucket, tmp_path: Path) -> None:
    bucket.files.pipe_file(f"{bucket.name}/notes/readme.txt", b"text")
    clip_at(bucket, tmp_path, "day1/a.mp4")
    for name, line in {
        "none.mp4": "there is no file or folder 's3://",
        "notes": "holds no pictures",
        "day1": "is a folder of clips: to restyle all of them, restyle batch 's3://",
        "notes/frame.%04d.png": "no picture in 's3://.*' matches 'frame.%04d.png'",
    }.items():
        with pytest.raises(FootageError, match=line):
            stage(Url(bucket.url) / name)
    with pytest.raises(FootageError, match="there is no file or folder"):
        stage(Url("s3://nobody-has-this-bucket/a.mp4"))
    assert not (tmp_path / "cache").exists()


def test_the_longest_unused_is_given_up_but_nothing_that_is_in_use(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [clip_at(bucket, tmp_path, f"{number}.mp4", seed=number) for number in range(4)]
    size = (tmp_path / "made.mp4").stat().st_size
    monkeypatch.setenv("RESTYLE_REMOTE_CACHE", str(2 * size + 600))
    held = stage(urls[0])
    os.utime(held.path.parents[1] / "lock", (1, 1))
    for number, url in enumerate(urls[1:3], 1):
        used = stage(url).path.parents[1] / "lock"
        os.utime(used, (number + 1, number + 1))
    gc.collect()
    stage(urls[3])
    names = [path.name.partition("~")[0].rpartition("+")[2] for path in copies(tmp_path)]
    assert names == ["0.mp4", "3.mp4"]
    assert held.path.exists()


def test_copies_are_counted_now_and_then_alone(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = [clip_at(bucket, tmp_path, f"{number}.mp4", seed=number) for number in range(4)]
    counts: list[Path] = []
    monkeypatch.setattr(cache, "_copies", lambda root: counts.append(root) or iter(()))
    for url in urls[:3]:
        stage(url)
    assert len(counts) == 1
    monkeypatch.setattr(cache, "AGAIN", 0)
    stage(urls[3])
    assert len(counts) == 2


def test_a_disk_that_has_no_room_is_told_before_anything_is_fetched(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = clip_at(bucket, tmp_path)
    monkeypatch.setattr(cache, "LEFT", 1 << 62)
    bucket.asked.clear()
    with pytest.raises(OutputError, match=r"no room for [0-9,]+ bytes more: free some, or set XDG_CACHE_HOME"):
        stage(url)
    assert bucket.fetched() == []


def test_two_at_once_fetch_it_once(bucket: Bucket, tmp_path: Path) -> None:
    url = clip_at(bucket, tmp_path)
    bucket.asked.clear()
    code = (
        "from restyle.files.remote import Url; from restyle.footage.staging import stage\n"
        f"print(stage(Url({str(url)!r})).path)"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    paths = {run.communicate(timeout=60)[0].strip() for run in runs}
    assert paths == {str(stage(url).path)}
    assert bucket.fetched() == ["day%201/clip.mp4"]


def test_stopped_or_killed_in_the_middle_nothing_is_left_that_counts(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = clip_at(bucket, tmp_path)
    stop = threading.Event()

    def report(doing: str) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        stage(url, report=report)
    assert copies(tmp_path) == []
    assert not stop.is_set()
    code = (
        "import os; from restyle.files.remote import Url; from restyle.footage import staging\n"
        "staging.fetch = lambda files, targets, report: (targets[0].write_bytes(b'half'), os._exit(9))\n"
        f"staging.stage(Url({str(url)!r}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert len(copies(tmp_path)) == 2  # what is unfinished, and its lock
    staged = stage(url)
    assert staged.path.read_bytes() == (tmp_path / "made.mp4").read_bytes()
    assert copies(tmp_path) == [staged.path.parents[1]]
