"""A watched folder: what is still growing is left alone."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from restyle.batch.batch import Batch
from restyle.batch.entries import Entries, Entry
from restyle.batch.results import ClipResult
from restyle.batch.watch import watched
from restyle.errors import Cancelled


def test_a_clip_is_taken_when_it_has_stopped_growing(footage: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    found = watched(Entries([inbox], tmp_path / "out", {}), settled=0.2, every=0)
    data = (footage / "a.mp4").read_bytes()
    taken: list[str] = []

    def look(seconds: float) -> list[str]:
        until = time.monotonic() + seconds
        new = []
        while time.monotonic() < until:
            item = next(found)
            if isinstance(item, Entry):
                new.append(item.name)
            time.sleep(0.01)
        taken.extend(new)
        return new

    assert look(0.1) == []
    with open(inbox / "a.mp4", "wb") as file:
        for start in range(0, len(data), len(data) // 8 + 1):  # longer in coming than a settled one waits
            file.write(data[start : start + len(data) // 8 + 1])
            file.flush()
            assert look(0.08) == []
    assert look(0.6) == ["a.mp4"]
    assert look(0.4) == []
    (inbox / "empty.mp4").write_bytes(b"")
    assert look(0.4) == []
    (inbox / "a.mp4").write_bytes(data + b"more")
    assert look(0.6) == ["a.mp4"]


def test_two_clips_for_one_result_and_a_folder_that_is_gone_end_nothing(footage: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name in ("x.mxf", "x.mpg"):
        (inbox / name).write_bytes((footage / "a.mp4").read_bytes())
    found = watched(Entries([inbox], tmp_path / "out", {}), settled=0, every=0)
    first, second = next(found), next(found)
    assert isinstance(first, Entry)
    assert isinstance(second, tuple)
    assert "has the same name" in second[1]
    inbox.rename(tmp_path / "away")
    assert next(found) is None
    assert next(found) is None


def test_a_batch_watches_until_it_is_stopped(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restyle.batch.watch.SETTLED", 0.1)
    monkeypatch.setattr("restyle.batch.watch.EVERY", 0.1)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    cancel = threading.Event()
    fields = {"painter": "identity"}
    batch = Batch([inbox], tmp_path / "out", fields, watch=True, report=False, cancel=cancel)
    (inbox / "a.mp4").write_bytes((footage / "a.mp4").read_bytes())
    seen: list[ClipResult] = []

    def drop() -> None:
        time.sleep(0.5)
        (inbox / "b.mp4").write_bytes((footage / "a.mp4").read_bytes())

    dropping = threading.Thread(target=drop)

    def follow() -> None:
        for result in batch.results():
            seen.append(result)
            if len(seen) == 1:
                dropping.start()
            else:
                batch.stop()

    with pytest.raises(Cancelled):
        follow()
    dropping.join()
    assert [(result.output.name, result.status) for result in seen] == [("a.mp4", "done"), ("b.mp4", "done")]
