"""Mattes read back from folders."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest
from PIL import Image

from controls.masks.files import load_matte, read_matte
from controls.masks.matte_folder import MatteFolderMasker
from controls.prompts import parse_object, split_label
from controls.types import Masked, Matte, MatteFolder, Point, Prompted


class Blank:
    def __init__(self, count: int, size: tuple[int, int] = (8, 6)) -> None:
        self.size, self.count = size, count

    def __len__(self) -> int:
        return self.count

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        for _ in range(start, stop):
            yield np.zeros((self.size[1], self.size[0], 3), np.uint8)


def follow(
    folders: dict[str, Path | str],
    pictures: Blank,
    *,
    first: int = 0,
    count: int | None = None,
    masker: MatteFolderMasker | None = None,
) -> Iterator[Masked]:
    places = {name: split_label(str(folder)) for name, folder in folders.items()}
    prompts = [Prompted(name, 0, MatteFolder(path, label, first, count)) for name, (path, label) in places.items()]
    return (masker or MatteFolderMasker()).follow(pictures, prompts)


def notes_of(found: list[Masked]) -> tuple[str, ...]:
    return tuple(note for masked in found for note in masked.notes)


def draw(folder: Path, numbers: list[int], size: tuple[int, int] = (8, 6)) -> Path:
    folder.mkdir()
    for number in numbers:
        cv2.imwrite(str(folder / f"v2.{number}.png"), np.full((size[1], size[0]), number % 256, np.uint8))
    return folder


def test_mattes_come_back_by_number(tmp_path: Path) -> None:
    car, man = draw(tmp_path / "car", [8, 9, 10, 11]), draw(tmp_path / "man", [101, 102, 103, 104])
    found = list(follow({"car": car, "man": man}, Blank(2), first=1, count=4))
    assert [masked.frame for masked in found] == [0, 1]
    for masked, (a, b) in zip(found, [(9, 102), (10, 103)], strict=True):
        np.testing.assert_allclose(masked.mattes["car"], np.full((6, 8), a / 255), atol=1e-6)
        np.testing.assert_allclose(masked.mattes["man"], np.full((6, 8), b / 255), atol=1e-6)
        assert masked.mattes["car"].dtype == np.float32


def test_too_many_or_too_few_are_refused(tmp_path: Path) -> None:
    car = draw(tmp_path / "car", [1, 2, 3])
    for frames in (2, 4):
        with pytest.raises(ValueError, match=f"car' holds 3 mattes, {frames} are needed"):
            follow({"car": car}, Blank(frames))
    with pytest.raises(ValueError, match="4 are needed"):
        follow({"car": car}, Blank(2), first=2, count=3)


def test_another_size_is_refused(tmp_path: Path) -> None:
    car = draw(tmp_path / "car", [1, 2], size=(9, 6))
    with pytest.raises(ValueError, match=r"v2\.1\.png' is 9x6, the picture 8x6"):
        list(follow({"car": car}, Blank(2)))


def test_gaps_twins_and_missing_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="number 3 is missing"):
        follow({"car": draw(tmp_path / "gap", [1, 2, 4])}, Blank(3))
    twins = draw(tmp_path / "twins", [1, 2])
    cv2.imwrite(str(twins / "other_02.png"), np.zeros((6, 8), np.uint8))
    with pytest.raises(ValueError, match="two mattes of number 2"):
        follow({"car": twins}, Blank(2))
    with pytest.raises(ValueError, match="no folder"):
        follow({"car": tmp_path / "none"}, Blank(1))
    with pytest.raises(ValueError, match="holds no mattes"):
        follow({"car": draw(tmp_path / "empty", [])}, Blank(1))


def test_there_is_nothing_to_follow() -> None:
    with pytest.raises(ValueError, match="follows no Point prompts"):
        MatteFolderMasker().follow(Blank(1), [Prompted("car", 0, Point(1, 1))])


PALETTE = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]  # of DAVIS: 3 is the third object
SHAPE = np.array([[0, 0, 1, 1], [0, 2, 2, 1], [3, 3, 0, 0]], np.uint8)


def label(folder: Path, form: str, count: int = 3) -> Path:
    """``count`` mattes of labels; in the first there is nothing yet."""
    folder.mkdir()
    for number in range(count):
        values = SHAPE if number else np.zeros_like(SHAPE)
        path = folder / f"{number:05d}.png"
        if form == "palette":
            picture = Image.fromarray(values)
            picture.putpalette(PALETTE)
            picture.save(path)
        else:
            one = values.astype(bool) if form == "0 and 1" else values
            cv2.imwrite(str(path), one.astype(np.uint16 if form == "16 bits" else np.uint8))
    return folder


@pytest.mark.parametrize("form", ["palette", "grey", "16 bits", "0 and 1"])
def test_labels_are_whole_objects(tmp_path: Path, form: str) -> None:
    folder = label(tmp_path / "bear", form)
    masker = MatteFolderMasker()
    shot = list(follow({"bear": folder}, Blank(3, (4, 3)), count=3, masker=masker))
    found = [masked.mattes["bear"] for masked in shot]
    assert not found[0].any()
    assert np.array_equal(found[1], (SHAPE > 0).astype(np.float32))
    (note,) = notes_of(shot)
    assert ("hold 0 and 1" if form == "0 and 1" else "labels 1, 2, 3") in note
    late = follow({"bear": folder}, Blank(1, (4, 3)), first=2, count=3, masker=masker)  # the next shot
    assert np.array_equal(next(late).mattes["bear"], found[2])


@pytest.mark.parametrize("form", ["palette", "grey"])
def test_one_label_is_chosen_by_number(tmp_path: Path, form: str) -> None:
    folder = label(tmp_path / "bear", form)
    shot = list(follow({"bear": f"{folder}#2", "man": f"{folder}#3"}, Blank(3, (4, 3)), count=3))
    found = shot[2].mattes
    assert np.array_equal(found["bear"], (SHAPE == 2).astype(np.float32))
    assert np.array_equal(found["man"], (SHAPE == 3).astype(np.float32))
    assert notes_of(shot) == ()
    with pytest.raises(ValueError, match="no label 9; there are: 1, 2, 3"):
        list(follow({"bear": f"{folder}#9"}, Blank(3, (4, 3))))
    grey = draw(tmp_path / "grey", [200])
    with pytest.raises(ValueError, match="no label 1; they are levels of grey"):
        list(follow({"bear": f"{grey}#1"}, Blank(1)))


def test_levels_stay_levels(tmp_path: Path) -> None:
    folder = tmp_path / "soft"
    folder.mkdir()
    cv2.imwrite(str(folder / "0.png"), np.array([[0, 1, 2]], np.uint8))  # a matte that comes up
    cv2.imwrite(str(folder / "1.png"), np.array([[0, 100, 255]], np.uint8))
    shot = list(follow({"a": folder}, Blank(2, (3, 1))))
    found = [masked.mattes["a"] for masked in shot]
    np.testing.assert_allclose(found[0], [[0, 1 / 255, 2 / 255]])
    assert notes_of(shot) == ()


def test_a_drawn_matte_of_labels(tmp_path: Path) -> None:
    folder = label(tmp_path / "bear", "palette")
    assert np.array_equal(read_matte(folder / "00001.png"), (SHAPE > 0).astype(np.float32))
    prompt = parse_object(f"bear=matte:{folder / '00001.png'}#2@1").prompt
    assert isinstance(prompt, Matte)
    assert np.array_equal(prompt.values, (SHAPE == 2).astype(np.float32))
    with pytest.raises(ValueError, match="no label 4"):
        parse_object(f"bear=matte:{folder / '00001.png'}#4@1")


def test_mattes_come_upright_and_one_by_one(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn = np.array([[0, 255, 255], [0, 0, 255]], np.uint8)
    Image.fromarray(np.ascontiguousarray(np.rot90(drawn))).save(tmp_path / "m.png", exif=exif)
    assert np.array_equal(load_matte(tmp_path / "m.png", (3, 2)).levels(), drawn / np.float32(255))
    frames = [Image.fromarray(drawn), Image.fromarray(255 - drawn)]
    frames[0].save(tmp_path / "two.png", save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match=r"two\.png' holds 2 pictures"):
        read_matte(tmp_path / "two.png")


def test_an_exr_matte_lies_in_its_display_window(tmp_path: Path) -> None:
    spec = oiio.ImageSpec(2, 1, 1, "half")
    spec.channelnames = ("A",)
    spec.x, spec.y, spec.full_width, spec.full_height = 1, 1, 4, 3
    out = oiio.ImageOutput.create("openexr")
    assert out.open(str(tmp_path / "a.exr"), spec)
    assert out.write_image(np.array([[[0.5], [1.0]]], np.float32))
    assert out.close()
    wanted = np.zeros((3, 4), np.float32)
    wanted[1, 1:3] = 0.5, 1
    assert np.array_equal(read_matte(tmp_path / "a.exr"), wanted)


def test_another_size_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    head = struct.pack(">IIBBBBB", 30000, 30000, 16, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    (tmp_path / "m.1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + bytes(4))
    with pytest.raises(ValueError, match=r"m\.1\.png' is 30000x30000, the picture 8x6"):
        list(follow({"car": tmp_path}, Blank(1)))


def test_negative_numbers_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    for number, value in (("-0002", 50), ("-0001", 100), ("0000", 200)):
        cv2.imwrite(str(folder / f"m.{number}.png"), np.full((6, 8), value, np.uint8))
    found = [one.mattes["m"][0, 0] * 255 for one in follow({"m": folder}, Blank(3))]
    np.testing.assert_allclose(found, [50, 100, 200])
