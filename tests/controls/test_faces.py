"""Faces, found by the network inside the package in a photograph of a real person."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest
from scenes import texture

from interp.errors import MissingPackageError


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    from skimage import data

    return cv2.resize(data.astronaut(), (256, 256), interpolation=cv2.INTER_AREA)


def test_a_face_is_where_it_is(photo: np.ndarray) -> None:
    pytest.importorskip("mediapipe")
    from controls.faces import FaceFinder
    from controls.mediapipe_network import mediapipe_is_there

    assert mediapipe_is_there()
    finder = FaceFinder()
    ((left, top, right, bottom),) = finder.find(photo)
    assert left < 0.44 < right  # her nose
    assert top < 0.24 < bottom
    assert 0.05 < right - left < 0.3
    beside = np.full_like(photo, 127)
    beside[100:228, 120:248] = cv2.resize(photo, (128, 128), interpolation=cv2.INTER_AREA)
    ((left, top, right, bottom),) = finder.find(beside)
    assert left < (120 + 0.44 * 128) / 256 < right
    assert top < (100 + 0.24 * 128) / 256 < bottom


def test_nobody_is_in_a_texture() -> None:
    pytest.importorskip("mediapipe")
    from controls.faces import FaceFinder

    assert FaceFinder().find(texture(160, 200)) == []


def test_without_the_package_the_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from controls.faces import FaceFinder

    for name in [each for each in sys.modules if each.partition(".")[0] == "mediapipe"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(MissingPackageError, match=r"restyle\[pose\]"):
        FaceFinder()
