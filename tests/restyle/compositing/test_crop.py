from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from interp.pixels.boxes import Box
from restyle.compositing.crop import STEP, WORTH, Framing
from restyle.types import Shot

SIZE = (640, 360)


@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_a_crop_follows_its_object_and_keeps_its_size(seed: int, length: int, margin: int) -> None:
    random = np.random.default_rng(seed)
    shot = Shot(0, 5, 5 + length)
    x, y = random.uniform(0, 540), random.uniform(0, 280)
    boxes: dict[int, Box | None] = {}
    for frame in range(shot.start, shot.stop):
        x, y = np.clip(x + random.normal(0, 9), 0, 540), np.clip(y + random.normal(0, 6), 0, 280)
        if random.random() < 0.8:
            boxes[frame] = (int(x), int(y), int(x) + random.integers(1, 100), int(y) + random.integers(1, 80))
    framing = Framing([shot], boxes, size=SIZE, margin=margin)
    crops = [framing.of(frame) for frame in range(shot.start, shot.stop)]
    if not boxes:
        assert crops == [None] * length
        return
    there = [crop for crop in crops if crop is not None]
    assert len(there) == length
    assert len({(right - left, bottom - top) for left, top, right, bottom in there}) == 1
    for frame, (left, top, right, bottom) in zip(range(shot.start, shot.stop), there, strict=True):
        assert 0 <= left < right <= SIZE[0]
        assert 0 <= top < bottom <= SIZE[1]
        if frame in boxes:
            box = boxes[frame]
            assert box is not None
            assert left <= box[0] < box[2] <= right
            assert top <= box[1] < box[3] <= bottom
    assert framing.of(4) is None


def test_a_crop_moves_like_a_camera_and_not_like_its_object() -> None:
    """An object that trembles by ten pixels does not shake the crop."""
    boxes: dict[int, Box | None] = {t: (300 + 10 * (t % 2), 100, 340 + 10 * (t % 2), 160) for t in range(40)}
    framing = Framing([Shot(0, 0, 40)], boxes, size=SIZE, margin=40)
    crops = [crop for t in range(40) if (crop := framing.of(t))]
    assert np.abs(np.diff([crop[0] for crop in crops])).max() <= 1
    assert {(crop[2] - crop[0]) % STEP for crop in crops} == {0}


def test_an_object_that_fills_the_frame_is_painted_with_all_of_it() -> None:
    side = int((WORTH * 640 * 360) ** 0.5)
    assert Framing([Shot(0, 0, 3)], {0: (0, 0, side + 40, min(360, side))}, size=SIZE, margin=20).of(0) is None


def test_each_shot_has_its_own_crop() -> None:
    framing = Framing([Shot(0, 0, 5), Shot(1, 5, 9)], {2: (0, 0, 40, 40), 7: (500, 200, 620, 330)}, size=SIZE, margin=8)
    assert framing.of(0) == (0, 0, 64, 64)
    assert framing.of(8) == (480, 185, 640, 345)
