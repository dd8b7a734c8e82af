from __future__ import annotations

import cv2
import numpy as np
import pytest

from controls.errors import ControlError
from interp.structure import grid_of
from restyle.errors import RecipeError
from restyle.planning.block_weights import BlockWeights


def photo(side: int) -> np.ndarray:
    from skimage import data

    return cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_AREA)


def test_without_faces_all_blocks_count_alike() -> None:
    weights = BlockWeights((256, 256), faces=False).of(photo(256))
    assert weights.shape == grid_of(256, 256)
    assert (weights == 1).all()


def test_a_face_counts_double_where_it_is() -> None:
    pytest.importorskip("mediapipe")
    weights = BlockWeights((256, 256), faces=True).of(photo(256))
    rows, columns = weights.shape
    assert weights[int(0.24 * rows), int(0.44 * columns)] == 2
    assert weights[int(0.8 * rows), int(0.8 * columns)] == 1
    assert 1 < weights.mean() < 1.1


def test_only_what_is_painted_counts() -> None:
    inside = np.zeros(grid_of(256, 256), bool)
    inside[:3] = True
    weights = BlockWeights((256, 256), faces=False).of(photo(256), inside)
    assert (weights[:3] == 1).all()
    assert not weights[3:].any()


def test_in_pictures_too_small_for_faces_none_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from restyle.planning import block_weights

    def refuse() -> None:
        raise AssertionError("looked for")

    monkeypatch.setattr(block_weights, "FaceFinder", refuse)
    assert (BlockWeights((128, 96), faces=True).of(photo(128)[:96]) == 1).all()


def test_a_package_that_cannot_be_used_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from restyle.planning import block_weights

    def broken() -> None:
        raise ControlError("finding faces: the package mediapipe cannot be used: libGL.so.1 is not there")

    monkeypatch.setattr(block_weights, "FaceFinder", broken)
    with pytest.raises(RecipeError, match=r"libGL\.so\.1"):
        BlockWeights((256, 256), faces=True)
