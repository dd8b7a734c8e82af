"""``restyle batch``."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from clips import moving_frames, write_clip
from command import Caller, start
from object_store import Bucket

IDENTITY = ("--painter", "identity", "--no-report", "--jobs", "1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two clips in ``in``."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "in").mkdir()
    for number, name in enumerate(("a.mp4", "b.mp4")):
        write_clip(tmp_path / "in" / name, moving_frames(4, (32, 32), seed=number))
    return tmp_path / "in"


def test_a_summary_tells_what_became_of_all(restyle_command: Caller, folder: Path) -> None:
    said = restyle_command("batch", "in", "-o", "out", *IDENTITY)
    assert "clips    2 done, 0 skipped, 0 failed" in said.out
    assert "restyle: done 'out/a.mp4' (new, " in said.err
    assert Path("out/a.mp4").is_file()
    said = restyle_command("batch", "in", "-o", "out", *IDENTITY)
    assert "clips    0 done, 2 skipped, 0 failed" in said.out
    assert "a.mp4" not in said.err
    assert "skipped 'out/a.mp4' (done)" in restyle_command("batch", "in", "-o", "out", *IDENTITY, "-v").err


def test_the_exit_code_counts_what_failed_and_each_is_a_line(restyle_command: Caller, folder: Path) -> None:
    for name in ("bad.mp4", "worse.mov"):
        (folder / name).write_bytes(b"x")
    said = restyle_command("batch", "in", "-o", "out", *IDENTITY, code=12)
    failed = [line for line in said.out.splitlines() if line.startswith("failed")]
    assert len(failed) == 2
    assert failed[0].startswith("failed   'in/bad.mp4' is no video that can be read")
    assert "2 done, 0 skipped, 2 failed" in said.out
    assert "failed" in restyle_command("batch", "in", "-o", "out", *IDENTITY, "-q", code=12).out


def test_json_has_all_clips(restyle_command: Caller, folder: Path) -> None:
    (folder / "bad.mp4").write_bytes(b"x")
    plain = restyle_command("batch", "in", "-o", "out", *IDENTITY, "--json", code=11).json
    assert {Path(clip["output"]).name: clip["status"] for clip in plain["clips"]} == {
        "a.mp4": "done",
        "b.mp4": "done",
        "bad.mp4": "failed",
    }
    assert plain["summary"]["done"] == 2
    log = [json.loads(line) for line in Path(plain["log"]).read_text().splitlines()]
    assert [line["source"] for line in log] == [clip["source"] for clip in plain["clips"]]


def test_results_elsewhere_are_told_by_their_address(restyle_command: Caller, folder: Path, bucket: Bucket) -> None:
    out = f"{bucket.url}/out"
    plain = restyle_command("batch", "in", "-o", out, *IDENTITY, "--json").json
    assert [clip["output"] for clip in plain["clips"]] == [f"{out}/a.mp4", f"{out}/b.mp4"]
    assert (plain["index"], plain["log"]) == (f"{out}/batch.restyle/index.html", f"{out}/batch.restyle/log.jsonl")
    said = restyle_command("batch", "in", "-o", out, *IDENTITY)
    assert f"results  '{out}'" in said.out
    assert "clips    0 done, 2 skipped, 0 failed" in said.out
    assert "2 to skip" in restyle_command("batch", "in", "-o", out, *IDENTITY, "--dry-run").out
    line = restyle_command.fails("batch", "in", "-o", out, *IDENTITY, "--offline", code=2)
    assert line == f"'{out}' is elsewhere, and --offline fetches nothing: name a copy on this machine"


def test_a_dry_run_says_what_would_be_done(restyle_command: Caller, folder: Path) -> None:
    said = restyle_command("batch", "in", "-o", "out", *IDENTITY, "--dry-run").out
    assert "2 clips to restyle, 8 frames; nothing like it was done on this machine yet" in said
    assert not Path("out").exists()
    restyle_command("batch", "in/a.mp4", "-o", "out", *IDENTITY)
    said = restyle_command("batch", "in", "-o", "out", *IDENTITY, "--dry-run").out
    assert "1 clip to restyle, 4 frames; about" in said
    assert "1 to skip, 0 that would fail" in said
    plain = restyle_command("batch", "in", "-o", "out", *IDENTITY, "--dry-run", "--json").json
    assert plain["totals"]["restyle"] == 1
    assert plain["totals"]["seconds"] > 0
    assert [clip["action"] for clip in plain["clips"]] == ["skip", "restyle"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("in", "-o", "in/out"), 4, "the output 'in/out' lies in 'in'"),
        (("nothing", "-o", "out"), 3, "there is no file or folder 'nothing'"),
        (("*.mkv", "-o", "out"), 3, "nothing matches '*.mkv'"),
        (("list.csv", "-o", "out"), 2, "manifest 'list.csv', clip 1: unknown column 'stlye', did you mean 'style'?"),
        (("in", "-o", "out", "--name", "x.mp4"), 2, "the name 'x.mp4' is the same for every clip"),
        (("in", "-o", "out", "--jobs", "0"), 2, "--jobs is at least 1, got 0"),
        (("in", "-o", "out", "--memory", "much"), 2, "a size is such as 500M, 8G or 1.5T, got 'much'"),
        (("in", "-o", "out", "--strength", "7"), 2, "the options: strength"),
        (("in",), 2, "missing option '--output'"),
        (("-o", "out"), 2, "missing argument 'INPUT...'"),
    ],
)
def test_what_cannot_be_is_one_line(
    restyle_command: Caller, folder: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    Path("list.csv").write_text("clip,stlye\nin/a.mp4,lava\n")
    assert says in restyle_command.fails("batch", *words, code=code)
    assert not Path("out").exists()


def test_run_says_that_batch_is_meant(restyle_command: Caller, folder: Path, tmp_path: Path) -> None:
    line = restyle_command.fails("run", "in", "-o", "out.mp4", code=3)
    assert line == "'in' is a folder of clips: to restyle all of them, restyle batch 'in' -o OUT; or name one of them"
    (tmp_path / "days" / "one").mkdir(parents=True)
    (folder / "a.mp4").rename(tmp_path / "days/one/a.mp4")
    assert "restyle batch 'days' -o OUT" in restyle_command.fails("run", "days", "-o", "out.mp4", code=3)


def test_stopped_it_says_how_it_goes_on(folder: Path, tmp_path: Path) -> None:
    write_clip(folder / "long.mp4", moving_frames(80, (64, 48)))
    command = ("batch", "in", "-o", "out", "--painter", "identity", "--no-report", "--jobs", "1")
    process = start(*command, cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not (tmp_path / "out/batch.restyle/jobs/long.mp4/recipe.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("restyle: stopped; what is finished is kept. To go on: ")
    assert "batch in -o out" in err.splitlines()[-1]
    again = start(*command, cwd=tmp_path)
    out, _ = again.communicate(timeout=100)
    assert again.returncode == 0
    assert "0 failed" in out


def test_a_second_batch_into_one_folder_is_one_line(restyle_command: Caller, folder: Path, tmp_path: Path) -> None:
    from restyle.batch.records import BatchFolder

    with BatchFolder(tmp_path / "out").open():
        line = restyle_command.fails("batch", "in", "-o", "out", *IDENTITY, code=5)
    assert (
        line
        == f"another job of this process ({os.getpid()}) restyles a batch into 'out': wait for it, or choose another output"
    )
