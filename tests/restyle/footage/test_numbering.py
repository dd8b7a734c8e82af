"""Names of sequences: negative numbers, other programs' patterns, folders that hold more than one sequence."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from clips import write_pictures

from restyle.errors import FootageError
from restyle.footage import files_of, open_footage, probe
from restyle.footage.numbering import Numbering, find_pictures


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def names_of(path: Path) -> list[str]:
    return [file.name for file in find_pictures(path).files]


NEGATIVE = {
    "foo.{}.png": ["-0003", "-0002", "-0001", "0000", "0001", "0002"],  # 3ds Max, Nuke
    "{}.png": ["-2", "-1", "0", "1"],
    "a {}_v2.png": ["-002", "-001", "0000", "0001"],  # C's %04d counts the sign
    "b{}.png": ["-0002", "-0001", "0000", "0001"],  # no separator, but the others tell that the dash is a sign
}


@pytest.mark.parametrize("form", NEGATIVE)
def test_negative_numbers_come_first_and_in_order(tmp_path: Path, form: str) -> None:
    wanted = [form.format(number) for number in NEGATIVE[form]]
    folder = touch(tmp_path / "in", *sorted(wanted))
    assert names_of(folder) == wanted
    digits = "%d" if form == "{}.png" else "%04d"
    pattern = find_pictures(folder / form.format(digits))
    assert [file.name for file in pattern.files] == wanted
    assert pattern.first == int(NEGATIVE[form][0])


def test_negative_numbers_alone_are_not_a_film_run_backwards(tmp_path: Path) -> None:
    folder = touch(tmp_path / "in", *(f"foo.-{number:04d}.png" for number in range(1, 6)))
    for path in (folder, folder / "foo.%04d.png"):
        found = find_pictures(path)
        assert [file.name[4:9] for file in found.files] == ["-0005", "-0004", "-0003", "-0002", "-0001"]
        assert any("from -5 to -1" in note for note in found.notes)


def test_a_dash_between_words_is_no_sign(tmp_path: Path) -> None:
    folder = touch(tmp_path / "in", *(f"shot-{number:04d}.png" for number in range(1, 4)))
    assert names_of(folder) == ["shot-0001.png", "shot-0002.png", "shot-0003.png"]
    assert names_of(folder / "shot-%04d.png") == names_of(folder)
    with pytest.raises(FootageError, match="no picture in"):
        find_pictures(folder / "shot%04d.png")


def test_a_gap_between_negative_and_positive_numbers_is_named(tmp_path: Path) -> None:
    folder = touch(tmp_path / "in", "f.-0002.png", "f.-0001.png", "f.0001.png")
    for path in (folder, folder / "f.%04d.png"):
        with pytest.raises(FootageError, match=r"gap: '.*f\.0000\.png' is missing"):
            find_pictures(path)


def test_negative_numbers_go_out_as_they_came_in(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    pictures = [np.full((6, 8, 3), 40 * level, np.uint8) for level in range(4)]
    write_pictures(tmp_path / "in", pictures[2:], "f.%04d.png", first=0)
    for number, picture in enumerate(pictures[:2]):
        write_pictures(tmp_path / "in", [picture], f"f.-{2 - number:04d}.png%d", first=0)
    for file in (tmp_path / "in").glob("*png0"):
        os.replace(file, file.with_suffix(".png"))
    done = pass_through(tmp_path / "in", "out/g.####.png") if (tmp_path / "out").mkdir() is None else None
    made = ["g.-0002.png", "g.-0001.png", "g.0000.png", "g.0001.png"]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == sorted(made)
    assert [file.name for file in files_of(tmp_path / "out")] == made
    assert [frame.picture[0, 0, 0] for frame in open_footage(done.path).frames()] == [0, 40, 80, 120]


@pytest.mark.parametrize(
    ("pattern", "digits"),
    [("f.%04d.png", 4), ("f.####.png", 4), ("f.$F4.png", 4), ("f.${F3}.png", 3), ("f.%d.png", 1),
     ("f.#.png", 1), ("f.$F.png", 1)],
)  # fmt: skip
def test_patterns_as_other_programs_write_them(tmp_path: Path, pattern: str, digits: int) -> None:
    numbering = Numbering.of(tmp_path / pattern)
    assert numbering is not None
    assert (numbering.prefix, numbering.digits, numbering.suffix) == ("f.", digits, ".png")
    write_pictures(tmp_path, [np.zeros((4, 4, 3), np.uint8)] * 2, f"f.%0{digits}d.png", first=7)
    assert probe(tmp_path / pattern).first_number == 7


@pytest.mark.parametrize("name", ["take#2.png", "a.png", "f.%04d.%04d.png", "f.##.##.png", "C#.png", "5%off.png"])
def test_names_that_are_no_patterns(name: str) -> None:
    assert Numbering.of(name) is None


@pytest.mark.parametrize("pattern", ["f.%04d.dpx", "f.####.dpx"])
def test_a_format_that_is_not_read_is_said(tmp_path: Path, pattern: str) -> None:
    folder = touch(tmp_path / "in", "f.0001.dpx", "f.0002.dpx")
    with pytest.raises(FootageError, match=r"\.dpx pictures are not read; convert them to one of \.exr"):
        probe(folder / pattern)
    with pytest.raises(FootageError, match=r"holds no pictures .*; \.dpx pictures are not read"):
        probe(folder)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a.1.png", "a.2.png", "a.3.png", "b.1.png", "b.2.png"], r"'a\.%d\.png' \(3\), 'b\.%d\.png' \(2\)"),
        (["f.0001.png", "f.0003.png", "f.0004x.png"], r"'f\.%04d\.png' \(2\), 'f\.0004x\.png'"),  # hides the gap
        (["f.0001.png", "f.0002.png", "cover.png"], r"'f\.%04d\.png' \(2\), 'cover\.png'"),
        (["f.1.left.png", "f.2.left.png", "f.1.right.png", "f.2.right.png"], r"'f\.%d\.left\.png' \(2\), 'f\.%d\.right"),
        (["sc1_take1_1.png", "sc1_take1_2.png", "sc1_take2_1.png"], r"'sc1_take1_%d\.png' \(2\), 'sc1_take2_1\.png'"),
    ],
)  # fmt: skip
def test_a_folder_of_more_than_one_sequence_is_refused(tmp_path: Path, names: list[str], found: str) -> None:
    with pytest.raises(FootageError, match="more than one sequence: " + found) as caught:
        find_pictures(touch(tmp_path / "in", *names))
    assert "\n" not in str(caught.value)


def test_the_number_may_stand_anywhere(tmp_path: Path) -> None:
    folder = touch(tmp_path / "in", *(f"shot2_{number}_v3.png" for number in (9, 10, 11)))
    found = find_pictures(folder)
    assert [file.name for file in found.files] == ["shot2_9_v3.png", "shot2_10_v3.png", "shot2_11_v3.png"]
    assert (found.first, found.notes) == (9, ())
    (folder / "shot2_10_v3.png").unlink()
    with pytest.raises(FootageError, match=r"shot2_10_v3\.png' is missing"):
        find_pictures(folder)


def test_pictures_without_numbers_are_taken_by_name_with_a_note(tmp_path: Path) -> None:
    found = find_pictures(touch(tmp_path / "in", "cat.png", "ant.png", "bee2.png"))
    assert [file.name for file in found.files] == ["ant.png", "bee2.png", "cat.png"]
    assert "not numbered alike" in found.notes[0]
    assert find_pictures(touch(tmp_path / "one", "still.png")).notes == ()


def test_one_number_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        FootageError, match=r"two pictures of number 1: 'f1\.png' and 'f01\.png'|'f01\.png' and 'f1\.png'"
    ):
        find_pictures(touch(tmp_path / "in", "f1.png", "f01.png", "f2.png"))
