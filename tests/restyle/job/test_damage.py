"""A damaged job folder costs work, never the result: whatever happens to its files, the next run ends with the same bytes."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, write_clip, write_pictures

from restyle import FootageError, Job, JobError, OutputError, Progress, Recipe, Result

SOURCE = "clip.mkv"


def recipe() -> Recipe:
    return Recipe(
        painter="neural-style",
        painter_options={"threads": 1},
        style="lava",
        keyframes="every:4",
        cuts=[6],
        objects=["car=mattes:mattes", "cup=box:8,8,30,30@0"],
        layers=[{"object": "cup", "mode": "remove"}, {"object": "car"}],
    )


def run(folder: Path, output: str = "out.mkv", progress: Callable[[Progress], None] | None = None) -> Result:
    with chdir(folder):
        return Job(SOURCE, output, recipe(), overwrite=True, progress=progress).run()


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with footage, a finished job and its output."""
    folder = tmp_path_factory.mktemp("damage")
    write_clip(folder / SOURCE, moving_frames(12, (64, 48), cuts=(6,)), codec="ffv1", pixel_format="bgr0", rate=24)
    mattes = [np.zeros((48, 64, 3), np.uint8) for _ in range(12)]
    for number, matte in enumerate(mattes):
        matte[10 : 20 + number, 20 + number : 50] = 255
    write_pictures(folder / "mattes", mattes, "f.%04d.png")
    run(folder)
    return folder


def copied(done: Path, to: Path) -> Path:
    shutil.copytree(done, to, symlinks=True)
    return to


def kept_files(folder: Path) -> list[str]:
    place = folder / "out.mkv.restyle"
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for place in random.Random(path.name).sample(range(len(data)), min(3, len(data))):
        data[place] ^= 0x40
    path.write_bytes(data)


def replace(path: Path) -> None:
    """By another file of the job."""
    others = sorted(other for other in path.parents[2].rglob("*") if other.is_file() and other != path)
    shutil.copyfile(random.Random(path.name).choice(others), path)


def link(path: Path) -> None:
    path.rename(path.parents[2] / "elsewhere")
    path.symlink_to(path.parents[2] / "elsewhere")


DAMAGES: list[Callable[[Path], None]] = [shorten, empty, flip, replace, link, Path.unlink]


def test_the_job_keeps_all_that_is_damaged_below(done: Path) -> None:
    kinds = {name.partition("/")[0] for name in kept_files(done)}
    assert {"analysis", "mattes", "plates", "paintings", "windows", "job.json", "lock", "recipe.json"} <= kinds


def spoiled(done: Path, folder: Path, name: str, damage: Callable[[Path], None], *, window: bool) -> None:
    """A finished job is copied, one of its files damaged, perhaps a window taken away, so that more is read; and run again."""
    shutil.copytree(done, folder, symlinks=True)
    damage(folder / "out.mkv.restyle" / name)
    if window:
        shutil.rmtree(next((folder / "out.mkv.restyle" / "windows").iterdir()))
    result = run(folder)
    assert (folder / "out.mkv").read_bytes() == (done / "out.mkv").read_bytes(), name
    read = name.startswith(("analysis/", "mattes/", "plates/")) or (name.startswith("windows/") and not window)
    assert any("were damaged and were made again" in note for note in result.notes) or not read, name
    shutil.rmtree(folder)


def test_whatever_is_damaged_the_result_is_the_same(done: Path, tmp_path: Path) -> None:
    """One file of each sort."""
    sorts: dict[tuple[str, str], str] = {}
    for name in kept_files(done):
        parts = name.split("/")
        sorts.setdefault((parts[0], parts[-1] if parts[0] != "plates" else ""), name)
    for number, name in enumerate(sorted(sorts.values())):
        spoiled(done, tmp_path / "job", name, DAMAGES[number % len(DAMAGES)], window=number % 3 == 0)


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("window", [False, True])
def test_every_damage_of_every_file(done: Path, tmp_path: Path, damage: Callable[[Path], None], window: bool) -> None:
    for name in kept_files(done):
        spoiled(done, tmp_path / "job", name, damage, window=window)


def test_damage_during_a_run_is_never_joined(done: Path, tmp_path: Path) -> None:
    folder = copied(done, tmp_path / "job")
    want = (folder / "out.mkv").read_bytes()
    shutil.rmtree(sorted((folder / "out.mkv.restyle" / "windows").iterdir())[-1])

    def spoil(progress: Progress) -> None:
        if progress.stage == "finish":
            for path in (folder / "out.mkv.restyle" / "windows").glob("*/segment"):
                empty(path)

    with pytest.raises(JobError, match="was damaged meanwhile: run the same command again"):
        run(folder, progress=spoil)
    assert (folder / "out.mkv").read_bytes() == want
    run(folder)
    assert (folder / "out.mkv").read_bytes() == want


def change(path: Path) -> None:
    """A byte in the middle, with the time stamp kept."""
    state = path.stat()
    with open(path, "r+b") as file:
        file.seek(state.st_size // 2)
        file.write(b"\x00\x01")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize(
    ("stage", "which"), [("analyse", "footage"), ("render", "footage"), ("finish", "footage"), ("render", "matte")]
)
def test_a_source_that_changes_while_it_is_worked_on_stops_the_job(
    done: Path, tmp_path: Path, stage: str, which: str
) -> None:
    folder = copied(done, tmp_path / "job")
    shutil.rmtree(folder / "out.mkv.restyle")
    (folder / "out.mkv").unlink()
    whole = (folder / SOURCE).read_bytes()
    victim = folder / SOURCE if which == "footage" else sorted((folder / "mattes").iterdir())[5]

    def spoil(progress: Progress) -> None:
        if progress.stage == stage and progress.done == (0 if stage == "finish" else 6):
            other = victim.with_name("other")
            other.write_bytes(victim.read_bytes())
            os.replace(other, victim)  # even by the same bytes: nobody knows what was read in between
            if which == "footage" and stage == "render":
                change(victim)

    with pytest.raises(FootageError, match="changed while it was worked on; nothing of it was kept"):
        run(folder, progress=spoil)
    assert not (folder / "out.mkv").exists()
    (folder / SOURCE).write_bytes(whole)
    run(folder)
    assert (folder / "out.mkv").read_bytes() == (done / "out.mkv").read_bytes()


def test_footage_that_changed_between_two_runs_is_another(done: Path, tmp_path: Path) -> None:
    folder = copied(done, tmp_path / "job")
    state = (folder / SOURCE).stat()
    write_clip(folder / "new.mkv", moving_frames(12, (64, 48), seed=5), codec="ffv1", pixel_format="bgr0", rate=24)
    os.replace(folder / "new.mkv", folder / SOURCE)
    os.utime(folder / SOURCE, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert run(folder).reused == 0
    assert (folder / "out.mkv").read_bytes() != (done / "out.mkv").read_bytes()


def test_an_output_is_none_of_the_inputs(done: Path, tmp_path: Path) -> None:
    folder = copied(done, tmp_path / "job")
    (folder / "mattes.mkv").symlink_to(folder / SOURCE)
    with pytest.raises(OutputError, match="is the footage itself"):
        run(folder, "mattes.mkv")
    with pytest.raises(OutputError, match="read for it"):
        run(folder, "mattes/f.%04d.png")
