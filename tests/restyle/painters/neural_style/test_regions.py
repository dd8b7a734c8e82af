"""A region is painted as the whole frame's painting is there."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from paint_requests import request_of
from PIL import Image
from scenes import moving_scene, texture

from interp.pixels.boxes import Box, cropped
from restyle.painters.base import RegionRequest
from restyle.painters.neural_style import networks
from restyle.painters.neural_style import painter as painter_module
from restyle.painters.neural_style.painter import NeuralStylePainter


def whole(painter: NeuralStylePainter, picture: np.ndarray) -> np.ndarray:
    return painter.paint(request_of([picture], [0]), None)[0][0]


def boxes(width: int, height: int) -> list[Box]:
    """At each corner, along a border, within, all of it, and one pixel."""
    across, down = max(1, width // 5), max(1, height // 5)
    return [
        (0, 0, across, down),
        (width - across, 0, width, down),
        (0, height - down, across, height),
        (width - across, height - down, width, height),
        (width // 3, height - down, width // 3 + across, height),
        (width // 2 - across // 2, height // 2, width // 2 - across // 2 + across, height // 2 + down),
        (0, 0, width, height),
        (width - 1, height // 2, width, height // 2 + 1),
    ]


@pytest.mark.parametrize("style", ["starry-swirl", "leaded-glass:1,lava:2"])
@pytest.mark.parametrize("size", [(320, 256), (321, 243), (230, 66), (31, 90), (7, 5), (1, 1)])
def test_a_region_is_the_whole_frames_painting_there(size: tuple[int, int], style: str) -> None:
    picture = texture(size[1], size[0], 3)
    painter = NeuralStylePainter(style, threads=1)
    wanted = whole(painter, picture).astype(int)
    for box in boxes(*size):
        made = painter.paint_region(RegionRequest(picture, box, picture))
        assert made.dtype == np.uint8
        assert np.abs(made - cropped(wanted, box)).max() <= 1, box


@pytest.mark.parametrize("size", [(320, 256), (323, 251)])
@pytest.mark.parametrize("share", [2.7, 4])
def test_so_is_a_region_of_a_picture_that_is_painted_smaller(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], share: float
) -> None:
    monkeypatch.setattr(networks, "MOST_PIXELS", size[0] * size[1] / share)
    picture = texture(size[1], size[0], 3)
    painter = NeuralStylePainter("autumn-oil", threads=1)
    wanted = whole(painter, picture).astype(int)
    for box in boxes(*size):
        made = painter.paint_region(RegionRequest(picture, box, picture))
        assert np.abs(made - cropped(wanted, box)).max() <= 1, box


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_regions_come_in_the_footages_depth(dtype: type) -> None:
    picture = texture(120, 160, 3).astype(np.float32) / 255
    picture = (picture * 65535).astype(np.uint16) if dtype is np.uint16 else picture
    painter = NeuralStylePainter("mosaic", threads=1)
    made = painter.paint_region(RegionRequest(picture, (40, 30, 90, 80), picture))
    assert made.dtype == dtype
    assert made.flags.c_contiguous
    white = 65535 if dtype is np.uint16 else 1
    assert np.abs(made.astype(float) - cropped(whole(painter, picture), (40, 30, 90, 80))).max() < 1e-4 * white


@pytest.mark.parametrize("style", ["starry-swirl", "ukiyo-wave"])
def test_another_frames_statistics_change_little(style: str) -> None:
    frames = moving_scene(9, size=(256, 160), pan=(1.5, 0.5)).frames
    painter = NeuralStylePainter(style, threads=1)
    box = (60, 40, 140, 120)
    wanted = cropped(whole(painter, frames[8]), box).astype(int)
    made = painter.paint_region(RegionRequest(frames[8], box, frames[0]))
    crop = whole(painter, cropped(frames[8], box))
    near, far = (np.abs(painting - wanted).mean() for painting in (made, crop))
    assert near < 8
    assert near < far / 4  # a crop by itself has other statistics


def test_fewer_surroundings_change_little_inside() -> None:
    picture = moving_scene(1, size=(256, 192)).frames[0]
    painter = NeuralStylePainter("starry-swirl", threads=1)
    box = (80, 60, 170, 140)
    exact, near = (painter.paint_region(RegionRequest(picture, box, picture, margin)) for margin in (None, 16))
    assert near.shape == exact.shape
    away = np.abs(near.astype(int) - exact)
    assert away[16:-16, 16:-16].mean() < 1
    assert away.mean() < 8


@pytest.mark.parametrize("level", [0, 127, 255])
def test_a_blank_keyframe_spoils_no_region(level: int) -> None:
    """To its statistics, what little a picture varies would be multiplied by hundreds, in layer after layer."""
    picture, blank = texture(96, 128, 3), np.full((96, 128, 3), level, np.uint8)
    painter = NeuralStylePainter("starry-swirl")
    made = painter.paint_region(RegionRequest(picture, (30, 30, 80, 80), blank))
    assert np.abs(made.astype(int) - cropped(whole(painter, blank), (30, 30, 80, 80))).max() <= 2


def test_statistics_are_kept_of_the_last_keyframes_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first, other = texture(96, 128, 3), texture(96, 128, 4)
    request = RegionRequest(other, (20, 20, 70, 60), first)
    afresh = NeuralStylePainter("mosaic").paint_region(request)
    painter = NeuralStylePainter("mosaic")
    whole(painter, first)
    measured: list[int] = []
    measure = painter._networks.paint_and_measure

    def measure_and_count(*given, **options):
        measured.append(1)
        return measure(*given, **options)

    monkeypatch.setattr(painter._networks, "paint_and_measure", measure_and_count)
    assert np.array_equal(painter.paint_region(request), afresh)
    assert not measured, "its painting gave them"
    monkeypatch.setattr(painter_module, "STATISTICS", 1)
    whole(painter, other)
    measured.clear()
    assert np.array_equal(painter.paint_region(request), afresh)
    assert measured == [1]
    painter.close()
    assert np.array_equal(painter.paint_region(request), afresh)


def test_a_style_from_a_picture_paints_no_regions(tmp_path) -> None:
    Image.fromarray(texture(40, 40, 1)).save(tmp_path / "a.png")
    painter = NeuralStylePainter(str(tmp_path / "a.png"))
    assert not painter.capabilities.paints_regions
    assert NeuralStylePainter("mosaic:1,lava:1").capabilities.paints_regions
    picture = texture(40, 40, 2)
    with pytest.raises(NotImplementedError, match="painter 'neural-style' paints no regions with a picture"):
        painter.paint_region(RegionRequest(picture, (0, 0, 8, 8), picture))


def test_a_region_costs_what_its_size_costs() -> None:
    """With its margin, a region of 128 pixels is a quarter of a picture of 512."""
    picture = cv2.resize(texture(256, 256, 3), (512, 512))
    painter = NeuralStylePainter("mosaic", threads=1)
    request = RegionRequest(picture, (192, 192, 320, 320), picture)
    costs: dict[str, list[float]] = {"whole": [], "region": []}
    for _ in range(4):
        for name, paint in (
            ("whole", lambda: whole(painter, picture)),
            ("region", lambda: painter.paint_region(request)),
        ):
            began = time.process_time()
            paint()
            costs[name].append(time.process_time() - began)
    assert min(costs["region"][1:]) < 0.45 * min(costs["whole"][1:])
