"""One look for several shots."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from paint_requests import request_of

from restyle.painters.base import Anchor, PaintRequest
from restyle.painters.neural_style.painter import NeuralStylePainter
from restyle.painters.neural_style.shared_look import SharedLook


def scene(seed: int) -> np.ndarray:
    """Large patches of five colours, the right half's brighter: uint8 256 x 384 x 3."""
    colours = np.array([(30, 40, 60), (90, 60, 40), (60, 120, 90), (200, 180, 120), (240, 240, 230)], np.uint8)
    numbers = np.random.default_rng(seed).integers(0, 3, (8, 12))
    numbers[:, 6:] += 2
    return cv2.resize(colours[numbers], (384, 256), interpolation=cv2.INTER_NEAREST)


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Mean difference of colours, brushwork averaged out, of 255."""
    small = [cv2.resize(each, (12, 8), interpolation=cv2.INTER_AREA).astype(float) for each in (a, b)]
    return float(np.abs(small[0] - small[1]).mean())


@pytest.mark.parametrize("style", ["ukiyo-wave", "winter-ink"])
def test_a_part_of_a_scene_comes_out_as_in_the_whole(style: str) -> None:
    whole = scene(3)
    part = np.ascontiguousarray(whole[:, :192])
    painter = NeuralStylePainter(style, threads=1)
    (painting,), _ = painter.paint(request_of([whole], [0]), None)
    wanted = painting[:, :192]
    (alone,), _ = painter.paint(request_of([part], [0]), None)
    (joined,), _ = painter.paint(replace(request_of([part], [0]), anchor=Anchor(whole, painting)), None)
    assert apart(joined, wanted) < 0.8 * apart(alone, wanted)


def test_the_anchors_own_picture_stays_as_it_is() -> None:
    picture = scene(1)
    painter = NeuralStylePainter("lava", threads=1)
    (painting,), _ = painter.paint(request_of([picture], [0]), None)
    (again,), _ = painter.paint(replace(request_of([picture], [0]), anchor=Anchor(picture, painting)), None)
    assert np.abs(again.astype(int) - painting).max() <= 1


def test_without_common_colours_nothing_changes() -> None:
    dark = np.full((128, 128, 3), (20, 30, 40), np.uint8)
    bright = np.full((128, 128, 3), (230, 220, 250), np.uint8)
    painting = np.random.default_rng(0).random((128, 128, 3), np.float32)
    assert SharedLook.of(dark, dark).hold(painting, bright) is painting


def test_colours_are_brought_to_the_anchors_by_the_footages() -> None:
    picture = scene(2)
    red = np.clip(picture.astype(np.float32) / 255 * 0.8 + (0.2, 0, 0), 0, 1)
    look = SharedLook.of(picture, (red * 255).round().astype(np.uint8))
    other = np.ascontiguousarray(picture[::-1, ::-1])
    held = look.hold(other.astype(np.float32) / 255, other)
    assert np.abs(held - red[::-1, ::-1]).mean() < 0.02


def test_an_anchor_is_a_pair_of_one_shape() -> None:
    with pytest.raises(ValueError, match="an anchor's painting is of its picture's shape"):
        Anchor(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8))


def test_later_keyframes_are_held_to_it_too() -> None:
    pictures = [scene(3), scene(4)]
    painter = NeuralStylePainter("winter-ink", hold=0, threads=1)
    anchor = Anchor(pictures[1], np.ascontiguousarray(255 - pictures[1]))
    request: PaintRequest = request_of(pictures, [0, 1])
    plain, _ = painter.paint(request, None)
    joined, _ = painter.paint(replace(request, anchor=anchor), None)
    assert not np.array_equal(plain[1], joined[1])
