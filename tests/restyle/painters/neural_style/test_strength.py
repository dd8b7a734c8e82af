"""A style at less than its full strength."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from paint_requests import request_of
from PIL import Image
from scenes import texture

import samples
from interp.structure import agreement, gradients_of
from restyle.footage import open_footage
from restyle.painters.base import RegionRequest
from restyle.painters.neural_style.multistyle import neutral_code
from restyle.painters.neural_style.painter import NeuralStylePainter


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A frame of our own sample, small."""
    with open_footage(samples.clip()) as footage:
        frame = next(footage.frames(20, 21)).picture
    return cv2.resize(frame, (256, 144), interpolation=cv2.INTER_AREA)


def paint(picture: np.ndarray, style: str, strength: float) -> np.ndarray:
    painter = NeuralStylePainter(style, strength=strength, threads=1)
    return painter.paint(request_of([picture], [0]), None)[0][0]


def structure(picture: np.ndarray, painting: np.ndarray) -> float:
    luma = [p.astype(np.float32).mean(axis=2) / 255 for p in (picture, painting)]
    return float(agreement(*(gradients_of(each) for each in luma)).mean())


@pytest.mark.parametrize("style", ["starry-swirl", "ukiyo-wave", "autumn-oil"])
def test_less_strength_is_nearer_to_the_footage(picture: np.ndarray, style: str) -> None:
    paintings = [paint(picture, style, strength) for strength in (0, 0.35, 0.7, 1)]
    away = [float(np.abs(painting.astype(int) - picture).mean()) for painting in paintings]
    assert all(a < b for a, b in pairwise(away)), away
    assert away[0] < away[-1] / 2
    assert structure(picture, paintings[0]) > structure(picture, paintings[-1]) + 0.05


def test_a_weak_style_is_no_cross_fade(picture: np.ndarray) -> None:
    """Half of the strength has strokes and colours of its own: no mixture of footage and painting comes near it."""
    full, half = (paint(picture, "starry-swirl", strength).astype(np.float64) for strength in (1, 0.5))
    towards = full - picture
    share = float(((half - picture) * towards).sum() / (towards * towards).sum())
    rest = half - (picture + share * towards)
    assert 0.1 < share < 0.95
    assert rest.std() > 0.4 * towards.std() * share


def test_blends_of_styles_have_a_strength() -> None:
    picture = texture(64, 96, 3)
    whole, weak = (paint(picture, "mosaic:1,lava:2", strength).astype(int) for strength in (1, 0.2))
    assert np.abs(weak - picture).mean() < np.abs(whole - picture).mean()


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_a_region_is_the_whole_frames_painting_there(strength: float) -> None:
    picture = texture(160, 208, 3)
    painter = NeuralStylePainter("starry-swirl", strength=strength, threads=1)
    wanted = painter.paint(request_of([picture], [0]), None)[0][0].astype(int)
    made = painter.paint_region(RegionRequest(picture, (60, 50, 120, 100), picture))
    assert np.abs(made - wanted[50:100, 60:120]).max() <= 1


def test_a_picture_as_the_style_has_a_strength_too(tmp_path) -> None:
    red = (texture(64, 64, 1) * np.array([1, 0.2, 0.1])).astype(np.uint8)
    Image.fromarray(red).save(tmp_path / "red.png")
    picture = texture(96, 128, 3)
    redness = []
    for strength in (0.0, 0.5, 1.0):
        painting = paint(picture, str(tmp_path / "red.png"), strength).astype(float)
        redness.append(painting[..., 0].mean() - painting[..., 2].mean())
    assert redness[0] < redness[1] < redness[2]
    assert abs(redness[0] - (picture[..., 0].mean() - picture[..., 2].mean())) < 20


def test_the_neutral_code_has_a_number_for_each_channel() -> None:
    assert neutral_code().shape == (2, 15 * 32 + 8 + 4)
    assert neutral_code().dtype == np.float32


def test_another_strength_is_another_painting_in_the_job() -> None:
    identities = [
        NeuralStylePainter("mosaic", strength=s, brush_size=b).identity for s, b in ((1, None), (0.5, None), (1, 2))
    ]
    assert all(a != b for n, a in enumerate(identities) for b in identities[:n])
