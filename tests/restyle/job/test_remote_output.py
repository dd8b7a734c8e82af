"""Results elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import moving_frames, write_clip
from object_store import Bucket

from restyle.errors import OutputError, OutputExistsError
from restyle.job import remote_output
from restyle.job.job import Job
from restyle.recipe import Recipe

RECIPE = Recipe(painter="identity", keyframes="every:3")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mp4", moving_frames(8, (32, 32)), audio=True)


def test_it_is_the_same_as_here_and_its_job_lies_beside_it(
    clip: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Job(clip, tmp_path / "here.mp4", RECIPE, report=False).run()
    url = f"{bucket.url}/out/a.mp4"
    result = Job(clip, url, RECIPE, report=False).run()
    assert (str(result.output), str(result.folder)) == (url, f"{url}.restyle")
    assert bucket.contents("out")["a.mp4"] == (tmp_path / "here.mp4").read_bytes()
    assert {key.partition("/")[0] for key in bucket.contents("out")} == {"a.mp4", "a.mp4.restyle"}
    with pytest.raises(OutputExistsError, match=f"'{url}' is there already"):
        Job(clip, url, RECIPE, report=False).run()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another-machine"))
    again = Job(clip, url, RECIPE, report=False, overwrite=True).run()
    assert again.reused == 8
    assert bucket.contents("out")["a.mp4"] == (tmp_path / "here.mp4").read_bytes()


def test_broken_off_it_is_not_there_and_goes_on(
    clip: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{bucket.url}/a.mp4"
    with monkeypatch.context() as patched:
        patched.setattr(remote_output, "send", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            Job(clip, url, RECIPE, report=False).run()
    assert "a.mp4" not in bucket.names()
    assert Job(clip, url, RECIPE, report=False).run().reused == 8
    assert "a.mp4" in bucket.names()


def test_what_cannot_be_written_is_told_before_any_work(clip: Path, bucket: Bucket, tmp_path: Path) -> None:
    for url, line in {
        "s3://no-such-bucket-here/a.mp4": "cannot write 's3://no-such-bucket-here/a.mp4'",
        f"{bucket.url}/frame.png": "results elsewhere are video files .* and numbered pictures",
        f"{bucket.url}/folder": "results elsewhere are video files .* and numbered pictures",
    }.items():
        with pytest.raises(OutputError, match=line):
            Job(clip, url, RECIPE, folder=tmp_path / "job").run()
    assert not (tmp_path / "job").exists()
    source = bucket.put(clip, "in.mp4")
    with pytest.raises(OutputError, match="is the footage itself"):
        Job(source, source, RECIPE, overwrite=True).run()
    assert bucket.contents() == {"in.mp4": clip.read_bytes()}


def test_pictures_are_the_same_as_here(clip: Path, bucket: Bucket, tmp_path: Path) -> None:
    Job(clip, tmp_path / "shot" / "frame.%04d.png", RECIPE, report=False).run()
    url = f"{bucket.url}/out/shot/frame.%04d.png"
    result = Job(clip, url, RECIPE, report=False).run()
    assert (str(result.output), str(result.folder)) == (url, f"{bucket.url}/out/shot.restyle")
    assert bucket.contents("out/shot") == {path.name: path.read_bytes() for path in (tmp_path / "shot").iterdir()}
    with pytest.raises(OutputExistsError, match=f"'{bucket.url}/out/shot/frame.0000.png' is there already"):
        Job(clip, url, RECIPE, report=False).run()
    other = RECIPE.model_copy(update={"range": "0:5"})
    Job(clip, tmp_path / "shot" / "frame.%04d.png", other, report=False, overwrite=True).run()
    Job(clip, url, other, report=False, overwrite=True).run()
    assert bucket.contents("out/shot") == {path.name: path.read_bytes() for path in (tmp_path / "shot").iterdir()}


def test_pictures_that_are_not_ours_are_not_replaced(clip: Path, bucket: Bucket) -> None:
    bucket.files.pipe_file(f"{bucket.name}/shot/frame.0100.png", b"somebody's")
    job = Job(clip, f"{bucket.url}/shot/frame.%04d.png", RECIPE, report=False, overwrite=True)
    with pytest.raises(OutputError, match=r"frame\.0100\.png' was not written by restyle, or was changed since"):
        job.run()
    assert bucket.names() == ["shot/frame.0100.png"]
