from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import recoloured, texture

from interp.propagate.repair import patches, transfer_look


def test_what_is_unexplained_gets_the_look_of_its_neighbourhood() -> None:
    source = texture(120, 160, 3)
    look = recoloured(source)
    picture, confidence = look.copy(), np.ones((60, 80), np.float32)
    picture[40:70, 60:100] = 0
    confidence[18:37, 28:52] = 0
    repaired = transfer_look(source, picture, confidence, 0.25)
    before, after = (np.abs(p.astype(float) - look)[44:66, 64:96].mean() for p in (picture, repaired))
    assert after < before / 4
    assert np.array_equal(repaired[:20], picture[:20])
    assert transfer_look(source, picture, np.ones_like(confidence), 0.25) is picture


@given(st.integers(1, 400), st.integers(1, 300), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_patches_cover_all_that_is_unexplained_once(width: int, height: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    lost = np.zeros((max(1, height // 2), max(1, width // 2)), np.float32)
    for _ in range(3):
        lost[random.integers(lost.shape[0]), random.integers(lost.shape[1])] = 1
    seen = np.zeros((height, width), int)
    for left, top, right, bottom in patches(lost, width, height):
        assert right > left
        assert bottom > top
        seen[top:bottom, left:right] += 1
    assert seen.max() == 1
    assert (
        seen[cv2.resize(lost, (width, height), interpolation=cv2.INTER_LINEAR).reshape(seen.shape) > 0.02] == 1
    ).all()
