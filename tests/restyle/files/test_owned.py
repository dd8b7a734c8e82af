from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from restyle.errors import OutputError, OutputExistsError, RestyleError
from restyle.files import owned
from restyle.files.owned import LIST_NAME, OwnFiles, new_folder, refuse_inputs
from restyle.files.writing import output_lock


def fill(folder: Path, *, overwrite: bool = False, text: str = "one", command: str = "matte") -> None:
    with new_folder(folder, command=command, overwrite=overwrite) as place:
        (place / "car").mkdir()
        (place / "car" / "1.png").write_text(text)


def everything(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else "" for path in sorted(folder.rglob("*"))
    }


def test_a_folder_appears_whole_and_is_replaced_only_when_told(tmp_path: Path) -> None:
    fill(tmp_path / "new" / "out")
    with pytest.raises(OutputExistsError, match="is there already"):
        fill(tmp_path / "new" / "out")
    fill(tmp_path / "new" / "out", overwrite=True, text="two")
    assert (tmp_path / "new" / "out" / "car" / "1.png").read_text() == "two"

    def fail() -> None:
        with new_folder(tmp_path / "new" / "out", command="matte", overwrite=True) as place:
            (place / "half").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (tmp_path / "new" / "out" / "car" / "1.png").read_text() == "two"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out"]


def add(folder: Path) -> None:
    (folder / "clip.mp4").write_text("footage")


def add_deep(folder: Path) -> None:
    (folder / "car" / "notes.txt").write_text("mine")


def mend(folder: Path) -> None:
    (folder / "car" / "1.png").write_text("uno")


def link(folder: Path) -> None:
    (folder / "car" / "2.png").symlink_to("1.png")


def link_folder(folder: Path) -> None:
    (folder / "other").symlink_to(folder.parent)


def unlisted(folder: Path) -> None:
    (folder / LIST_NAME).unlink()


def misleading(folder: Path) -> None:
    (folder / LIST_NAME).write_text('{"command": "matte", "files": [[["' * 50)


@pytest.mark.parametrize("change", [add, add_deep, mend, link, link_folder, unlisted, misleading])
def test_what_the_command_did_not_write_is_never_replaced(tmp_path: Path, change: Callable[[Path], None]) -> None:
    fill(tmp_path / "out")
    change(tmp_path / "out")
    before = everything(tmp_path)
    with pytest.raises(OutputError, match="not written by 'restyle matte' or changed since"):
        fill(tmp_path / "out", overwrite=True)
    assert everything(tmp_path) == before


def test_another_commands_folder_is_not_replaced(tmp_path: Path) -> None:
    fill(tmp_path / "out")
    with pytest.raises(OutputError, match="was made by 'restyle matte'"):
        fill(tmp_path / "out", overwrite=True, command="controls")


def test_what_is_put_there_meanwhile_is_kept(tmp_path: Path) -> None:
    fill(tmp_path / "out")
    with (
        pytest.raises(OutputError, match="was put there or changed meanwhile"),
        new_folder(tmp_path / "out", command="matte", overwrite=True),
    ):
        add(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [LIST_NAME, "car", "clip.mp4"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("way", ["the new one cannot be put there", "nor the old one back"])
def test_an_older_folder_outlives_a_failure_to_replace_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    fill(tmp_path / "out")

    def fail(part: Path, final: Path) -> None:
        if way == "nor the old one back":
            (final / "somebody").mkdir(parents=True)
        raise OSError("the disk is gone")

    monkeypatch.setattr(owned, "finalise", fail)
    with pytest.raises(OutputError, match="cannot write"):
        fill(tmp_path / "out", overwrite=True, text="two")
    monkeypatch.undo()
    with output_lock(tmp_path / "out"):  # the next one sweeps what is unfinished
        pass
    assert [path.read_text() for path in tmp_path.rglob("1.png")] == ["one"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    fill(tmp_path / "out")
    assert (tmp_path / "out" / "car" / "1.png").exists()


def test_a_file_or_a_link_in_the_way_stays(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    for name in ("file", "link"):
        with pytest.raises(OutputExistsError, match="is no folder"):
            fill(tmp_path / name, overwrite=True)
    assert (tmp_path / "file").read_text() == "mine"
    assert (tmp_path / "link").is_symlink()


def test_this_folder_by_its_shortest_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").write_text("footage")
    with pytest.raises(OutputError, match=r"holds 'clip\.mp4'"):
        fill(Path("."), overwrite=True)


@pytest.mark.parametrize("way", ["same", "link", "hard link", "dots", "holds", "within"])
def test_an_input_is_never_an_output(tmp_path: Path, way: str) -> None:
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / "style.jpg"
    source.write_text("picture")
    output = {
        "same": source,
        "link": tmp_path / "link.jpg",
        "hard link": tmp_path / "hard.jpg",
        "dots": tmp_path / "in" / ".." / "in" / "style.jpg",
        "holds": tmp_path / "in",
        "within": source,
    }[way]
    if way == "link":
        output.symlink_to(source)
    if way == "hard link":
        os.link(source, output)
    with pytest.raises(RestyleError, match="read for it; give the output another name"):
        refuse_inputs(output, [tmp_path / "nowhere", source.parent if way == "within" else source])
    refuse_inputs(tmp_path / "elsewhere.jpg", [source])


def test_a_list_knows_its_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").mkdir()
    own = OwnFiles.of_folder(tmp_path, "run")
    assert own.intact(tmp_path)
    (tmp_path / LIST_NAME).write_text(own.to_text())
    assert OwnFiles.read(tmp_path) == own
    (tmp_path / "a").write_text("b")
    newer = OwnFiles.of_folder(tmp_path, "run")
    assert not own.intact(tmp_path)
    assert own.joined(newer).has(tmp_path, "a")
    assert own.replaced(newer).intact(tmp_path)
    (tmp_path / "a").unlink()
    assert not newer.intact(tmp_path)
