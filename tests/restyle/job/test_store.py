from __future__ import annotations

import json
import multiprocessing as mp
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from restyle.errors import FootageError, JobError, JobLockedError, OutputError
from restyle.files.owned import LIST_NAME
from restyle.job.keys import digest
from restyle.job.store import JobStore, load_carry, load_picture, save_carry, save_picture
from restyle.types import Carry

GOOD, BAD = digest("good"), digest("bad")


def test_a_digest_tells_values_apart_and_not_their_order() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    different = [digest(value) for value in (1, "1", [1], {"a": 1}, None, 1.5, [[1]], True)]
    assert len(set(different)) == len(different)


def test_what_is_finished_is_there_and_what_failed_is_not(tmp_path: Path) -> None:
    with JobStore(tmp_path / "job") as store:
        with store.making("windows", GOOD) as place:
            (place / "segment").write_bytes(b"123")
        with pytest.raises(OutputError, match="is a directory"), store.making("windows", BAD) as place:
            place.write_bytes(b"12")
        assert store.has("windows", GOOD)
        assert not store.has("windows", BAD)
        assert list((tmp_path / "job" / "work").iterdir()) == []
    with JobStore(tmp_path / "job") as store:
        assert (store.path("windows", GOOD) / "segment").read_bytes() == b"123"


def test_fresh_forgets_and_prune_keeps_what_is_named(tmp_path: Path) -> None:
    with JobStore(tmp_path / "job") as store:
        for key in (GOOD, BAD):
            with store.making("paintings", key) as place:
                (place / "x").write_text(key)
        (store.folder / "paintings" / "notes of a person").write_text("mine")
        store.prune({"paintings": {GOOD}})
        assert (store.has("paintings", BAD), store.has("paintings", GOOD)) == (False, True)
    with JobStore(tmp_path / "job", fresh=True) as store:
        assert not store.has("paintings", GOOD)
        assert [path.name for path in (store.folder / "paintings").iterdir()] == ["notes of a person"]


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").write_text("photos")
    with pytest.raises(JobError, match="holds other things"), JobStore(tmp_path, fresh=True):
        pass
    assert [item.name for item in tmp_path.iterdir()] == ["holiday.txt"]


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "job").write_text("")
    with pytest.raises(JobError, match="is a file"), JobStore(tmp_path / "job"):
        pass


def test_a_future_format_is_refused(tmp_path: Path) -> None:
    with JobStore(tmp_path / "job"):
        pass
    (tmp_path / "job" / "job.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(JobError, match="format 99"), JobStore(tmp_path / "job"):
        pass


def _hold(folder: str, held: object, release: object) -> None:
    with JobStore(folder):
        held.set()  # type: ignore[attr-defined]
        release.wait(30)  # type: ignore[attr-defined]


def test_a_second_process_is_kept_out_and_told_who_is_in(tmp_path: Path) -> None:
    context = mp.get_context("spawn")
    held, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(str(tmp_path / "job"), held, release))
    other.start()
    try:
        assert held.wait(30)
        with pytest.raises(JobLockedError, match=f"another process \\({other.pid}\\)"), JobStore(tmp_path / "job"):
            pass
    finally:
        release.set()
        other.join(30)
    with JobStore(tmp_path / "job"):
        pass


WRITER = """
import sys
from restyle.job.store import JobStore
with JobStore(sys.argv[1]) as store:
    print("in", flush=True)
    number = 0
    while True:
        with store.making("windows", f"{number:032x}") as place:
            for part in range(5):
                (place / str(part)).write_bytes(bytes([number % 251]) * 20000)
        number += 1
"""


@pytest.mark.parametrize("after", [0.02, 0.1, 0.2, 0.35])
def test_a_kill_leaves_only_whole_things(tmp_path: Path, after: float) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "job")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    time.sleep(after)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with JobStore(tmp_path / "job") as store:
        for number, made in enumerate(sorted((store.folder / "windows").iterdir())):
            assert made.name == f"{number:032x}"
            assert [part.read_bytes() for part in sorted(made.glob("[0-9]"))] == [bytes([number % 251]) * 20000] * 5
            assert store.has("windows", made.name)
        assert list((store.folder / "work").iterdir()) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pictures_and_carries_come_back_bit_for_bit(tmp_path: Path, dtype: type) -> None:
    random = np.random.default_rng(1)
    picture = (random.random((9, 7, 3)) * (4 if dtype is np.float32 else np.iinfo(dtype).max)).astype(dtype)
    save_picture(tmp_path / "00000012", picture)
    back = load_picture(tmp_path / "00000012")
    assert back.dtype == dtype
    assert np.array_equal(back, picture)
    carry = Carry({"painting": picture, "mean": np.float64([1, 2])}, {"frame": 12, "note": "ü"})
    save_carry(tmp_path / "carry.npz", carry)
    again = load_carry(tmp_path / "carry.npz")
    assert again.facts == carry.facts
    assert {name: value.tolist() for name, value in again.arrays.items()} == {
        name: value.tolist() for name, value in carry.arrays.items()
    }


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def swap_for_a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def swap_for_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def add_beside(path: Path) -> None:
    path.with_name("more").write_text("more")


def swap_for_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES = [swap_for_a_pipe, shorten, empty, flip, Path.unlink, swap_for_a_link, swap_for_a_folder, add_beside]


@pytest.mark.parametrize("name", ["segment", "cards/1.jpg", LIST_NAME])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_is_damaged_is_not_finished(tmp_path: Path, damage, name: str) -> None:  # type: ignore[no-untyped-def]
    with JobStore(tmp_path / "job") as store:
        with store.making("windows", GOOD) as place:
            (place / "segment").write_bytes(b"frames" * 100)
            (place / "cards").mkdir()
            (place / "cards" / "1.jpg").write_bytes(b"picture" * 100)
        damage(store.path("windows", GOOD) / name)
        assert store.has("windows", GOOD)  # it was made in this run
        assert not store.still_has("windows", GOOD)
        assert not store.path("windows", GOOD).exists()
        assert store.notes() == ["finished things in the job folder were damaged and were made again: 1 of windows"]


def test_a_finished_thing_is_not_taken_for_another(tmp_path: Path) -> None:
    with JobStore(tmp_path / "job") as store:
        for key in (GOOD, BAD):
            with store.making("windows", key) as place:
                (place / "segment").write_text(key)
        store.path("windows", BAD).rename(tmp_path / "aside")
        store.path("windows", GOOD).rename(store.path("windows", BAD))
        assert not store.still_has("windows", BAD)


def test_what_cannot_be_read_is_made_anew_by_the_next_run(tmp_path: Path) -> None:
    with JobStore(tmp_path / "job") as store:
        with store.making("paintings", GOOD) as place:
            (place / "00000001.npz").write_bytes(b"no archive, though the list agrees")
        with pytest.raises(JobError, match="run the same command again"), store.reading("paintings", GOOD) as place:
            load_picture(place / "00000001")
        assert not store.has("paintings", GOOD)


def test_nothing_is_finished_when_its_source_has_changed(tmp_path: Path) -> None:
    def unchanged() -> None:
        raise FootageError("it changed")

    with JobStore(tmp_path / "job", unchanged=unchanged) as store:
        with pytest.raises(FootageError), store.making("windows", GOOD) as place:
            (place / "segment").write_text("x")
        assert not store.has("windows", GOOD)
        assert list((store.folder / "work").iterdir()) == []


@pytest.mark.parametrize("bait", ["lock", "work", "windows", "job.json"])
def test_a_folder_is_a_job_by_its_own_word_alone(tmp_path: Path, bait: str) -> None:
    (tmp_path / "windows" / GOOD).mkdir(parents=True)
    (tmp_path / "windows" / GOOD / "photo").write_text("mine")
    if bait in ("lock", "job.json"):
        (tmp_path / bait).write_text("something else")
    else:
        (tmp_path / bait).mkdir(exist_ok=True)
    before = sorted(path for path in tmp_path.rglob("*"))
    for fresh in (False, True):
        with pytest.raises(JobError, match="holds other things"), JobStore(tmp_path, fresh=fresh):
            pass
    assert sorted(path for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("broken", ["job.json", "lock"])
@pytest.mark.parametrize(
    "damage", [shorten, empty, flip, Path.unlink, swap_for_a_pipe], ids=lambda damage: damage.__name__
)
def test_one_damaged_marker_does_not_cost_the_folder(tmp_path: Path, broken: str, damage) -> None:  # type: ignore[no-untyped-def]
    with JobStore(tmp_path / "job") as store, store.making("windows", GOOD) as place:
        (place / "segment").write_text("x")
    damage(tmp_path / "job" / broken)
    with JobStore(tmp_path / "job") as store:
        assert store.has("windows", GOOD)


@pytest.mark.parametrize("name", ["lock", "job.json", "recipe.json", "windows", "work", f"windows/{GOOD}"])
def test_links_are_not_followed(tmp_path: Path, name: str) -> None:
    """Whatever of the folder is a link to something of a person's: that is neither cut, nor filled, nor emptied."""
    with JobStore(tmp_path / "job") as store:
        store.put_text("recipe.json", "{}")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / GOOD).mkdir()
    (theirs / GOOD / "letter").write_text("dear")
    (theirs / f"windows-{GOOD}-x").write_text("dear")
    (theirs / "file").write_text("dear")
    place = tmp_path / "job" / name
    if place.is_dir():
        place.rmdir()
    else:
        place.unlink(missing_ok=True)
    place.symlink_to(theirs if name in ("windows", "work", f"windows/{GOOD}") else theirs / "file")
    before = {path: path.read_text() for path in theirs.rglob("*") if path.is_file()}
    with JobStore(tmp_path / "job", fresh=True) as store:
        store.put_text("recipe.json", "{}")
        assert not store.has("windows", GOOD)
        with store.making("windows", BAD) as place:
            (place / "x").write_text("x")
        store.prune({"windows": set()})
    assert {path: path.read_text() for path in theirs.rglob("*") if path.is_file()} == before
    assert not any(path.is_symlink() for path in (tmp_path / "job").rglob("*"))


def test_an_older_format_is_made_anew(tmp_path: Path) -> None:
    with JobStore(tmp_path / "job") as store, store.making("windows", GOOD) as place:
        (place / "segment").write_text("x")
    (tmp_path / "job" / "job.json").write_text('{"format": 1}')
    with JobStore(tmp_path / "job") as store:
        assert not store.has("windows", GOOD)
        assert store.notes() == []
