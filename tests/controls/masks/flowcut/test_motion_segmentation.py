"""What moves apart is told from what it moves before."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from scenes import texture

from controls.masks.flowcut.frame_walk import walk
from controls.masks.flowcut.motion_segmentation import motion_evidence
from controls.masks.flowcut.params import Params
from controls.masks.flowcut.region import Region

WIDTH, HEIGHT, COUNT, AT = 200, 140, 25, 12
PARAMS = Params()
REGION = Region(40, 20, 160, 120, (WIDTH, HEIGHT))


class Scene:
    """A disc before a world, each with its own motion (pixels a frame), and a box beside the disc with a third."""

    def __init__(self, disc: float, world: float, other: float | None = None) -> None:
        self.size, self.frames = (WIDTH, HEIGHT), []
        back, front, third = (
            cv2.convertScaleAbs(texture(HEIGHT, 6 * WIDTH, seed), alpha=0.6, beta=30) for seed in (3, 4, 5)
        )
        for t in range(COUNT):

            def shifted(cloth: np.ndarray, speed: float, t: int = t) -> np.ndarray:
                start = round(2.5 * WIDTH - speed * (t - AT))
                return cloth[:, start : start + WIDTH]

            picture = shifted(back, world).copy()
            for name, speed, x in (("other", other, 128), ("disc", disc, 90)):
                if speed is None:
                    continue
                place = np.zeros((HEIGHT, WIDTH), np.uint8)
                centre = (round(x + speed * (t - AT)), 70)
                if name == "disc":
                    cv2.circle(place, centre, 18, 255, -1)
                else:
                    cv2.rectangle(place, (centre[0] - 12, 52), (centre[0] + 12, 88), 255, -1)
                picture[place > 0] = shifted(front if name == "disc" else third, speed)[place > 0]
                if t == AT:
                    setattr(self, name, place[REGION.slices] > 0)
            self.frames.append(np.ascontiguousarray(picture))
        self.disc: np.ndarray
        self.other: np.ndarray

    def __len__(self) -> int:
        return COUNT

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        yield from self.frames[start:stop]


def evidence(scene: Scene, *, velocity_x: float | None = None) -> np.ndarray:
    context = next(walk(scene, AT, AT, PARAMS.walk))
    allowed = cv2.dilate(scene.disc.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    velocity = None if velocity_x is None else np.array([velocity_x, 0.0])
    return motion_evidence(context.run, AT, REGION, allowed, PARAMS.motion, velocity=velocity)


@pytest.mark.parametrize(("disc", "world"), [(3.0, 0.0), (-2.0, 2.0), (0.0, 3.0)])
@pytest.mark.parametrize("known", [False, True])
def test_a_thing_that_moves_is_told_from_the_world(disc: float, world: float, known: bool) -> None:
    scene = Scene(disc, world)
    found = evidence(scene, velocity_x=disc if known else None)
    inside = cv2.erode(scene.disc.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    outside = cv2.dilate(scene.disc.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    assert found.shape == REGION.shape
    assert np.mean(found[inside] > 0.1) > 0.9
    assert np.mean(found[outside] < 0.15) > 0.95


def test_where_nothing_moves_apart_nothing_is_said() -> None:
    for speed in (0.0, 2.0):
        assert np.abs(evidence(Scene(speed, speed))).max() < 0.1


def test_a_third_motion_is_not_the_things_once_its_own_is_known() -> None:
    scene = Scene(3.0, 0.0, other=-3.0)
    found = evidence(scene, velocity_x=3.0)
    inside = cv2.erode(scene.other.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert np.median(found[inside & ~scene.disc]) < 0
    assert np.median(found[cv2.erode(scene.disc.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0]) > 0.1


def test_a_context_sees_the_frames_round_it_either_way() -> None:
    scene = Scene(1.0, 0.0)
    for start, stop in ((0, COUNT - 1), (COUNT - 1, 0)):
        walked = list(walk(scene, start, stop, PARAMS.walk))
        assert [context.number for context in walked] == list(
            range(start, stop + (1 if stop > start else -1), 1 if stop > start else -1)
        )
        for context in walked:
            for there in range(
                max(0, context.number - PARAMS.walk.margin), min(COUNT, context.number + PARAMS.walk.margin + 1)
            ):
                assert there in context.run
        assert walked[0].previous is None
        assert np.median(walked[5].motion_from_previous.flow[30:110, 60:120, 0]) == pytest.approx(0, abs=0.6)
