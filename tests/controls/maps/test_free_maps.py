"""Maps that need no weights: are they right?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from controls.maps.canny import Canny
from controls.maps.flow import ColouredFlow, colour_flow, colour_wheel
from controls.maps.lineart_standard import StandardLineart
from controls.maps.normal_from_depth import NormalFromDepth
from controls.maps.normals import normal_picture, normals_from_nearness
from controls.maps.tile import Tile
from controls.types import ControlMap

Photo = Callable[[int, int], np.ndarray]


def edge_at(column: int, width: int = 96, height: int = 64) -> np.ndarray:
    picture = np.full((height, width, 3), 40, np.uint8)
    picture[:, column:] = 220
    return picture


def test_canny_marks_the_edge_and_nothing_else() -> None:
    made = Canny().detect(edge_at(48))
    columns = np.flatnonzero(made.picture[32, :, 0])
    assert columns.tolist() in ([47], [48])
    assert set(np.unique(made.picture)) == {0, 255}


@pytest.mark.parametrize("size", [(640, 360), (641, 361), (300, 200)])
def test_canny_at_another_resolution_stays_on_the_edge(size: tuple[int, int]) -> None:
    made = Canny(resolution=256).detect(edge_at(size[0] // 2, *size))
    row = made.picture[size[1] // 2, :, 0].astype(float)
    centre = (row * np.arange(size[0])).sum() / row.sum()
    assert abs(centre - (size[0] // 2 - 0.5)) < 1.3 * min(size) / 256


def test_faint_lines_are_measured_but_not_drawn() -> None:
    picture = np.full((64, 96, 3), 100, np.uint8)
    picture[:, 48:] = 140  # a gradient of 160: below `high`, above half of it
    made = Canny().detect(picture)
    assert not made.picture.any()
    assert made.values is not None
    assert set(np.unique(made.values)) == {0, 0.5}


def test_tile_loses_detail_but_not_colour() -> None:
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[::2] = 200
    assert np.array_equal(Tile().detect(picture).picture, picture)
    made = Tile(down=4).detect(picture).picture
    assert np.abs(made.astype(int) - 100).max() <= 4


def test_lines_are_drawn_where_the_picture_is_darker() -> None:
    picture = np.full((512, 640, 3), 200, np.uint8)
    picture[:, 300:304] = 60  # dark: a line
    picture[:, 500:504] = 255  # bright: none
    made = StandardLineart().detect(picture).picture[256, :, 0]
    assert made[302] > 100
    assert made[502] == 0
    assert made[100] == 0


def test_canny_and_lineart_are_controlnet_aux_s(photo: Photo, theirs: Callable[[str], Any]) -> None:
    canny = theirs("controlnet_aux.canny").CannyDetector()
    lineart = theirs("controlnet_aux.lineart_standard").LineartStandardDetector()
    picture = photo(640, 512)
    np.testing.assert_array_equal(Canny().detect(picture).picture, canny(picture))
    np.testing.assert_array_equal(StandardLineart().detect(picture).picture, lineart(picture, output_type="np"))
    picture = photo(611, 400)
    np.testing.assert_array_equal(StandardLineart().detect(picture).picture, lineart(picture, output_type="np"))


@pytest.mark.parametrize(
    ("towards", "colour"),
    [((1, 0), (255, 0, 0)), ((-1, 0), (0, 209, 255)), ((0, 1), (255, 229, 0)), ((0, -1), (88, 0, 255))],
)
def test_flow_has_the_middlebury_colours(towards: tuple[int, int], colour: tuple[int, int, int]) -> None:
    flow = np.full((2, 3, 2), towards, np.float32)
    made = colour_flow(flow, longest=1)
    assert np.abs(made[0, 0].astype(int) - colour).max() <= 25
    assert colour_flow(flow * 0, longest=1).min() == 255
    assert colour_flow(flow * 3, longest=1).max() <= 192
    assert colour_wheel().shape == (55, 3)


def test_flow_shows_the_motion_there_is() -> None:
    texture = np.random.default_rng(3).integers(0, 255, (64, 96, 3), np.uint8)
    texture = cv2.resize(texture, (384, 256), interpolation=cv2.INTER_CUBIC)
    here, there = texture[20:220, 20:340], texture[20:220, 14:334]  # six pixels to the right
    made = ColouredFlow().detect_pair(here, there)
    assert made.values is not None
    assert np.abs(np.median(made.values, axis=(0, 1)) - (6, 0)).max() < 0.3
    back = ColouredFlow().detect_pair(there, here, backward=True)
    assert back.values is not None
    assert np.abs(np.median(back.values, axis=(0, 1)) - (6, 0)).max() < 0.3
    with pytest.raises(ValueError, match="one size"):
        ColouredFlow().detect_pair(here, there[1:])


@pytest.mark.parametrize("plane", [(0.0, 0.0, 1.0), (0.3, -0.2, 1.0), (-0.6, 0.5, 0.7), (0.0, 0.8, 0.2)])
@pytest.mark.parametrize("size", [(160, 90), (91, 121)])
def test_normals_of_planes_are_exact(plane: tuple[float, float, float], size: tuple[int, int]) -> None:
    """A plane n . P = 1 under a pinhole camera: 1/distance = n . ray."""
    width, height = size
    focal = max(size) / 2 / np.tan(np.radians(55 / 2))
    u = (np.arange(width) - (width - 1) / 2) / focal
    v = (np.arange(height) - (height - 1) / 2) / focal
    near = plane[0] * u[None, :] + plane[1] * v[:, None] + plane[2]
    found = normals_from_nearness(near.astype(np.float32) - 0.05, infinity=0.05)
    np.testing.assert_allclose(found, np.broadcast_to(plane / np.linalg.norm(plane), found.shape), atol=2e-3)


def test_normals_have_the_colours_that_controlnets_know() -> None:
    """Blue faces us, red the left, green the top."""
    height, width = 90, 160
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None].repeat(width, 1)

    class Given:
        facts = NormalFromDepth.traits

        def detect(self, picture: np.ndarray) -> ControlMap:
            return ControlMap("depth", picture, ramp)

    floor = NormalFromDepth(depth=Given()).detect(np.zeros((height, width, 3), np.uint8)).picture
    assert (floor[20:-20, 20:-20, 1] > 200).all()  # a floor, nearer below, faces the top: green
    right_wall = normal_picture(
        normals_from_nearness(np.linspace(0, 1, width, dtype=np.float32)[None].repeat(height, 0))
    )
    assert (right_wall[20:-20, 20:-20, 0] > 200).all()  # a wall on the right, nearer to the right, faces the left: red
    assert normal_picture(normals_from_nearness(np.full((9, 9), 0.5, np.float32)))[4, 4].tolist() == [128, 128, 255]


def test_normals_need_values() -> None:
    with pytest.raises(ValueError, match="has none"):
        NormalFromDepth(depth=Blank()).detect(np.zeros((9, 9, 3), np.uint8))


class Blank:
    facts = NormalFromDepth.traits

    def detect(self, picture: np.ndarray) -> ControlMap:
        return ControlMap("depth", picture)
