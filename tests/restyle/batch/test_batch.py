"""Batches, in this process: what is done, what is skipped, what fails, and that nothing else suffers."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from batches import FIELDS, contents, ends, run
from clips import moving_frames, write_clip

import restyle
from restyle.batch.batch import Batch
from restyle.batch.results import BatchProgress
from restyle.errors import Cancelled, FootageError, JobError, JobLockedError, OutputError, RecipeError
from restyle.job.job import Job


def test_every_clip_is_restyled_as_by_itself(footage: Path, tmp_path: Path) -> None:
    results = run(footage, tmp_path / "out")
    assert ends(results) == {"a.mp4": "done: new", "b.mov": "done: new", "frame.%04d.png": "done: new"}
    alone = tmp_path / "alone"
    alone.mkdir()
    for source, name in (("a.mp4", "a.mp4"), ("day1/b.mov", "b.mov")):
        restyle.restyle(footage / source, alone / name, painter="identity")
    made = contents(tmp_path / "out")
    assert made["a.mp4"] == (alone / "a.mp4").read_bytes()
    assert made["day1/b.mov"] == (alone / "b.mov").read_bytes()
    assert [name for name in made if name.startswith("shot/frame")] == [f"shot/frame.{n:04d}.png" for n in range(5)]
    assert {path.name for path in footage.rglob("*") if path.is_file()} == {
        "a.mp4",
        "b.mov",
        *(f"frame.{n:04d}.png" for n in range(5)),
    }
    log = [json.loads(line) for line in (tmp_path / "out/batch.restyle/log.jsonl").read_text().splitlines()]
    assert [line["status"] for line in log] == ["done"] * 3
    assert log[0]["facts"]["frames"] == 6


def test_a_rerun_does_what_is_new_or_changed_by_content_alone(footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(footage, out)
    before = contents(out)
    write_clip(footage / "new.mp4", moving_frames(3, (32, 32)))
    old = os.stat(footage / "a.mp4")
    write_clip(footage / "a.mp4", moving_frames(6, (32, 32), seed=7), audio=True)
    os.utime(footage / "a.mp4", ns=(old.st_atime_ns, old.st_mtime_ns))
    shutil.copyfile(footage / "day1/b.mov", tmp_path / "same")
    os.replace(tmp_path / "same", footage / "day1/b.mov")  # other times, another inode, the same bytes
    assert ends(run(footage, out)) == {
        "a.mp4": "done: other footage",
        "b.mov": "skipped: done",
        "frame.%04d.png": "skipped: done",
        "new.mp4": "done: new",
    }
    after = contents(out)
    assert after["a.mp4"] != before["a.mp4"]
    assert after["day1/b.mov"] == before["day1/b.mov"]
    assert set(ends(run(footage, out)).values()) == {"skipped: done"}


def test_unchanged_files_are_not_read_again(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    run(footage, out)

    def unread(*_: object) -> str:
        raise AssertionError("read once more")

    monkeypatch.setattr("restyle.job.inputs.Inputs.digest", unread)
    assert set(ends(run(footage, out)).values()) == {"skipped: done"}


def test_another_recipe_does_all_again_and_its_pictures_count_by_content(footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    picture = tmp_path / "hand.png"
    shutil.copyfile(footage / "shot/frame.0000.png", picture)
    fields = {**FIELDS, "storyboard": {0: str(picture)}, "filler": "hold"}
    run(footage / "shot", out, fields)
    assert ends(run(footage / "shot", out, fields)) == {"frame.%04d.png": "skipped: done"}
    moved = picture.rename(tmp_path / "moved.png")
    fields["storyboard"] = {0: str(moved)}
    assert ends(run(footage / "shot", out, fields)) == {"frame.%04d.png": "skipped: done"}
    shutil.copyfile(footage / "shot/frame.0001.png", moved)
    assert ends(run(footage / "shot", out, fields)) == {"frame.%04d.png": "done: another recipe"}
    assert ends(run(footage / "shot", out, {**fields, "mix": 0.5})) == {"frame.%04d.png": "done: another recipe"}


def test_one_bad_clip_does_not_stop_the_rest(footage: Path, tmp_path: Path) -> None:
    (footage / "aa.mp4").write_bytes(b"no video")
    (footage / "empty.mp4").write_bytes(b"")
    (footage / "shot/frame.0002.png").unlink()
    batch = Batch([footage], tmp_path / "out", FIELDS)
    results = list(batch.results())
    assert {r.source.name: r.status for r in results} == {
        "a.mp4": "done",
        "aa.mp4": "failed",
        "b.mov": "done",
        "empty.mp4": "failed",
        "frame.%04d.png": "failed",
    }
    assert (batch.summary.done, batch.summary.failed) == (2, 3)
    for result in results:
        if result.status == "failed":
            assert result.error == "FootageError"
            assert str(result.source) in result.line
            assert "\n" not in result.line


def test_a_clip_that_vanishes_fails_alone(footage: Path, tmp_path: Path) -> None:
    results = []
    for result in Batch([footage], tmp_path / "out", FIELDS).results():
        results.append(result)
        (footage / "day1/b.mov").unlink(missing_ok=True)
    assert ends(results)["b.mov"].startswith("failed: there is no file")
    assert ends(results)["frame.%04d.png"] == "done: new"


def test_a_clip_that_fails_in_the_middle_is_told_with_its_error(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_job = Job.begin

    def failing(self: Job, **options: Any) -> Any:
        if self.source.name == "a.mp4":
            raise ZeroDivisionError("nobody foresaw this")
        return begin_job(self, **options)

    monkeypatch.setattr(Job, "begin", failing)
    results = run(footage, tmp_path / "out")
    assert ends(results)["a.mp4"].startswith("failed: internal error: ZeroDivisionError")
    assert [result.status for result in results] == ["failed", "done", "done"]


def test_a_full_disk_stops_the_batch_and_is_no_end(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_job = Job.begin

    def full(self: Job, **options: Any) -> Any:
        if self.source.name == "b.mov":
            raise OutputError("no space left") from OSError(errno.ENOSPC, "No space left on device")
        return begin_job(self, **options)

    monkeypatch.setattr(Job, "begin", full)
    out = tmp_path / "out"
    batch = Batch([footage], out, FIELDS)
    results = list(batch.results())
    assert [result.status for result in results] == ["done", "failed"]
    assert batch.summary.left == 1
    windows = out / "batch.restyle/jobs/a.mp4/windows"
    assert list(windows.iterdir()) == []  # what a finished job kept was given up first
    monkeypatch.setattr(Job, "begin", begin_job)
    again = ends(run(footage, out))
    assert again == {"a.mp4": "skipped: done", "b.mov": "done: begun before", "frame.%04d.png": "done: new"}


def test_results_that_are_not_ours_are_left_alone(footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.mp4").write_bytes(b"a person's own")
    results = run(footage, out)
    assert ends(results)["a.mp4"].startswith(f"failed: '{out}/a.mp4' is there already, and not of this batch")
    assert (out / "a.mp4").read_bytes() == b"a person's own"
    with open(out / "day1/b.mov", "ab") as file:
        file.write(b"edited")
    assert ends(run(footage, out))["b.mov"].startswith(f"failed: '{out}/day1/b.mov' was changed since it was restyled")
    done = ends(run(footage, out, overwrite=True))
    assert done == {
        "a.mp4": "done: new",
        "b.mov": "done: its result was changed",
        "frame.%04d.png": "skipped: done",
    }
    (out / "a.mp4").unlink()
    assert ends(run(footage, out))["a.mp4"] == "done: its result is gone"


def test_stopped_and_started_again_it_ends_with_the_same_bytes(footage: Path, tmp_path: Path) -> None:
    run(footage, tmp_path / "whole")
    cancel = threading.Event()
    seen: list[BatchProgress] = []

    def stop(now: BatchProgress) -> None:
        seen.append(now)
        if now.done == 1 and any(progress.stage == "render" for progress in now.running.values()):
            cancel.set()

    batch = Batch([footage], tmp_path / "out", FIELDS, progress=stop, cancel=cancel)
    ended = []
    with pytest.raises(Cancelled):
        ended += [result.output.name for result in batch.results()]
    assert not (tmp_path / "out/day1/b.mov").exists()
    assert seen[-1].total == 3
    results = ends(run(footage, tmp_path / "out"))
    assert results == {"a.mp4": "skipped: done", "b.mov": "done: begun before", "frame.%04d.png": "done: new"}
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_two_batches_into_one_folder_are_told(footage: Path, tmp_path: Path) -> None:
    first = Batch([footage], tmp_path / "out", FIELDS).results()
    next(first)
    with pytest.raises(
        JobLockedError, match=r"another job of this process \(\d+\) restyles a batch into '.*out': wait"
    ):
        run(footage, tmp_path / "out")
    first.close()  # type: ignore[attr-defined]
    run(footage, tmp_path / "out")


def test_a_folder_of_that_name_that_is_not_ours_is_left(footage: Path, tmp_path: Path) -> None:
    own = tmp_path / "out/batch.restyle"
    own.mkdir(parents=True)
    (own / "mine.txt").write_text("x")
    with pytest.raises(JobError, match="holds other things than a batch"):
        run(footage, tmp_path / "out")
    (own / "mine.txt").unlink()
    (own / "batch.json").write_text('{"made_by": "restyle", "format": 99}')
    with pytest.raises(JobError, match="has format 99"):
        run(footage, tmp_path / "out")


@pytest.mark.parametrize(
    "damage", [b"", b"[]", b'{"name": 5}', b"\xff", b'{"name": "a.mp4", "facts": [], "source": ""}']
)
def test_a_damaged_record_is_no_record(footage: Path, tmp_path: Path, damage: bytes) -> None:
    out = tmp_path / "out"
    run(footage / "a.mp4", out)
    (record,) = (out / "batch.restyle/records").iterdir()
    record.write_bytes(damage)
    assert "is there already" in ends(run(footage / "a.mp4", out))["a.mp4"]
    assert ends(run(footage / "a.mp4", out, overwrite=True)) == {"a.mp4": "done: new"}


def place_in(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


@pytest.mark.parametrize(
    ("arrange", "sources", "output", "error", "says"),
    [
        (place_in, ["empty"], "out", FootageError, r"there are no clips in '.*empty'$"),
        (None, [], "out", RecipeError, "no footage is named"),
        (
            None,
            ["footage"],
            "footage/out",
            OutputError,
            r"the output '.*' lies in '.*footage', where clips are looked for",
        ),
        (None, ["footage"], "footage", OutputError, "lies in"),
        (None, ["footage/a.mp4"], "footage", OutputError, "would lie beside it"),
        (None, ["footage/**/*.mov"], "footage/day1", OutputError, "lies in"),
        (None, ["footage/*"], "footage/restyled", OutputError, "lies in"),
        (None, ["footage/*.mov"], "footage/restyled", FootageError, "nothing matches"),
        (None, ["footage", "nothing"], "out", FootageError, "there is no file or folder"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_done(
    footage: Path,
    tmp_path: Path,
    arrange: Callable[[Path], None] | None,
    sources: list[str],
    output: str,
    error: type[Exception],
    says: str,
) -> None:
    if arrange is not None:
        arrange(tmp_path / sources[0])
    with pytest.raises(error, match=says) as raised:
        run([tmp_path / source for source in sources], tmp_path / output)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / output / "batch.restyle").exists()


def test_pictures_without_numbers_are_no_clips(tmp_path: Path, footage: Path) -> None:
    folder = tmp_path / "stills"
    folder.mkdir()
    for name in ("dog.png", "cat.png"):
        shutil.copyfile(footage / "shot/frame.0000.png", folder / name)
    with pytest.raises(FootageError, match=r"there are no clips in '.*stills', but 2 pictures that are no sequence"):
        run(folder, tmp_path / "out")


def test_two_clips_for_one_result_are_told_before_anything_is_done(footage: Path, tmp_path: Path) -> None:
    shutil.copyfile(footage / "a.mp4", footage / "A.MP4")
    with pytest.raises(RecipeError, match=r"'.*A.MP4' and '.*a.mp4' would both be written to"):
        run(footage, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_manifest_overrides_clip_by_clip(footage: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_text("clip,output,range\nfootage/a.mp4,first.mkv,0:2\nfootage/shot,,1:4\nfootage/none.mp4,,\n")
    results = run([manifest], tmp_path / "out", {**FIELDS, "range": "0:1"})
    assert {r.output.name: r.facts.get("frames") for r in results} == {
        "first.mkv": 2,
        "frame.%04d.png": 3,
        "none.mp4": None,
    }
    assert sorted(contents(tmp_path / "out")) == [
        "first.mkv",
        "footage/shot/.restyle-files.json",
        *(f"footage/shot/frame.{n:04d}.png" for n in (1, 2, 3)),
    ]


def test_the_api_is_one_call_that_gives_results_and_tells_progress(footage: Path, tmp_path: Path) -> None:
    seen: list[BatchProgress] = []
    results = restyle.batch(footage, tmp_path / "out", painter="identity", template="{stem}.mkv", progress=seen.append)
    assert seen == []
    assert {result.output.name for result in results} == {"a.mkv", "b.mkv", "shot.mkv"}
    assert [now.done for now in seen] == sorted(now.done for now in seen)
    assert (seen[-1].done, seen[-1].total, dict(seen[-1].running)) == (3, 3, {})
    assert any(progress.stage == "render" for now in seen for progress in now.running.values())
    assert any(now.left is not None for now in seen)


def test_the_package_is_the_function_too_whatever_is_imported_first() -> None:
    import subprocess
    import sys

    for first in ("restyle.batch.manifest", "restyle"):
        code = f"import {first}, restyle; print(callable(restyle.batch)); restyle.batch([], 'x')"
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert said.stdout.strip() == "True"
        assert "RecipeError: no footage is named" in said.stderr


def test_a_dry_run_tells_and_writes_nothing(footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (footage / "bad.mp4").write_bytes(b"x")
    first = {clip.output.name: clip for clip in Batch([footage], out, FIELDS).plan()}
    assert {name: clip.action for name, clip in first.items()} == {
        "a.mp4": "restyle",
        "b.mov": "restyle",
        "bad.mp4": "fail",
        "frame.%04d.png": "restyle",
    }
    assert (first["a.mp4"].frames, first["a.mp4"].seconds, first["a.mp4"].keyframes) == (6, None, None)
    assert not out.exists()
    run(footage / "a.mp4", out)
    write_clip(footage / "long.mp4", moving_frames(60, (32, 32)))
    plans = {clip.output.name: clip for clip in Batch([footage], out, FIELDS).plan()}
    assert (plans["a.mp4"].action, plans["a.mp4"].why) == ("skip", "done")
    short, long = plans["b.mov"].seconds, plans["long.mp4"].seconds
    assert short is not None
    assert long == pytest.approx(short * 60 / 8)
    assert (plans["long.mp4"].bytes or 0) > (plans["b.mov"].bytes or 0) > 0
    changed = {clip.output.name: clip for clip in Batch([footage], out, {**FIELDS, "seed": 1}).plan()}
    assert (changed["a.mp4"].action, changed["a.mp4"].why) == ("restyle", "another recipe")


def test_a_dry_run_counts_shots_where_they_are_known(footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fields = {**FIELDS, "cuts": [4]}
    run(footage / "day1", out, fields)
    (out / "b.mov").unlink()
    (clip,) = Batch([footage / "day1"], out, fields).plan()
    assert (clip.exact, clip.shots) == (True, 2)
    (clip,) = Batch([footage / "day1"], out, {**fields, "seed": 3}).plan()
    assert not clip.exact
