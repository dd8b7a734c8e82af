from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from restyle import Recipe
from restyle.errors import Cancelled, FootageError
from restyle.job.inputs import Inputs, named_files


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mov"
    path.write_bytes(bytes(range(256)) * 40_000)
    return path


def in_the_middle(path: Path) -> None:
    """One byte, far from both ends, with the time stamp kept."""
    state = path.stat()
    with open(path, "r+b") as file:
        file.seek(state.st_size // 2)
        file.write(b"\xff\xfe")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def put_another(path: Path) -> None:
    state = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[:-1] + b"!")
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    os.replace(other, path)


def cut(path: Path) -> None:
    os.truncate(path, 1000)


CHANGES = [in_the_middle, put_another, cut]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("read", [True, False], ids=["read", "watched"])
def test_a_change_is_noticed(clip: Path, change: Callable[[Path], None], read: bool) -> None:
    inputs = Inputs()
    (inputs.digest if read else inputs.watch)(clip)
    inputs.check()
    time.sleep(0.02)  # the clock of a file system's stamps ticks a hundred times a second or so
    change(clip)
    with pytest.raises(FootageError, match=r"clip\.mov' changed while it was worked on"):
        inputs.check()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_other_content_is_another_file(clip: Path, change: Callable[[Path], None]) -> None:
    before = Inputs().digest(clip)
    change(clip)
    assert Inputs().digest(clip) != before


def test_a_touched_or_moved_file_is_the_same(clip: Path, tmp_path: Path) -> None:
    before = Inputs().digest(clip)
    os.utime(clip, (0, 0))
    assert Inputs().digest(clip.rename(tmp_path / "moved.mov")) == before


def test_another_name_or_mode_is_no_change_and_one_that_is_gone_is(clip: Path) -> None:
    inputs = Inputs()
    inputs.digest(clip)
    clip.chmod(0o444)
    clip.with_name("second name").hardlink_to(clip)
    inputs.check()
    clip.unlink()
    with pytest.raises(FootageError, match="went away"):
        inputs.check()


def test_a_file_is_read_once_and_reading_can_be_stopped(clip: Path) -> None:
    told: list[str] = []
    inputs = Inputs(told.append)
    assert inputs.digest(clip) == inputs.digest(clip)
    blocks = len(told)
    assert blocks == 3
    inputs.check()
    assert len(told) == blocks

    def stop(doing: str) -> None:
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        Inputs(stop).digest(clip)


def test_all_that_a_recipe_names_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("style.jpg", "by-hand.png", "drawn.png", "behind.mp4"):
        Path(name).touch()
    Path("mattes").mkdir()
    Path("mattes", "1.png").touch()
    recipe = Recipe(
        style="style.jpg",
        storyboard={3: "by-hand.png"},
        objects=["car=matte:drawn.png@3", "cup=mattes:mattes"],
        layers=[{"object": "car", "mode": "replace", "source": "behind.mp4"}],
        prompt="a prompt\n" + "long " * 2000,
    )
    names = {str(path) for path in named_files(recipe)}
    assert names == {"style.jpg", "by-hand.png", "drawn.png", "behind.mp4", "mattes/1.png"}
