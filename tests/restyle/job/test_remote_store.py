"""Job folders elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from clips import moving_frames, write_clip
from jobs import Jobs
from object_store import Bucket

from restyle.engines.pool import ProcessPool
from restyle.errors import JobError, OutputError, RecipeError
from restyle.files.cache import user_cache
from restyle.files.owned import LIST_NAME
from restyle.files.remote import Url
from restyle.job.job import Job
from restyle.job.opened import Begun
from restyle.job.order import JobOrder
from restyle.job.remote_store import RemoteStore, local_folder
from restyle.recipe import Recipe

KEY = "0" * 32
RECIPE = Recipe(painter="identity", keyframes="every:3", cuts=(8,))
SIZE = (32, 32)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mp4", moving_frames(16, SIZE, cuts=(8,)), audio=True)


def job_of(clip: str | Path, bucket: Bucket, output: Path, **options: object) -> Job:
    return Job(clip, output, RECIPE, folder=f"{bucket.url}/jobs/a", **options)  # type: ignore[arg-type]


def another_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))


def keep(store: RemoteStore, text: str = "what it is") -> None:
    with store.making("analysis", KEY) as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "a.txt").write_text(text)


def test_what_one_finishes_another_has(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = Url(bucket.url) / "job"
    with RemoteStore(url) as store:
        assert not store.has("analysis", KEY)
        keep(store)
        store.put_text("plan.json", "{}")
    sent = [line for line in bucket.asked if line.startswith("PUT ") and "/analysis/" in line]
    assert sent[-1].endswith(LIST_NAME)  # it counts from then on
    another_machine(monkeypatch, tmp_path, "other")
    for shared in (False, True):
        with RemoteStore(url, shared=shared) as store:
            assert store.has("analysis", KEY)
            with store.reading("analysis", KEY) as folder:
                assert (folder / "inner" / "a.txt").read_text() == "what it is"
            bucket.asked.clear()
            assert store.has("analysis", KEY)
            assert bucket.fetched() == []
    assert not list((local_folder(url) / "work").iterdir())


def test_what_is_damaged_or_half_there_is_not_there(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = Url(bucket.url) / "job"
    for number, (name, content) in enumerate(
        {
            "inner/a.txt": b"what it iz",  # as many bytes
            LIST_NAME: b'{"command": "analysis/1", "files": {"../../../evil": [[1, "0"]]}}',
        }.items()
    ):
        another_machine(monkeypatch, tmp_path, f"first-{number}")
        with RemoteStore(url, fresh=True) as store:
            keep(store)
        bucket.files.pipe_file(f"{bucket.name}/job/analysis/{KEY}/{name}", content)
        another_machine(monkeypatch, tmp_path, f"second-{number}")
        with RemoteStore(url) as store:
            assert not store.has("analysis", KEY)
            assert store.damaged == ["analysis"]
            assert not [key for key in bucket.names() if "/analysis/" in key]
            keep(store)
            assert store.has("analysis", KEY)
    bucket.files.rm_file(f"{bucket.name}/job/analysis/{KEY}/{LIST_NAME}")
    another_machine(monkeypatch, tmp_path, "third")
    with RemoteStore(url) as store:
        assert not store.has("analysis", KEY)


def test_what_was_finished_here_and_not_sent_is_sent(bucket: Bucket) -> None:
    url = Url(bucket.url) / "job"
    with RemoteStore(url) as store:
        keep(store)
    bucket.files.rm(f"{bucket.name}/job/analysis", recursive=True)
    with RemoteStore(url) as store:
        assert store.has("analysis", KEY)
    assert f"job/analysis/{KEY}/{LIST_NAME}" in bucket.names()


def test_only_what_is_ours_is_removed(bucket: Bucket) -> None:
    url = Url(bucket.url) / "job"
    with RemoteStore(url) as store:
        keep(store)
        bucket.files.pipe_file(f"{bucket.name}/job/analysis/notes/mine.txt", b"x")
        bucket.files.pipe_file(f"{bucket.name}/job/mine.txt", b"x")
        store.prune({"analysis": ()})
        assert not store.has("analysis", KEY)
    assert bucket.names() == ["job/analysis/notes/mine.txt", "job/job.json", "job/mine.txt"]


def test_folders_that_are_no_jobs_and_what_cannot_be_used(bucket: Bucket, tmp_path: Path) -> None:
    bucket.files.pipe_file(f"{bucket.name}/other/a.txt", b"x")
    bucket.files.pipe_file(f"{bucket.name}/newer/job.json", b'{"format": 99}')
    for name, line in {"other": "holds other things than a job", "newer": "has format 99"}.items():
        with pytest.raises(JobError, match=f"'{bucket.url}/{name}' {line}"), RemoteStore(Url(bucket.url) / name):
            pass
    with (
        pytest.raises(JobError, match="no job folder that was begun"),
        RemoteStore(Url(bucket.url) / "no", shared=True),
    ):
        pass
    with pytest.raises(OutputError, match="cannot use the job folder"), RemoteStore(Url("s3://no-such-bucket-here/a")):
        pass
    with pytest.raises(RecipeError, match="--offline"):
        RemoteStore(Url(bucket.url) / "a", offline=True)


def test_a_job_is_the_same_as_one_here_and_goes_on_elsewhere(
    clip: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Job(clip, tmp_path / "here.mp4", RECIPE).run()
    result = job_of(bucket.put(clip, "in.mp4"), bucket, tmp_path / "a.mp4").run()
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "here.mp4").read_bytes()
    assert str(result.report) == f"{bucket.url}/jobs/a/report.html"
    assert str(result.folder) == f"{bucket.url}/jobs/a"
    kept = {key for key in bucket.contents("jobs/a") if not key.startswith("pictures/")}
    assert kept == {
        str(path.relative_to(here.folder))
        for path in Path(here.folder).rglob("*")
        if path.is_file() and path.name != "lock" and "pictures" not in path.parts
    }
    another_machine(monkeypatch, tmp_path, "other")
    again = job_of(clip, bucket, tmp_path / "b.mp4").run()
    assert again.reused == again.frames == 16
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "here.mp4").read_bytes()
    bucket.asked.clear()
    other = job_of(clip, bucket, tmp_path / "c.mp4", fresh=True).run()
    assert other.reused == 0
    assert (tmp_path / "c.mp4").read_bytes() == (tmp_path / "here.mp4").read_bytes()


def test_what_is_finished_is_fetched_by_who_joins_it_alone(
    clip: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = RECIPE.model_copy(update={"cuts": (4, 8, 12)})

    def job() -> Job:
        return Job(clip, tmp_path / "a.mp4", recipe, folder=f"{bucket.url}/jobs/a", report=False, overwrite=True)

    job().run()
    whole = (tmp_path / "a.mp4").read_bytes()
    keys = sorted({key.split("/")[3] for key in bucket.names() if key.startswith("jobs/a/windows/")})
    assert len(keys) == 4
    for key in keys[:2]:
        bucket.files.rm_file(f"{bucket.name}/jobs/a/windows/{key}/{LIST_NAME}")
    bucket.files.pipe_file(f"{bucket.name}/jobs/a/windows/{keys[2]}/segment", b"damaged")
    another_machine(monkeypatch, tmp_path, "other")
    bucket.asked.clear()
    begun = job().begin()
    assert isinstance(begun, Begun)
    assert (len(begun.missing), begun.reused) == (2, 8)
    assert not [key for key in bucket.fetched() if "/windows/" in key]
    result = job().run()
    assert result.reused == 4
    assert any("damaged" in note for note in result.notes)
    assert (tmp_path / "a.mp4").read_bytes() == whole


def test_workers_that_share_nothing_but_the_store_and_one_dies(
    clip: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker has a cache of its own, as on machines of their own; one is killed in the middle of a window."""
    Job(clip, tmp_path / "here.mp4", RECIPE, report=False).run()
    url = bucket.put(clip, "in.mp4")
    order = JobOrder(url, f"{bucket.url}/out.mp4", f"{bucket.url}/jobs/b", RECIPE.to_text(), report=False)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        f"import os\nos.environ['XDG_CACHE_HOME'] = {str(tmp_path)!r} + f'/machine-{{os.getpid()}}'\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")]))
    killed: list[int] = []

    def heard(task: object, message: object) -> None:
        from jobs import workers_of

        if not killed and getattr(task, "kind", "") == "window":
            killed.append(workers_of()[0])
            os.kill(killed[0], 9)

    jobs = Jobs({"b": order}, heard)
    ends = jobs.run(ProcessPool(2, threads=1))
    assert {name: (end.ended, end.message) for name, end in ends.items()} == {"b": ("done", "")}
    assert bucket.files.cat_file(f"{bucket.name}/out.mp4") == (tmp_path / "here.mp4").read_bytes()
    assert len(list(tmp_path.glob("machine-*/restyle/remote"))) >= 2
    assert not (user_cache() / "remote").exists()


def test_killed_while_it_sends_it_goes_on(clip: Path, bucket: Bucket, tmp_path: Path) -> None:
    Job(clip, tmp_path / "here.mp4", RECIPE, report=False).run()
    code = (
        "import os, sys; from pathlib import Path\n"
        "from restyle.job import remote_store; from restyle.job.job import Job; from restyle.recipe import Recipe\n"
        "sent = remote_store.send\n"
        "def send(paths, urls, *more):\n"
        "    if any('windows' in str(url) for url in urls) and urls[0].name == '.restyle-files.json': os._exit(9)\n"
        "    sent(paths, urls, *more)\n"
        "remote_store.send = send\n"
        f"Job({str(clip)!r}, {str(tmp_path / 'a.mp4')!r}, Recipe.model_validate_json({RECIPE.to_text()!r}),"
        f" folder='{bucket.url}/jobs/a', report=False).run()"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert not (tmp_path / "a.mp4").exists()
    result = job_of(clip, bucket, tmp_path / "a.mp4", report=False).run()
    assert result.reused > 0
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "here.mp4").read_bytes()
