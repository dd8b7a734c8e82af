"""The size at which a picture is painted, and so the size of its strokes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from paint_requests import request_of
from PIL import Image
from scenes import texture

from interp.pixels.boxes import Box, cropped
from restyle.errors import RecipeError
from restyle.painters.base import PaintRequest, RegionRequest
from restyle.painters.neural_style.painter import NeuralStylePainter
from restyle.painters.neural_style.scaling import Scaling, stroke_scale


def test_strokes_are_as_large_relative_to_every_frame() -> None:
    for brush_size in (1.0, 2.0, 0.5):
        for frame in ((1280, 720), (3840, 2160), (640, 360), (1080, 1920)):
            assert min(frame) * stroke_scale(frame, brush_size, 720) == pytest.approx(720 / brush_size)
    assert stroke_scale((3840, 2160), None, 720) == pytest.approx(1 / 3)
    assert stroke_scale((1280, 720), None, 720) == stroke_scale((640, 360), None, 720) == 1


@pytest.mark.parametrize("size", [(64, 48), (61, 47), (5, 3)])
@pytest.mark.parametrize("scale", [1 / 3, 2 / 3, 0.41, 1.0, 1.5, 2.0])
def test_parts_are_those_of_the_whole(size: tuple[int, int], scale: float) -> None:
    picture = texture(size[1], size[0], 3)
    scaling = Scaling.of(picture, scale, 1e9)
    assert scaling.painted[0] / size[0] == pytest.approx(scale, rel=0.1, abs=8 / size[0])
    whole = scaling.part(picture, (0, 0, *scaling.painted))
    assert whole.shape[:2] == scaling.painted[::-1]
    back = scaling.restored(whole, picture, (0, 0, *size))
    assert back.shape == picture.shape
    w, h = size
    boxes: list[Box] = [(0, 0, 1, 1), (w - 2, h - 1, w, h), (w // 3, h // 3, w // 2 + 1, h // 2 + 1)]
    for box in boxes:
        needed = scaling.needed(box)
        part = scaling.part(picture, needed)
        assert np.allclose(part, cropped(whole, needed), atol=1e-6)
        assert np.allclose(scaling.restored(part, picture, box), cropped(back, box), atol=1e-5)


def stroke(painting: np.ndarray) -> float:
    """Size of what a painting is made of, in pixels: the square root of its variance over that of its gradient."""
    luma = cv2.cvtColor(painting, cv2.COLOR_RGB2GRAY).astype(np.float32)
    luma -= cv2.GaussianBlur(luma, (0, 0), 24)
    steps = np.concatenate([np.diff(luma, axis=0).ravel(), np.diff(luma, axis=1).ravel()])
    return float(luma.std() / steps.std())


def smooth() -> np.ndarray:
    """A picture without anything fine: what is fine in its painting are strokes."""
    return cv2.GaussianBlur(texture(180, 240, 3, finest=40), (0, 0), 6)


def paint(picture: np.ndarray, **options) -> np.ndarray:
    return NeuralStylePainter(threads=1, **options).paint(request_of([picture], [0]), None)[0][0]


def test_large_frames_look_like_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restyle.painters.neural_style.painter.LINES", 96)
    small = texture(96, 128, 3, finest=8)
    large = cv2.resize(small, (384, 288), interpolation=cv2.INTER_CUBIC)
    painting = paint(large, style="starry-swirl")
    reduced = cv2.resize(painting, (128, 96), interpolation=cv2.INTER_AREA).astype(int)
    wanted = paint(small, style="starry-swirl").astype(int)
    alone = cv2.resize(paint(large, style="starry-swirl", brush_size=1 / 3), (128, 96), interpolation=cv2.INTER_AREA)
    assert np.abs(reduced - wanted).mean() < 12
    assert np.abs(reduced - wanted).mean() < np.abs(alone - wanted).mean() / 2


def test_a_larger_brush_makes_larger_strokes() -> None:
    sizes = [stroke(paint(smooth(), style="autumn-oil", brush_size=size)) for size in (2, 4, 8)]
    assert sizes[0] * 1.3 < sizes[1]
    assert sizes[1] * 1.3 < sizes[2]


def test_a_picture_as_the_style_has_a_brush_size_too(tmp_path) -> None:
    Image.fromarray(texture(64, 64, 1)).save(tmp_path / "a.png")
    sizes = [stroke(paint(smooth(), style=str(tmp_path / "a.png"), brush_size=size)) for size in (1.5, 6)]
    assert sizes[0] * 1.2 < sizes[1]


def test_edges_stay_sharp_where_strokes_are_bold() -> None:
    picture = np.full((180, 240, 3), 40, np.uint8)
    picture[:, 121:] = 215
    painting = paint(picture, style="winter-ink", brush_size=8).astype(np.float32)
    rows = np.abs(np.diff(painting[40:140].mean(axis=2), axis=1))
    assert (np.abs(rows.argmax(axis=1) - 120) <= 1).mean() > 0.9
    assert (
        np.median(rows.max(axis=1)) > 40
    )  # of some 150, in one pixel; enlarged plainly, twice as large, it takes four


@pytest.mark.parametrize("brush_size", [2.7, 6.0])
def test_a_region_is_the_whole_frames_painting_there(brush_size: float) -> None:
    picture = texture(150, 202, 3)
    painter = NeuralStylePainter("autumn-oil", brush_size=brush_size, threads=1)
    wanted = painter.paint(request_of([picture], [0]), None)[0][0].astype(int)
    for box in ((0, 0, 40, 30), (162, 120, 202, 150), (70, 60, 110, 90), (0, 0, 202, 150)):
        made = painter.paint_region(RegionRequest(picture, box, picture))
        assert np.abs(made - cropped(wanted, box)).max() <= 1, box


def test_a_crop_is_painted_at_its_frames_scale() -> None:
    picture = texture(100, 120, 3)
    whole = request_of([picture], [0])
    as_crop = PaintRequest(**{**vars(whole), "frame_size": (2880, 1440)})
    painter = NeuralStylePainter("mosaic", threads=1)
    made = painter.paint(as_crop, None)[0][0]
    as_bold = PaintRequest(**{**vars(whole), "frame_size": (1280, 720)})
    same = NeuralStylePainter("mosaic", brush_size=2, threads=1).paint(as_bold, None)
    assert np.array_equal(made, same[0][0])
    assert not np.array_equal(made, painter.paint(whole, None)[0][0])
    region = painter.paint_region(RegionRequest(picture, (20, 30, 60, 70), picture, frame_size=(2880, 1440)))
    assert np.abs(region.astype(int) - made[30:70, 20:60]).max() <= 1


@pytest.mark.parametrize("option", [{"brush_size": 0}, {"brush_size": 9}, {"brush_size": "big"}, {"strength": 1.2}])
def test_options_are_checked(option: dict) -> None:
    with pytest.raises(RecipeError, match=next(iter(option))):
        NeuralStylePainter(**option)
