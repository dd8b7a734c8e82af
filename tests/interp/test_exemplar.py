"""Holes filled with pieces of what is round them: lines go on, and nothing of the hole comes back."""

from __future__ import annotations

import cv2
import numpy as np

from interp.exemplar import fill_by_exemplars
from interp.invention import painted_in


def stripes(width: int = 200, height: int = 150, *, slope: float = 0.35) -> np.ndarray:
    """Two colours with a straight border between them, and a fine grain: float32 in [0, 1]."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    upper = (y < 60 + slope * (x - 100))[:, :, None]
    picture = np.where(upper, np.float32((0.25, 0.45, 0.8)), np.float32((0.6, 0.5, 0.2)))
    grain = np.random.default_rng(2).normal(0, 0.02, (height, width, 1))
    return np.clip(picture + grain, 0, 1).astype(np.float32)


def hole_of(picture: np.ndarray, radius: int) -> tuple[np.ndarray, np.ndarray]:
    hole = np.zeros(picture.shape[:2], np.uint8)
    cv2.circle(hole, (100, 62), radius, 1, -1)
    shown = picture.copy()
    shown[hole > 0] = (1, 0, 0)
    return shown, hole > 0


def test_a_line_goes_on_through_the_hole() -> None:
    for size, radius in (((200, 150), 18), ((400, 300), 60)):  # the second is arranged on a smaller picture
        truth = stripes(*size)
        shown, hole = hole_of(truth, radius)
        made = fill_by_exemplars(shown, hole)
        assert made is not None
        assert np.array_equal(made[~hole], shown[~hole])
        drawn = cv2.inpaint(np.rint(shown * 255).astype(np.uint8), hole.astype(np.uint8), 5, cv2.INPAINT_TELEA) / 255
        wrong = [float((np.abs(each - truth).max(axis=2) > 0.15)[hole].mean()) for each in (made, drawn)]
        assert wrong[0] < 0.06
        assert wrong[0] < 0.5 * wrong[1]
        grain = [each[hole & (truth[:, :, 2] > 0.6)].std(axis=0).max() for each in (made, truth)]
        assert grain[0] > 0.6 * grain[1]  # and so does the texture


def test_nothing_is_taken_from_where_it_may_not() -> None:
    truth = stripes()
    shown, hole = hole_of(truth, 14)
    forbidden = np.zeros(hole.shape, bool)
    forbidden[:, 130:] = True
    shown[forbidden] = (0, 1, 0)
    made = fill_by_exemplars(shown, hole, forbidden)
    assert made is not None
    assert (made[hole][:, 1] < 0.7).all()


def test_without_surroundings_there_is_nothing_to_take() -> None:
    picture = stripes(40, 30)
    assert fill_by_exemplars(picture, np.ones((30, 40), bool)) is None
    nothing = np.zeros((30, 40), bool)
    assert fill_by_exemplars(picture, nothing) is picture
    whole = painted_in(np.rint(picture * 255).astype(np.uint8), np.ones((30, 40), bool))
    assert whole.shape == picture.shape
    assert np.isfinite(whole).all()


def test_thin_holes_are_filled_smoothly_at_every_depth() -> None:
    truth = stripes()
    hole = np.zeros(truth.shape[:2], bool)
    hole[:, 100:104] = True
    for dtype, white in ((np.uint8, 255), (np.uint16, 65535), (np.float32, 1)):
        picture = np.where(hole[:, :, None], 0, truth * white).astype(dtype)
        made = painted_in(picture, hole)
        assert made.dtype == np.float32
        assert np.abs(made / white - truth)[hole].mean() < 0.05
