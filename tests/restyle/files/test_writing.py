from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from restyle.errors import OutputError, OutputExistsError, OutputLockedError
from restyle.files.writing import fitted_name, output_lock, partial_path, scratch, write_file, writing


def test_names_of_unfinished_things_are_never_the_same_and_always_fit(tmp_path: Path) -> None:
    final = tmp_path / ("長" * 85)
    parts = {partial_path(final) for _ in range(50)}
    assert len(parts) == 50
    for part in parts:
        part.touch()


def test_a_name_too_long_is_cut_and_told_apart() -> None:
    assert fitted_name("out.mp4", ".restyle") == "out.mp4.restyle"
    one, other = fitted_name("動" * 83 + "a.mp4", ".restyle"), fitted_name("動" * 83 + "b.mp4", ".restyle")
    assert one != other
    assert all(name.endswith(".restyle") and len(os.fsencode(name)) <= 255 for name in (one, other))


def test_a_file_appears_whole_and_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("dear")
    (tmp_path / "out").symlink_to(tmp_path / "theirs")
    write_file(tmp_path / "out", b"new")
    assert (tmp_path / "theirs").read_text() == "dear"
    assert not (tmp_path / "out").is_symlink()
    with pytest.raises(OSError, match="directory"):
        write_file(tmp_path, b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "theirs"]


def test_one_writer_at_a_time_and_it_is_said_who(tmp_path: Path) -> None:
    final = tmp_path / "out.mp4"
    with output_lock(final):
        with pytest.raises(OutputLockedError, match=f"another job of this process \\({os.getpid()}\\) is writing"):
            output_lock(final).__enter__()
        with output_lock(tmp_path / "other.mp4"):
            pass
    assert list(tmp_path.iterdir()) == []


def test_whoever_waits_gets_the_lock_when_it_is_free(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with output_lock(tmp_path / "out", wait=True):
            order.append("second")

    with output_lock(tmp_path / "out"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert list(tmp_path.iterdir()) == []


HOLDER = """
import sys
from pathlib import Path
from restyle.files.writing import output_lock, partial_path, scratch
with output_lock(Path(sys.argv[1])), scratch() as folder:
    partial_path(Path(sys.argv[1])).write_text("half")
    (folder / "half").write_text("half")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_what_a_kill_leaves_is_removed_by_the_next_and_nothing_else(tmp_path: Path) -> None:
    final = tmp_path / "out.mp4"
    other = partial_path(tmp_path / "other.mp4")
    mine = tmp_path / (partial_path(final).name.rsplit(".", 2)[0] + ".mine.part")
    for path in (other, mine):
        path.write_text("of somebody else")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(final)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    folder = Path(process.stdout.readline().strip())
    with pytest.raises(OutputLockedError, match=f"another process \\({process.pid}\\)"):
        output_lock(final).__enter__()
    with scratch():
        assert (folder / "half").exists()  # its process lives
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    process.stdin.close()
    assert len(list(tmp_path.iterdir())) == 4
    with output_lock(final), scratch():
        pass
    assert sorted(tmp_path.iterdir()) == sorted([other, mine])
    assert not folder.parent.exists()


KILLED_REMOVING = """
import os, signal, sys
from restyle.files.writing import scratch
def watch(event, args):
    global left
    if event in ("os.remove", "os.rmdir"):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
with scratch() as folder:
    (folder / "picture").touch()
    left = int(sys.argv[1])
    sys.addaudithook(watch)
"""


@pytest.mark.parametrize("removed", range(4))
def test_killed_while_it_is_removed_a_scratch_folder_is_still_known(
    removed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    command = [sys.executable, "-c", KILLED_REMOVING, str(removed)]
    assert subprocess.run(command, env={**os.environ, "TMPDIR": str(tmp_path)}).returncode == -signal.SIGKILL
    with scratch():
        pass
    left = list(tmp_path.rglob("*"))
    assert len(left) <= (removed == 3)  # an empty folder, which might be one that is just being made


def test_a_folder_that_only_looks_like_ours_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "restyle-notes").mkdir()
    (tmp_path / "restyle-notes" / ".scratch").write_text("mine")
    (tmp_path / "restyle-photos").mkdir()
    with scratch() as folder:
        (folder / "x").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["restyle-notes", "restyle-photos"]


@pytest.mark.parametrize("way", ["link", "hard link", "folder"])
def test_a_lock_that_is_something_else_is_not_touched(tmp_path: Path, way: str) -> None:
    final = tmp_path / "out.mp4"
    with output_lock(final):
        lock = next(tmp_path.iterdir())
    theirs = tmp_path / "theirs"
    theirs.write_text("dear")
    {"link": lambda: lock.symlink_to(theirs), "hard link": lambda: lock.hardlink_to(theirs), "folder": lock.mkdir}[
        way
    ]()
    with pytest.raises(OutputError, match="lock"), output_lock(final):
        pass
    assert theirs.read_text() == "dear"
    assert os.path.lexists(lock)


def test_writing_replaces_only_when_told(tmp_path: Path) -> None:
    final = tmp_path / "sheet.png"
    final.write_text("old")
    with pytest.raises(OutputExistsError), writing(final):
        pass

    def leave() -> None:
        with output_lock(final):
            partial_path(final).write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        leave()
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]

    def fail() -> None:
        with writing(final, overwrite=True) as part:
            part.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert final.read_text() == "old"
    with writing(final, overwrite=True) as part:
        part.write_text("new")
    assert final.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
