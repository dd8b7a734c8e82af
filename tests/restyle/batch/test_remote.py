"""Batches of footage elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from batches import contents, ends, run
from clips import moving_frames, write_clip
from object_store import Bucket

from restyle.batch.batch import Batch
from restyle.batch.clips import Findings
from restyle.batch.discovery import find_clips
from restyle.batch.manifest import read_manifest
from restyle.batch.watch import watched
from restyle.errors import FootageError, RecipeError
from restyle.files.remote import Url, place_of

SIZE = (32, 32)


def test_the_same_clips_are_found_as_in_the_same_folder_here(footage: Path, bucket: Bucket) -> None:
    (footage / ".hidden").mkdir()
    (footage / "job").mkdir()
    for name in (".hidden/a.mp4", "job/job.json", "job/b.mp4", "day1/single.png", "day1/note.txt"):
        (footage / name).write_bytes(b"x")
    for number in range(3):
        for name in ("left", "right"):
            (footage / "day1" / f"{name}.{number}.png").write_bytes(b"x")
    url = place_of(bucket.put(footage, "all"))
    found, here = Findings(), Findings()
    assert [(str(clip.source.relative_to(url)), clip.folder, clip.stem) for clip in find_clips([url], found)] == [
        (str(clip.source.relative_to(footage)), clip.folder, clip.stem) for clip in find_clips([footage], here)
    ]
    assert found.pictures == here.pictures == 1


def test_patterns_and_single_clips(footage: Path, bucket: Bucket) -> None:
    url = place_of(bucket.put(footage, "all"))
    for name in ("**/*.mov", "day*", "a.mp4", "shot/frame.%04d.png", "*.mp4"):
        found = [(clip.source, clip.folder, clip.stem) for clip in find_clips([url / name], Findings())]
        here = [(clip.source, clip.folder, clip.stem) for clip in find_clips([footage / name], Findings())]
        assert [(str(s.relative_to(url)), *rest) for s, *rest in found] == [
            (str(s.relative_to(footage)), *rest) for s, *rest in here
        ]
    for name, line in {"*.mxf": "nothing matches 's3://", "none": "no file or folder 's3://"}.items():
        with pytest.raises(FootageError, match=line):
            list(find_clips([url / name], Findings()))


def test_results_are_those_of_the_same_footage_here(footage: Path, bucket: Bucket, tmp_path: Path) -> None:
    url = bucket.put(footage, "all")
    run(footage, tmp_path / "here")
    results = run([url], tmp_path / "out")  # type: ignore[list-item]
    assert {result.status for result in results} == {"done"}
    assert {str(result.source) for result in results} == {
        f"{url}/a.mp4",
        f"{url}/day1/b.mov",
        f"{url}/shot/frame.%04d.png",
    }
    assert contents(tmp_path / "out") == contents(tmp_path / "here")


def test_what_is_done_is_not_fetched_again(footage: Path, bucket: Bucket, tmp_path: Path) -> None:
    url = bucket.put(footage, "all")
    run([url], tmp_path / "out")  # type: ignore[list-item]
    for copy in (tmp_path / "cache" / "restyle" / "remote").iterdir():
        copy.rename(tmp_path / copy.name)
    bucket.asked.clear()
    again = run([url], tmp_path / "out")  # type: ignore[list-item]
    assert {result.status for result in again} == {"skipped"}
    assert bucket.fetched() == []
    bucket.put(footage / "a.mp4", "all/a.mp4")  # put there anew, the same
    bucket.put(write_clip(tmp_path / "b.mov", moving_frames(5, SIZE, seed=9)), "all/day1/b.mov")
    assert ends(run([url], tmp_path / "out")) == {  # type: ignore[list-item]
        "a.mp4": "skipped: done",
        "b.mov": "done: other footage",
        "frame.%04d.png": "skipped: done",
    }


def test_one_that_cannot_be_read_stops_no_other(footage: Path, bucket: Bucket, tmp_path: Path) -> None:
    url = bucket.put(footage, "all")
    bucket.files.pipe_file(f"{bucket.name}/all/bad.mp4", b"no film")
    manifest = tmp_path / "clips.csv"
    manifest.write_text(
        f"clip,output\nfootage/a.mp4,here.mp4\n{url}/a.mp4,there.mp4\n{url}/bad.mp4,bad.mp4\n{url}/gone.mp4,gone.mp4\n"
    )
    results = {result.output.name: result for result in run(manifest, tmp_path / "out")}
    assert {name: result.status for name, result in results.items()} == {
        "here.mp4": "done",
        "there.mp4": "done",
        "bad.mp4": "failed",
        "gone.mp4": "failed",
    }
    assert (tmp_path / "out" / "here.mp4").read_bytes() == (tmp_path / "out" / "there.mp4").read_bytes()
    assert f"{url}/bad.mp4" in results["bad.mp4"].line
    assert results["gone.mp4"].line == f"there is no file or folder '{url}/gone.mp4'"
    with pytest.raises(RecipeError, match="a manifest lies on this machine"):
        Batch([f"{bucket.url}/clips.csv"], tmp_path / "out")
    assert [str(clip.source) for clip in read_manifest(manifest)][1] == f"{url}/a.mp4"


def test_a_dry_run_fetches_nothing_and_offline_is_offline(footage: Path, bucket: Bucket, tmp_path: Path) -> None:
    url = bucket.put(footage, "all")
    bucket.asked.clear()
    plan = list(Batch([url], tmp_path / "out", {"painter": "identity"}).plan())
    assert [(clip.action, clip.frames) for clip in plan] == [("restyle", None)] * 3
    assert bucket.fetched() == []
    with pytest.raises(RecipeError, match="--offline fetches nothing"):
        list(Batch([url], tmp_path / "out", {"painter": "identity"}, offline=True).results())


def test_a_folder_elsewhere_is_watched(footage: Path, bucket: Bucket) -> None:
    from restyle.batch.entries import Entries

    url = place_of(bucket.put(footage / "a.mp4", "all/a.mp4")).parent
    assert isinstance(url, Url)
    seen = watched(Entries([url], Path("out"), {}), settled=0, every=0)

    def names(looks: int) -> list[str]:
        return [entry.name for entry in (next(seen) for _ in range(looks)) if entry is not None]  # type: ignore[union-attr]

    assert names(4) == ["a.mp4"]
    bucket.put(footage / "day1" / "b.mov", "all/b.mov")
    assert "b.mov" in names(6)
