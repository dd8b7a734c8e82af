"""What the tests of control maps share."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
import pytest

from controls.torchvision_guard import make_torchvision_importable


@pytest.fixture
def photo() -> Callable[[int, int], np.ndarray]:
    """Something of a given width and height with edges of all strengths: uint8 H x W x 3."""

    def make(width: int, height: int) -> np.ndarray:
        noise = np.random.default_rng(5).random((height // 16 + 1, width // 16 + 1, 3)).astype(np.float32)
        grown = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.rint(grown.clip(0, 1) * 255).astype(np.uint8)

    return make


@pytest.fixture
def theirs() -> Callable[[str], Any]:
    """``theirs("controlnet_aux.canny")``: a module of the package, to compare with; skips where it is not installed."""

    def load(module: str) -> Any:
        if find_spec("torch") is None or find_spec("controlnet_aux") is None:
            pytest.skip("controlnet_aux is not installed: pip install -c constraints.txt -e '.[controls]'")
        make_torchvision_importable()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(module)

    return load
