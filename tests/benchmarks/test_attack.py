"""A few trials of each sweep of ``benchmarks/attack.py``, and that its judge sees what it is there to see."""

from __future__ import annotations

import multiprocessing as mp
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from attacks.judging import Finding, Place, judge_end, marks, same_result
from attacks.product import Ended
from attacks.recipes import odd_fields

ATTACK = Path(__file__).parents[2] / "benchmarks" / "attack.py"


@pytest.mark.parametrize(("sweep", "trials"), [("job", 2), ("media", 4), ("recipes", 6)])
def test_a_few_trials_find_nothing(sweep: str, trials: int, tmp_path: Path) -> None:
    command = [
        sys.executable,
        ATTACK,
        "--sweep",
        sweep,
        "--trials",
        str(trials),
        "--seed",
        "11",
    ]
    done = subprocess.run([*command, "--keep", tmp_path], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = done.stdout.splitlines()[-1].split()
    assert counts == [sweep, str(trials), *["0"] * 9]


@pytest.mark.slow
def test_all_of_them(tmp_path: Path) -> None:
    command = [sys.executable, ATTACK, "--keep", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=4 * 3600)
    assert done.returncode == 0, done.stdout + done.stderr


def kinds(found: object) -> list[str]:
    return [finding.kind for finding in found]  # type: ignore[attr-defined]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "trial")
    made.seal()
    return made


def test_what_is_lost_and_what_is_left_is_seen(place: Place) -> None:
    assert list(place.changes([])) == []
    (place.here / "beside" / "clip.mp4").unlink()
    (place.here / "restyle-letter.txt").write_text("changed")
    shutil.rmtree(place.temp / "restyle-mine")
    (place.temp / "restyle-mine").symlink_to(place.here)
    (place.here / "new").mkdir()
    (place.here / "new" / "file").touch()
    found = list(place.changes([]))
    assert Finding("lost", "here/beside/clip.mp4 is gone") in found
    assert Finding("lost", "here/restyle-letter.txt was changed") in found
    assert Finding("lost", "temp/restyle-mine was changed") in found
    assert [finding.what for finding in found if finding.kind == "stray"] == ["here/new was left"]
    assert "stray" not in kinds(place.changes(["here/new"]))
    assert "stray" not in kinds(place.changes([], left=False))


def test_every_bad_end_is_seen() -> None:
    good = '{"frames": 1}'
    error = '{"error": {"exit_code": 2}}'
    ends = {
        (0, good, ""): [],
        (2, error, "restyle: no\n"): [],
        (0, good, "a warning\n"): ["noise"],
        (0, "", ""): ["noise"],
        (2, error, "restyle: no\nlibpng: no\n"): ["noise"],
        (2, error, "no\n"): ["noise"],
        (2, good, "restyle: no\n"): ["noise"],
        (3, error.replace("2", "3"), "restyle: no\n"): ["code"],
        (70, error, "restyle: internal error\n"): ["internal"],
        (-11, "", ""): ["crash"],
        (1, "", "Traceback (most recent call last)\n"): ["crash"],
        (None, "", ""): ["hang"],
    }
    for (code, out, err), wanted in ends.items():
        assert kinds(judge_end(Ended((), code, out, err, 1.0), (0, 2))) == wanted, (code, out, err)


def test_another_result_is_seen(tmp_path: Path) -> None:
    for name, text in (("a", "1"), ("b", "2")):
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "out" / name).write_text(text)
    wanted = marks(tmp_path / "out")
    assert list(same_result(tmp_path / "out", wanted)) == []
    (tmp_path / "out" / "a").write_text("3")
    (tmp_path / "out" / "b").unlink()
    (tmp_path / "out" / "c").touch()
    assert kinds(same_result(tmp_path / "out", wanted)) == ["wrong"] * 3
    assert kinds(same_result(tmp_path / "none", {"": "file"})) == ["wrong"]


def test_a_seed_gives_the_same_recipes() -> None:
    made = [repr(odd_fields(random.Random(f"7/recipes/{number}"))) for number in range(40)]
    assert made == [repr(odd_fields(random.Random(f"7/recipes/{number}"))) for number in range(40)]
    assert len(set(made)) > 30


def hang_and_crash(place: Path, results: mp.Queue) -> None:  # type: ignore[type-arg]
    """In a process of its own, as in a sweep: forks it, with a command line that hangs, crashes, or takes all memory."""
    import types

    from attacks.product import call

    ways = {"hang": lambda: __import__("time").sleep(60), "crash": os.abort, "memory": lambda: bytearray(8 << 30)}
    sys.modules["restyle.cli"] = types.SimpleNamespace(main=lambda words: ways[words[0]]())  # type: ignore[assignment]
    for way in ways:
        ended = call([way], cwd=place, temp=place, limit=0.5)
        results.put((ended.code, "MemoryError" in ended.err))


def test_hangs_crashes_and_memory_are_contained(tmp_path: Path) -> None:
    context = mp.get_context("forkserver")
    results = context.Queue()
    (tmp_path / "here").mkdir()
    process = context.Process(target=hang_and_crash, args=(tmp_path / "here", results))
    process.start()
    assert [results.get(timeout=60) for _ in range(3)] == [(None, False), (-6, False), (99, True)]
    process.join(10)
