"""Batches whose results lie elsewhere."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
import time
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import fsspec
import pytest
from batches import FIELDS, contents, ends, run
from clips import moving_frames, write_clip
from command import Caller
from object_store import Bucket

from restyle.batch.batch import Batch
from restyle.batch.cleaning import finished_jobs
from restyle.batch.remote_folder import RemoteBatchFolder
from restyle.engines.pool import ProcessPool
from restyle.errors import JobError, JobLockedError, OutputError, RecipeError
from restyle.files import lease
from restyle.files.owned import LIST_NAME
from restyle.files.remote import RemoteError, Url, place_of, send
from restyle.footage import read_picture, write_picture
from restyle.job import remote_output

SIZE = (32, 32)
KILLED = 9
FAR_AWAY = b"token\na process of far-away (7)\n31\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "EVERY", 0.1)
    monkeypatch.setattr(lease, "GONE", 0.5)


def results_in(bucket: Bucket) -> dict[str, bytes]:
    """As ``contents`` of a folder here."""
    names = [name for name in bucket.names() if name.startswith("out/") and "/batch.restyle/" not in name]
    return {name.removeprefix("out/"): bucket.files.cat_file(f"{bucket.name}/{name}") for name in names}


def kept_in(bucket: Bucket, name: str) -> str:
    """A file of the batch's own."""
    return str(bucket.files.cat_file(f"{bucket.name}/out/batch.restyle/{name}").decode())


def another_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another-machine"))


def test_results_are_those_of_a_folder_here_and_what_is_done_is_done(
    footage: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = f"{bucket.url}/out"
    run(footage, tmp_path / "here")
    batch = Batch([footage], out, FIELDS, report=False)
    assert str(batch.index) == f"{out}/batch.restyle/index.html"
    assert ends(list(batch.results())) == {"a.mp4": "done: new", "b.mov": "done: new", "frame.%04d.png": "done: new"}
    assert results_in(bucket) == contents(tmp_path / "here")
    assert "out/batch.restyle/lock" not in bucket.names()
    assert not [*(tmp_path / "cache").rglob("result/*")]  # what was sent does not lie here as well
    before = {name: bucket.files.info(f"{bucket.name}/{name}")["LastModified"] for name in bucket.names()}
    bucket.asked.clear()
    skipped = run(footage, out)
    assert set(ends(skipped).values()) == {"skipped: done"}
    assert {str(result.output) for result in skipped} == {
        f"{out}/{n}" for n in ("a.mp4", "day1/b.mov", "shot/frame.%04d.png")
    }
    assert not [key for key in bucket.fetched() if key.endswith((".mp4", ".mov", ".png"))]
    another_machine(monkeypatch, tmp_path)
    write_clip(footage / "new.mp4", moving_frames(3, SIZE))
    write_clip(footage / "a.mp4", moving_frames(6, SIZE, seed=7), audio=True)
    assert [clip.action for clip in Batch([footage], out, FIELDS).plan()] == ["restyle", "skip", "restyle", "skip"]
    assert ends(run(footage, out)) == {
        "a.mp4": "done: other footage",
        "b.mov": "skipped: done",
        "frame.%04d.png": "skipped: done",
        "new.mp4": "done: new",
    }
    assert bucket.files.info(f"{bucket.name}/out/day1/b.mov")["LastModified"] == before["out/day1/b.mov"]
    run(footage, tmp_path / "there")
    assert results_in(bucket) == contents(tmp_path / "there")
    assert len(kept_in(bucket, "log.jsonl").splitlines()) == 3 + 3 + 4


KILLS = {
    "before the record": (
        "from restyle.batch.remote_folder import RemoteBatchFolder as F\n"
        "write = F.write\n"
        "F.write = lambda self, record: os._exit(9) if (record.name, record.state) == ('day1/b.mov', 'done') "
        "else write(self, record)\n"
    ),
    "between pictures": (
        "from restyle.job import remote_output as m\n"
        "send = m.send\n"
        "def some(paths, urls, report):\n"
        "    if len(paths) == 1: return send(paths, urls, report)\n"
        "    send(paths[:2], urls[:2], report); os._exit(9)\n"
        "m.send = some\n"
    ),
}


def test_killed_anywhere_and_started_again_it_has_the_same_bytes(footage: Path, bucket: Bucket, tmp_path: Path) -> None:
    out = f"{bucket.url}/out"
    run(footage, tmp_path / "here")
    for kill in KILLS.values():
        code = (
            f"import os\nfrom restyle.batch.batch import Batch\n{kill}"
            f"list(Batch([{str(footage)!r}], {out!r}, {dict(FIELDS)!r}, report=False).results())"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == KILLED
        assert "out/batch.restyle/lock" in bucket.names()
    there = results_in(bucket)
    assert {"shot/frame.0001.png", f"shot/{LIST_NAME}"} <= there.keys()
    assert "shot/frame.0002.png" not in there
    assert ends(run(footage, out)) == {
        "a.mp4": "skipped: done",
        "b.mov": "skipped: done",
        "frame.%04d.png": "done: begun before",
    }
    assert results_in(bucket) == contents(tmp_path / "here")
    log = kept_in(bucket, "log.jsonl")
    assert [log.count(f'"status": "{end}"') for end in ("done", "skipped")] == [3, 1 + 2]  # none twice, none lost


def test_two_batches_on_one_output_are_one_line(
    footage: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, out = footage / "a.mp4", f"{bucket.url}/out"
    monkeypatch.setattr(lease, "GONE", 60)  # however busy this machine is
    with Batch([clip], out, FIELDS).folder.open():
        with pytest.raises(
            JobLockedError, match=rf"^another job of this process \(\d+\) restyles a batch into '{out}'"
        ):
            run(clip, out)
        another_machine(monkeypatch, tmp_path)
        with pytest.raises(
            JobLockedError, match=rf"^a process of \S+ \(\d+\) restyles a batch into '{out}': wait for it"
        ):
            run(clip, out)
    assert results_in(bucket) == {}
    monkeypatch.setattr(lease, "GONE", 0.5)
    bucket.files.pipe_file(f"{bucket.name}/out/batch.restyle/lock", FAR_AWAY)
    assert {result.status for result in run(clip, out)} == {"done"}  # whoever that was has stopped writing


def test_whoever_was_taken_for_gone_gives_way(footage: Path, bucket: Bucket) -> None:
    batch = Batch([footage], f"{bucket.url}/out", FIELDS, report=False)
    results = batch.results()
    next(results)
    assert isinstance(batch.folder, RemoteBatchFolder)
    assert batch.folder._lease is not None
    while not batch.folder._lease.lost:  # again, for it may just have written itself
        bucket.files.pipe_file(f"{bucket.name}/out/batch.restyle/lock", FAR_AWAY)
        time.sleep(0.2)
    with pytest.raises(JobLockedError, match=r"^a process of far-away \(7\) restyles a batch into 's3://"):
        next(results)
    assert bucket.files.cat_file(f"{bucket.name}/out/batch.restyle/lock") == FAR_AWAY


def test_results_that_are_not_ours_are_left_alone(footage: Path, bucket: Bucket) -> None:
    out = f"{bucket.url}/out"
    own = {"a.mp4": b"a person's own", "shot/frame.0003.png": b"of a person, too"}
    for name, data in own.items():
        bucket.files.pipe_file(f"{bucket.name}/out/{name}", data)
    line = "' is there already, and not of this batch: move it, or --overwrite"
    assert ends(run(footage, out)) == {
        "a.mp4": f"failed: '{out}/a.mp4{line}",
        "b.mov": "done: new",
        "frame.%04d.png": f"failed: '{out}/shot/frame.%04d.png{line}",
    }
    bucket.files.pipe_file(f"{bucket.name}/out/day1/b.mov", b"edited")
    assert ends(run(footage, out))["b.mov"].startswith(f"failed: '{out}/day1/b.mov' was changed since it was restyled")
    assert {name: data for name, data in results_in(bucket).items() if name in own} == own
    assert ends(run(footage, out, overwrite=True)) == {
        "a.mp4": "done: new",
        "b.mov": "done: its result was changed",
        "frame.%04d.png": f"failed: '{out}/shot/frame.0003.png' was not written by restyle, or was changed since: "
        "move it away, or write into another folder",
    }
    bucket.files.rm(f"{bucket.name}/out/a.mp4")
    bucket.files.pipe_file(f"{bucket.name}/out/day1/b.mov", bucket.files.cat_file(f"{bucket.name}/out/day1/b.mov"))
    bucket.files.rm(f"{bucket.name}/out/shot", recursive=True)
    assert ends(run(footage, out)) == {
        "a.mp4": "done: its result is gone",
        "b.mov": "skipped: done",
        "frame.%04d.png": "done: begun before",
    }


def test_a_changed_recipe_replaces_all_and_a_full_disk_is_no_end(
    footage: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = f"{bucket.url}/out"
    run(footage, out)
    other = {**FIELDS, "mix": 0.5, "quality": 20}
    tries: list[str] = []

    def full(paths: list[Path], urls: list[Url], report: Any) -> None:
        tries.append(urls[0].name)
        if urls[0].name == "b.mov":
            raise OSError(errno.ENOSPC, "No space left on device")
        send(paths, urls, report)

    with monkeypatch.context() as patched:
        patched.setattr(remote_output, "send", full)
        batch = Batch([footage], out, other, report=False)
        assert [result.status for result in batch.results()] == ["done", "failed"]
    assert batch.summary.left == 1
    assert tries == ["a.mp4", "b.mov", "b.mov"]  # once more, when what others keep on this machine was given up
    assert ends(run(footage, out, other)) == {
        "a.mp4": "skipped: done",
        "b.mov": "done: begun before",
        "frame.%04d.png": "done: another recipe",
    }
    run(footage, tmp_path / "here", other)
    assert results_in(bucket) == contents(tmp_path / "here")


def test_what_vanishes_and_what_is_damaged_fail_alone(footage: Path, bucket: Bucket, tmp_path: Path) -> None:
    url, out = bucket.put(footage, "all"), f"{bucket.url}/out"
    bucket.files.pipe_file(f"{bucket.name}/all/bad.mp4", b"no film")
    results = []
    for result in Batch([url], out, FIELDS, report=False).results():
        results.append(result)
        if result.source.name == "a.mp4":
            bucket.files.rm_file(f"{bucket.name}/all/day1/b.mov")
    lines = {result.source.name: result.line for result in results if result.status == "failed"}
    assert lines.keys() == {"bad.mp4", "b.mov"}
    assert lines["b.mov"] == f"there is no file or folder '{url}/day1/b.mov'"
    assert lines["bad.mp4"].startswith(f"'{url}/bad.mp4'")
    assert {result.source.name for result in results if result.status == "done"} == {"a.mp4", "frame.%04d.png"}


def test_what_cannot_be_is_one_line_before_any_work(
    footage: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put(footage, "all")
    bucket.files.pipe_file(f"{bucket.name}/other/batch.restyle/notes.txt", b"x")
    bucket.files.pipe_file(f"{bucket.name}/newer/batch.restyle/batch.json", b'{"made_by": "restyle", "format": 99}')
    for kind, key, line in (
        (JobError, "other", "other/batch.restyle' holds other things than a batch: choose another output"),
        (JobError, "newer", "newer/batch.restyle' has format 99, this restyle writes 1"),
    ):
        with pytest.raises(kind, match=line):
            run(footage, f"{bucket.url}/{key}")
    for source, key in (("", "out"), ("/all", "all/out"), ("/a*", "all/out"), ("/**/*.mov", "all/out")):
        with pytest.raises(
            OutputError, match=f"the output '{bucket.url}/{key}' lies in '{bucket.url}{re.escape(source)}'"
        ):
            Batch([f"{bucket.url}{source}"], f"{bucket.url}/{key}")
    Batch([f"{bucket.url}/all"], f"{bucket.url}/out")
    with pytest.raises(OutputError, match="would lie beside it"):
        run(f"{bucket.url}/all/a.mp4", f"{bucket.url}/all")  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match="--offline fetches nothing"):
        Batch([footage], f"{bucket.url}/out", offline=True)
    with pytest.raises(OutputError, match=r"cannot use 's3://no-such-bucket-here/out/batch\.restyle': it is not"):
        run(footage, "s3://no-such-bucket-here/out")
    nowhere = {"endpoint_url": "http://127.0.0.1:9", "config_kwargs": {"retries": {"total_max_attempts": 1}}}
    monkeypatch.setitem(fsspec.config.conf, "s3", nowhere)
    with pytest.raises(OutputError, match=f"cannot use '{bucket.url}/out/batch.restyle': its server cannot be reached"):
        run(footage, f"{bucket.url}/out")


def test_a_store_that_cannot_be_reached_is_no_reason_to_do_it_all_again(
    footage: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    from restyle.footage import staging

    out = f"{bucket.url}/out"
    run(footage / "a.mp4", out)
    monkeypatch.setattr(staging, "look_up", lambda url: (_ for _ in ()).throw(RemoteError("its server is asleep")))
    assert ends(run(footage / "a.mp4", out)) == {"a.mp4": f"failed: cannot read '{out}/a.mp4': its server is asleep"}


def test_the_page_is_that_of_a_folder_here_and_all_it_leads_to_is_there(
    footage: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(footage / "shot")
    (footage / "bad.mp4").write_bytes(b"no video")
    run(footage, tmp_path / "out", report=True)
    run(footage, f"{bucket.url}/out", report=True)
    page = kept_in(bucket, "index.html")
    here = (tmp_path / "out" / "batch.restyle" / "index.html").read_text()
    links = {unquote(unescape(link)) for link in re.findall(r'(?:src|href)="([^"]+)"', page)}
    assert {"../a.mp4", "jobs/a.mp4/report.html", "jobs/day1/b.mov/report.html"} <= links
    assert {os.path.normpath(f"out/batch.restyle/{link}") for link in links} <= {*bucket.names()}
    assert page == here
    another_machine(monkeypatch, tmp_path)
    run(footage, f"{bucket.url}/out", report=True)
    again = kept_in(bucket, "index.html")
    assert again.replace("skipped", "done").replace("done: done", "done: new") == page


def test_a_group_s_look_lies_there_and_goes_with_it(
    footage: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(footage / "shot")
    out = f"{bucket.url}/out"
    assert set(ends(run(footage, out, match_first=True)).values()) == {"done: new"}
    anchor = set(bucket.contents("out/batch.restyle/anchors"))
    assert {name.partition("/")[2] for name in anchor} == {"footage.png", "painting-0.png", "facts.json", LIST_NAME}
    another_machine(monkeypatch, tmp_path)
    assert set(ends(run(footage, out, match_first=True)).values()) == {"skipped: done"}
    (key,) = {name.partition("/")[0] for name in anchor}
    path = tmp_path / "painting.png"
    path.write_bytes(bucket.contents("out/batch.restyle/anchors")[f"{key}/painting-0.png"])
    write_picture(path, 255 - read_picture(path))  # a person paints over it
    bucket.put(path, f"out/batch.restyle/anchors/{key}/painting-0.png")
    assert set(ends(run(footage, out, match_first=True)).values()) == {"done: another recipe"}


@pytest.mark.slow
def test_workers_share_a_batch(footage: Path, bucket: Bucket, tmp_path: Path) -> None:
    run(footage, tmp_path / "here")
    results = run(footage, f"{bucket.url}/out", engine=ProcessPool(2, threads=1))
    assert {result.status for result in results} == {"done"}
    assert results_in(bucket) == contents(tmp_path / "here")


def test_what_finished_jobs_keep_there_is_given_up(
    footage: Path, bucket: Bucket, restyle_command: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept() -> set[str]:
        keys = [name.removeprefix("out/batch.restyle/jobs/") for name in bucket.names() if "/windows/" in name]
        return {key.partition("/windows/")[0] for key in keys}

    out = f"{bucket.url}/out"
    shutil.rmtree(footage / "shot")
    run(footage, out, cache=1)
    assert kept() == set()
    run(footage, out, overwrite=True, fields={**FIELDS, "quality": 20})
    assert kept() == {"a.mp4", "day1/b.mov"}
    found = finished_jobs(place_of(out))  # type: ignore[arg-type]
    assert [str(job.folder) for job in found] == [
        f"{out}/batch.restyle/jobs/{name}" for name in ("a.mp4", "day1/b.mov")
    ]
    keep = str(found[1].bytes)
    assert "of 1 finished job would be given up" in restyle_command("clean", out, "--keep", keep, "--dry-run").out
    said = restyle_command("clean", out, "--keep", keep, "--json").json
    assert (said["cleared"], said["bytes"]) == ([f"{out}/batch.restyle/jobs/a.mp4"], found[0].bytes)
    assert kept() == {"day1/b.mov"}
    assert set(ends(run(footage, out, fields={**FIELDS, "quality": 20})).values()) == {"skipped: done"}
    assert restyle_command("clean", f"{out}/none", "--json").json["jobs"] == 0
