"""Sweep ``job``: whatever is done to a finished job's folder, the next run ends with the right bytes and says so."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from attacks.judging import Finding, Place, judge_end, marks, same_result
from attacks.product import call
from attacks.settings import RUNS, write_source
from attacks.sweep import Outcome, shown

__all__ = ["DamagedJobs"]


class DamagedJobs:
    """Each file and folder of each job, hurt in each way, with the result there or not."""

    name = "job"
    trials = 720

    def __init__(self) -> None:
        self._folder = Path()
        self._wanted: dict[str, dict[str, str]] = {}
        self._names: dict[str, dict[str, list[str]]] = {}

    def prepare(self, folder: Path, numbers: Sequence[int]) -> None:
        self._folder = folder
        for setting in {number % len(RUNS): RUNS[number % len(RUNS)] for number in numbers}.values():
            place = Place(folder / setting.name)
            write_source(place.here)
            ended = call(setting.words, cwd=place.here, temp=place.temp)
            if ended.code:
                raise SystemExit(f"{shown(setting.words)} failed: {ended.err}")
            self._wanted[setting.name] = marks(place.here / setting.output)
            self._names[setting.name] = _grouped(place.here / str(setting.job))

    def trial(self, draw: random.Random, number: int, place: Place, outcome: Outcome) -> None:
        setting = RUNS[number % len(RUNS)]
        groups = self._names[setting.name]
        name = draw.choice(groups[draw.choice(sorted(groups))])
        made = self._folder / setting.name / "here"
        for item in ("clip.mp4", setting.output, str(setting.job)):
            _copy(made / item, place.here / item)
        target = place.here / str(setting.job) / name
        ways = FOLDER_WAYS if target.is_dir() else FILE_WAYS
        way, there = draw.choice(sorted(ways)), draw.random() < 0.5
        outcome.what = f"{setting.name}: {setting.job}/{name}: {way}, result {'kept' if there else 'deleted'}"
        before = marks(target)
        ways[way](target, place.here, draw)
        # what is gone altogether is merely not finished
        missing = ways is FOLDER_WAYS and (way == "deleted" or "/" not in name)
        told = marks(target) != before and not missing
        if not there:
            _remove(place.here / setting.output)
        place.seal()
        ours = [f"here/{item}" for item in (setting.output, setting.job)]
        if (name, way) == (".", "its content elsewhere, linked"):
            ours.append("here/beside/moved")  # a job folder, and marked as one, wherever it lies
        words = [*setting.words, "--overwrite"]
        outcome.lines = [shown(words)] * 2
        for turn in range(2):
            ended = call(words, cwd=place.here, temp=place.temp)
            outcome.ends.append(f"exit {ended.code}")
            refused = ended.code in (4, 5) and turn == 0 and _may_refuse(name, way)
            outcome.found += judge_end(ended, (4, 5) if refused else (0,))
            outcome.found += place.changes(ours, left=ended.code is not None)
            if refused or ended.code != 0:
                return
            outcome.found += same_result(place.here / setting.output, self._wanted[setting.name])
            document = ended.document
            if turn == 0 and told and document.get("reused", 0) < document.get("frames", 0) and not ended.notes:
                outcome.found.append(Finding("unsaid", "something was made again, and no note says so"))
            if turn == 1 and document.get("reused") != document.get("frames"):
                outcome.found.append(Finding("lost", "the run after the next began anew, too"))


def _grouped(job: Path) -> dict[str, list[str]]:
    """All that lies in a job folder, by what it is: files at the top, folders, cards for the report, the files of each kind."""
    groups: dict[str, list[str]] = {}
    for path in sorted([job, *job.rglob("*")]):
        name = path.relative_to(job)
        group = (
            "cards"
            if "cards" in name.parts[:-1]
            else "folders"
            if path.is_dir()
            else name.parts[0] * (len(name.parts) > 1)
        )
        groups.setdefault(group, []).append(str(name))
    return groups


def _may_refuse(name: str, way: str) -> bool:
    """Whether a folder in which this happened need not be ours any more: its marker is gone, or it is not there itself; or
    there is no room for a file of ours without removing what lies there."""
    if way == "a folder in its place" and "/" not in name:
        return True
    return name in (".", "job.json", "lock") or way in ("a link to another folder", "a file in its place")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


Way = Callable[[Path, Path, random.Random], object]


def _flip(path: Path, _: Path, draw: random.Random) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(data)


def _scramble(path: Path, _: Path, draw: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _turn in range(min(16, len(data))):
        data[draw.randrange(len(data))] = draw.randrange(256)
    path.write_bytes(data)


def _zero(path: Path, _: Path, draw: random.Random) -> None:
    data = bytearray(path.read_bytes())
    start = draw.randrange(len(data) + 1)
    data[start : start + 512] = bytes(len(data[start : start + 512]))
    path.write_bytes(data)


def _cut(path: Path, _: Path, draw: random.Random) -> None:
    os.truncate(path, draw.randrange(path.stat().st_size + 1))


def _grow(path: Path, _: Path, draw: random.Random) -> None:
    with open(path, "ab") as file:
        file.write(draw.randbytes(64))


def _swap(path: Path, here: Path, draw: random.Random) -> None:
    """Another file of the job, of the same kind if there is one."""
    others = [other for other in _files(here) if other != path and other.suffix == path.suffix] or _files(here)
    data = draw.choice(others).read_bytes()
    path.write_bytes(data)


def _files(here: Path) -> list[Path]:
    return sorted(path for job in here.glob("*.restyle") for path in job.rglob("*") if path.is_file())


def _link(path: Path, here: Path, draw: random.Random) -> None:
    path.unlink()
    path.symlink_to(here / "beside" / draw.choice(("letter.txt", "clip.mp4", "job.json")))


def _hard_link(path: Path, here: Path, _: random.Random) -> None:
    path.unlink()
    os.link(here / "beside" / "letter.txt", path)


def _own_link(path: Path, here: Path, _: random.Random) -> None:
    """The right content, but elsewhere."""
    elsewhere = here / "beside" / "moved"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _loop(path: Path, _here: Path, _draw: random.Random) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _folder(path: Path, _here: Path, _draw: random.Random) -> None:
    path.unlink()
    path.mkdir()
    (path / "something").write_text("something")


def _pipe(path: Path, _here: Path, _draw: random.Random) -> None:
    path.unlink()
    os.mkfifo(path)


FILE_WAYS: dict[str, Way] = {
    "cut short": _cut,
    "emptied": lambda path, _here, _draw: os.truncate(path, 0),
    "a bit flipped": _flip,
    "bytes changed": _scramble,
    "zeros": _zero,
    "longer": _grow,
    "deleted": lambda path, _here, _draw: path.unlink(),
    "another's content": _swap,
    "a link to another file": _link,
    "a hard link to another file": _hard_link,
    "a link to itself": _loop,
    "its content elsewhere, linked": _own_link,
    "a folder in its place": _folder,
    "a pipe in its place": _pipe,
}


def _linked_folder(path: Path, here: Path, _: random.Random) -> None:
    shutil.rmtree(path)
    path.symlink_to(here / "beside")


def _moved_folder(path: Path, here: Path, _: random.Random) -> None:
    elsewhere = here / "beside" / "moved"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _file(path: Path, _here: Path, _draw: random.Random) -> None:
    shutil.rmtree(path)
    path.write_text("no folder\n")


def _emptied_folder(path: Path, _here: Path, _draw: random.Random) -> None:
    shutil.rmtree(path)
    path.mkdir()


def _one_missing(path: Path, _here: Path, draw: random.Random) -> None:
    items = sorted(path.iterdir())
    if items:
        _remove(draw.choice(items))


def _stranger(path: Path, _here: Path, _draw: random.Random) -> None:
    (path / "stranger").mkdir()
    (path / "stranger" / "segment").write_text("not one of ours")


FOLDER_WAYS: dict[str, Way] = {
    "deleted": lambda path, _here, _draw: shutil.rmtree(path),
    "emptied": _emptied_folder,
    "one thing missing": _one_missing,
    "a file in its place": _file,
    "a link to another folder": _linked_folder,
    "its content elsewhere, linked": _moved_folder,
    "a stranger in it": _stranger,
}
