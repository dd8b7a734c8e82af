"""Regions of in-betweens that lost their structure are painted anew, and nothing else is touched."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scenes import texture

from interp.pixels.boxes import Box, part_of
from interp.types import Motion
from restyle.render import regions
from restyle.render.regions import RegionRepair, RegionRules

HEIGHT, WIDTH = 180, 320
RULES = RegionRules(loss=0.1, budget=0.35)
GROUND, THING = texture(HEIGHT, WIDTH, 1), texture(60, 60, 2)
PLACE = (slice(60, 120), slice(140, 200))  # of the thing that is there between the keyframes only


class Still:
    """A tracker that is certain that nothing moves, but for where the thing is."""

    def motion(self, here: int, there: int) -> Motion:
        confidence = np.ones((HEIGHT // 2, WIDTH // 2), np.float32)
        if here == 1:
            confidence[30:60, 70:100] = 0
        return Motion(np.zeros((HEIGHT // 2, WIDTH // 2, 2), np.float32), confidence)


def look(picture: np.ndarray) -> np.ndarray:
    """A painting that follows the footage's edges: the negative."""
    return 255 - picture


def between() -> np.ndarray:
    picture = GROUND.copy()
    picture[PLACE] = THING
    return picture


def smeared() -> np.ndarray:
    """The in-between as a filler would make it: the thing is a blur."""
    picture = look(between())
    picture[PLACE] = cv2.GaussianBlur(picture[PLACE], (0, 0), 15)
    return picture


def repaired(
    in_between: np.ndarray, *, shift: int = 0, rules: RegionRules = RULES
) -> tuple[dict[int, np.ndarray], list[Box]]:
    asked: list[Box] = []

    def paint(picture: np.ndarray, box: Box, keyframe: np.ndarray) -> np.ndarray:
        assert np.array_equal(keyframe, GROUND)
        asked.append(box)
        return np.clip(look(picture).astype(int) + shift, 0, 255).astype(picture.dtype)[part_of(box)]

    repair = RegionRepair(paint, Still(), {0: (GROUND, look(GROUND)), 2: (GROUND, look(GROUND))}, rules)
    return repair({1: (between(), in_between)}), asked


def test_a_smeared_thing_is_painted_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "MARGIN", 16)
    made, asked = repaired(smeared())
    assert list(made) == [1]
    inside = (slice(65, 115), slice(145, 195))
    before, after = (np.abs(p[inside].astype(int) - look(between())[inside]).mean() for p in (smeared(), made[1]))
    assert after < 0.2 * before
    (box,) = asked
    assert (box[2] - box[0]) * (box[3] - box[1]) < 0.25 * WIDTH * HEIGHT
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[part_of(box)] = False
    assert np.array_equal(made[1][outside], smeared()[outside])


def stretch(smears: dict[int, np.ndarray], last: int) -> tuple[dict[int, np.ndarray], list[np.ndarray]]:
    """Repair in-betweens that all show the thing. Gives them, and the pictures of which a region was painted."""
    seen: list[np.ndarray] = []

    def paint(picture: np.ndarray, box: Box, keyframe: np.ndarray) -> np.ndarray:
        seen.append(picture)
        return look(picture)[part_of(box)]

    class StillBetween(Still):
        def motion(self, here: int, there: int) -> Motion:
            return super().motion(1 if 0 in (here, there) or last in (here, there) else 0, 0)

    ends = {0: (GROUND, look(GROUND)), last: (GROUND, look(GROUND))}
    repair = RegionRepair(paint, StillBetween(), ends, RegionRules())
    return repair({position: (between(), smear) for position, smear in smears.items()}), seen


def test_neighbours_share_one_painting() -> None:
    made, seen = stretch({position: smeared() for position in (1, 2, 3)}, 4)
    assert len(seen) == 1, "the frame in the middle, and both beside it"
    assert sorted(made) == [1, 2, 3]
    inside = (slice(66, 114), slice(146, 194))
    before = np.abs(smeared()[inside].astype(int) - look(between())[inside]).mean()
    for picture in made.values():
        assert np.abs(picture[inside].astype(int) - look(between())[inside]).mean() < 0.35 * before


def test_what_a_painting_does_not_mend_it_is_not_carried_to() -> None:
    right = look(between())
    made, seen = stretch({1: right, 2: smeared(), 3: right}, 4)
    assert len(seen) == 1
    assert list(made) == [2]


def test_what_is_right_is_left_alone() -> None:
    made, asked = repaired(look(between()))
    assert made == {}
    assert asked == []


def test_its_colours_are_brought_to_those_round_it() -> None:
    made, _ = repaired(smeared(), shift=20)
    inside = (slice(70, 110), slice(150, 190))
    away = made[1][inside].astype(int) - look(between())[inside]
    assert abs(away.mean()) < 6, "the painter's own colours were lighter by 20"


def test_no_more_is_painted_than_time_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "CHEAP", 0)
    made, asked = repaired(smeared(), rules=RegionRules(loss=0.1, budget=0.0))
    assert made == {}
    assert asked == []


def test_where_all_costs_too_much_the_worst_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "CHEAP", 0)
    picture = look(between())
    picture[60:120, 140:170] = cv2.GaussianBlur(picture[60:120, 140:170], (0, 0), 2.5)  # a little is lost
    picture[60:120, 170:200] = cv2.GaussianBlur(picture[60:120, 170:200], (0, 0), 15)
    _, everything = repaired(picture, rules=RegionRules(loss=0.1, budget=1.0))
    made, worst = repaired(picture, rules=RegionRules(loss=0.1, budget=0.22))
    assert worst
    assert worst[0][0] > everything[0][0], "the left part is let go"
    inside = (slice(70, 110), slice(175, 195))
    before, after = (np.abs(each[inside].astype(int) - look(between())[inside]).mean() for each in (picture, made[1]))
    assert after < 0.5 * before


def test_many_regions_are_painted_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "WHOLE", 0.0)
    _, asked = repaired(smeared())
    assert asked == [(0, 0, WIDTH, HEIGHT)]


def test_a_thing_that_comes_closer_to_a_keyframe_is_painted_in_its_look() -> None:
    """The nearest keyframe tells the statistics of the whole picture."""
    asked = []
    ends = {0: (GROUND, look(GROUND)), 8: (GROUND[::-1].copy(), look(GROUND[::-1]))}

    def paint(picture: np.ndarray, box: Box, keyframe: np.ndarray) -> np.ndarray:
        asked.append(np.array_equal(keyframe, ends[8][0]))
        return look(picture)[part_of(box)]

    class Lost(Still):
        def motion(self, here: int, there: int) -> Motion:
            return Motion(np.zeros((90, 160, 2), np.float32), np.zeros((90, 160), np.float32))

    RegionRepair(paint, Lost(), ends, RULES)({6: (between(), smeared())})
    assert asked
    assert all(asked)


def test_flat_pictures_have_nothing_to_lose() -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    repair = RegionRepair(lambda picture, box, key: picture, Still(), {0: (flat, flat)}, RULES)
    assert repair({1: (flat, flat)}) == {}
    assert repair({}) == {}


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_every_depth_is_repaired_alike(dtype: str) -> None:
    def deep(picture: np.ndarray) -> np.ndarray:
        return picture.astype(np.uint16) * 257 if dtype == "uint16" else (picture / np.float32(255)).astype(np.float32)

    def paint(picture: np.ndarray, box: Box, keyframe: np.ndarray) -> np.ndarray:
        return deep(look(between()))[part_of(box)]

    ends = {0: (deep(GROUND), deep(look(GROUND)))}
    made = RegionRepair(paint, Still(), ends, RULES)({1: (deep(between()), deep(smeared()))})
    white = 65535 if dtype == "uint16" else 1
    eight = repaired(smeared())[0][1] / 255
    assert np.abs(made[1] / white - eight).mean() < 0.01
