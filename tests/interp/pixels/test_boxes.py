from __future__ import annotations

import numpy as np

from interp.pixels.boxes import bounding_box, cropped, grown, union


def test_the_box_round_a_mask() -> None:
    mask = np.zeros((9, 12), bool)
    assert bounding_box(mask) is None
    mask[2, 5] = mask[6, 3] = True
    box = bounding_box(mask)
    assert box == (3, 2, 6, 7)
    assert cropped(mask, box).shape == (5, 3)
    assert cropped(mask, box).flags.c_contiguous


def test_a_union_of_boxes() -> None:
    assert union([None, (1, 5, 3, 9), (0, 6, 2, 12)]) == (0, 5, 3, 12)
    assert union([None]) is None


def test_a_box_grows_up_to_the_border() -> None:
    assert grown((3, 2, 6, 7), 2, 12, 8) == (1, 0, 8, 8)
