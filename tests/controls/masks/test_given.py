"""Mattes read back from folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from controls.masks.given import GivenMasker
from controls.types import Point, Prompted


class Blank:
    def __init__(self, count: int, size: tuple[int, int] = (8, 6)) -> None:
        self.size, self.count = size, count

    def __len__(self) -> int:
        return self.count

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        for _ in range(start, stop):
            yield np.zeros((self.size[1], self.size[0], 3), np.uint8)


def draw(folder: Path, numbers: list[int], size: tuple[int, int] = (8, 6)) -> Path:
    folder.mkdir()
    for number in numbers:
        cv2.imwrite(str(folder / f"v2.{number}.png"), np.full((size[1], size[0]), number % 256, np.uint8))
    return folder


def test_mattes_come_back_by_number(tmp_path: Path) -> None:
    car, man = draw(tmp_path / "car", [8, 9, 10, 11]), draw(tmp_path / "man", [101, 102, 103, 104])
    found = list(GivenMasker({"car": car, "man": man}, first=1, frames=4).follow(Blank(2)))
    assert [masked.frame for masked in found] == [0, 1]
    for masked, (a, b) in zip(found, [(9, 102), (10, 103)], strict=True):
        np.testing.assert_allclose(masked.mattes["car"], np.full((6, 8), a / 255), atol=1e-6)
        np.testing.assert_allclose(masked.mattes["man"], np.full((6, 8), b / 255), atol=1e-6)
        assert masked.mattes["car"].dtype == np.float32


def test_too_many_or_too_few_are_refused(tmp_path: Path) -> None:
    car = draw(tmp_path / "car", [1, 2, 3])
    for frames in (2, 4):
        with pytest.raises(ValueError, match=f"car' holds 3 mattes, {frames} are needed"):
            GivenMasker({"car": car}).follow(Blank(frames))
    with pytest.raises(ValueError, match="4 are needed"):
        GivenMasker({"car": car}, first=2, frames=3).follow(Blank(2))


def test_another_size_is_refused(tmp_path: Path) -> None:
    car = draw(tmp_path / "car", [1, 2], size=(9, 6))
    with pytest.raises(ValueError, match=r"v2\.1\.png' is 9x6, the picture 8x6"):
        list(GivenMasker({"car": car}).follow(Blank(2)))


def test_gaps_twins_and_missing_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="number 3 is missing"):
        GivenMasker({"car": draw(tmp_path / "gap", [1, 2, 4])})
    twins = draw(tmp_path / "twins", [1, 2])
    cv2.imwrite(str(twins / "other_02.png"), np.zeros((6, 8), np.uint8))
    with pytest.raises(ValueError, match="two mattes of number 2"):
        GivenMasker({"car": twins})
    with pytest.raises(ValueError, match="no folder"):
        GivenMasker({"car": tmp_path / "none"})
    with pytest.raises(ValueError, match="holds no mattes"):
        GivenMasker({"car": draw(tmp_path / "empty", [])})


def test_there_is_nothing_to_follow(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="follow no prompts"):
        GivenMasker({"car": draw(tmp_path / "car", [1])}).follow(Blank(1), [Prompted("car", 0, Point(1, 1))])
