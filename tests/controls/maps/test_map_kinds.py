"""The table of control maps, and what holds for each of those that need no weights."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from controls.maps import DETECTORS, kinds
from controls.maps.base import Detector, PairDetector
from controls.maps.pictures import picture_to_detect
from interp.errors import InterpError

FREE = [name for name, facts in kinds().items() if not facts.packages and not facts.weights]
SIZES = [(96, 64), (97, 65), (33, 50)]


def picture(width: int, height: int, dtype: str = "uint8") -> np.ndarray:
    """A bright disk and a dark bar on mid grey with a ramp."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    values = np.dstack([0.4 + 0.2 * x / width, 0.4 + 0.2 * y / height, np.full_like(x, 0.5)])
    values[np.hypot(x - width / 3, y - height / 2) < height / 5] = 0.95
    values[:, width * 3 // 4 : width * 3 // 4 + 4] = 0.05
    if dtype == "float32":
        return values.astype(np.float32)
    return np.rint(values * np.iinfo(dtype).max).astype(dtype)


def detect(name: str, here: np.ndarray) -> np.ndarray:
    made = DETECTORS.make(name)
    if isinstance(made, Detector):
        return made.detect(here).picture
    assert isinstance(made, PairDetector)
    return made.detect_pair(here, np.roll(here, 1, axis=1)).picture


def test_what_needs_nothing_is_there() -> None:
    assert {"canny", "tile", "lineart", "flow"} <= set(FREE)


@pytest.mark.parametrize("name", DETECTORS.names())
def test_each_says_what_it_is(name: str) -> None:
    facts = kinds()[name]
    assert facts.name == name
    assert facts.kind == name.partition("-")[0]
    assert all((facts.about, facts.licence, facts.output))
    assert set(facts.controlnets) <= {"sd15", "sdxl"}
    assert all(repository.count("/") == 1 for repository in facts.controlnets.values())


@pytest.mark.parametrize("name", FREE)
@pytest.mark.parametrize("size", SIZES)
def test_a_map_has_its_picture_s_size(name: str, size: tuple[int, int]) -> None:
    made = detect(name, picture(*size))
    assert made.shape == (size[1], size[0], 3)
    assert made.dtype == np.uint8
    assert made.flags.c_contiguous


@pytest.mark.parametrize("name", FREE)
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_a_deeper_picture_gives_the_same_map(name: str, dtype: str) -> None:
    whole = picture(96, 64)
    deep = whole.astype(np.uint16) * 257 if dtype == "uint16" else whole.astype(np.float32) / 255
    np.testing.assert_array_equal(detect(name, deep), detect(name, whole))


@pytest.mark.parametrize("name", FREE)
@pytest.mark.parametrize("wrong", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_picture_is_refused(name: str, wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a picture is"):
        detect(name, wrong)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("cany", {}, "did you mean 'canny'"),
        ("nothing-like-it", {}, "There are: "),
        ("canny", {"hihg": 3}, "no option 'hihg'; it has: low, high"),
        ("canny", {"low": 300.0}, "low <= high"),
        ("tile", {"down": 0.5}, "1 to 64"),
        ("flow", {"estimator": "magic"}, "unknown flow estimator"),
        ("lineart", {"sigma": 0.0}, "sigma > 0"),
    ],
)
def test_what_cannot_be_made_says_why_on_one_line(name: str, options: dict, said: str) -> None:
    with pytest.raises(InterpError, match=said) as caught:
        DETECTORS.make(name, options)
    assert "\n" not in str(caught.value)


def test_listing_the_kinds_imports_nothing_heavy() -> None:
    code = (
        "import sys; from controls.maps import kinds; assert len(kinds()) > 4; "
        "print(*[n for n in ('torch', 'transformers', 'controlnet_aux', 'mediapipe', 'av', 'onnxruntime') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_eight_bits_are_rounded() -> None:
    deep = np.array([[[0, 128, 129], [65535, 65406, 257]]], np.uint16)
    assert picture_to_detect(deep).tolist() == [[[0, 0, 1], [255, 254, 1]]]
    light = np.array([[[-1, np.nan, 0.5], [1, 2, 0.002]]], np.float32)
    assert picture_to_detect(light).tolist() == [[[0, 0, 128], [255, 255, 1]]]
