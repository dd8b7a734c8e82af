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

from restyle.errors import JobError, JobLockedError, OutputError
from restyle.store import JobStore, digest, load_carry, load_picture, save_carry, save_picture
from restyle.types import Carry


def test_a_digest_tells_values_apart_and_not_their_order() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    different = [digest(value) for value in (1, "1", [1], {"a": 1}, None, 1.5, [[1]], True)]
    assert len(set(different)) == len(different)


def test_what_is_finished_is_there_and_what_failed_is_not(tmp_path: Path) -> None:
    with JobStore(tmp_path / "job") as store:
        with store.making("windows", "good") as place:
            (place / "segment").write_bytes(b"123")
        with pytest.raises(OutputError, match="is a directory"), store.making("windows", "bad") as place:
            place.write_bytes(b"12")
        assert store.has("windows", "good")
        assert not store.has("windows", "bad")
        assert list((tmp_path / "job" / "work").iterdir()) == []
    with JobStore(tmp_path / "job") as store:
        assert (store.path("windows", "good") / "segment").read_bytes() == b"123"


def test_fresh_forgets_and_prune_keeps_what_is_named(tmp_path: Path) -> None:
    with JobStore(tmp_path / "job") as store:
        for key in ("a", "b"):
            with store.making("paintings", key) as place:
                (place / "x").write_text(key)
        store.prune({"paintings": {"b"}})
        assert (store.has("paintings", "a"), store.has("paintings", "b")) == (False, True)
    with JobStore(tmp_path / "job", fresh=True) as store:
        assert not store.has("paintings", "b")


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
        with pytest.raises(JobLockedError, match=f"process {other.pid}"), JobStore(tmp_path / "job"):
            pass
    finally:
        release.set()
        other.join(30)
    with JobStore(tmp_path / "job"):
        pass


WRITER = """
import sys
from restyle.store import JobStore
with JobStore(sys.argv[1]) as store:
    print("in", flush=True)
    number = 0
    while True:
        with store.making("windows", f"{number:04d}") as place:
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
            assert made.name == f"{number:04d}"
            assert [part.read_bytes() for part in sorted(made.iterdir())] == [bytes([number % 251]) * 20000] * 5
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


def test_a_damaged_painting_is_named(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (40, 60, 3), np.uint8)
    whole = save_picture(tmp_path / "00000001", picture).read_bytes()
    for damaged in (b"nothing", whole[: len(whole) // 2], whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:]):
        (tmp_path / "00000001.npz").write_bytes(damaged)
        with pytest.raises(JobError, match=r"00000001.*damaged.*--fresh"):
            load_picture(tmp_path / "00000001")
    (tmp_path / "carry.npz").write_bytes(b"nothing")
    with pytest.raises(JobError, match="damaged"):
        load_carry(tmp_path / "carry.npz")
