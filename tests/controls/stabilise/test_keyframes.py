"""Keyframes' maps agree with those beside them, along the motion of the frames between, and with nothing later."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from controls.maps.canny import Canny
from controls.maps.people import Person
from controls.maps.pictures import grey_picture
from controls.maps.pose_maps import pose_map
from controls.stabilise.keyframes import KEYFRAME_METHODS, keyframes_ahead, stabilise_keyframes, stabilise_to_keyframes
from controls.stabilise.motion import KeyframeTracker, SlidingTracker
from controls.types import ControlMap
from interp.flow.dis import DisEstimator
from interp.types import Motion
from samples import load_truth

Load = Callable[[int], ControlMap]
KEYS = [0, 6, 14, 20, 26]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The benchmark, whose measures these tests use."""
    path = Path(__file__).parents[3] / "benchmarks" / "map_flicker.py"
    spec = importlib.util.spec_from_file_location("map_flicker", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Still:
    """A tracker of what does not move."""

    def __init__(self, size: tuple[int, int] = (48, 32), sure: float = 1.0) -> None:
        self._size, self._sure = size, sure

    def motion(self, here: int, there: int) -> Motion:
        width, height = self._size
        return Motion(np.zeros((height, width, 2), np.float32), np.full((height, width), self._sure, np.float32))


def depth(values: np.ndarray) -> ControlMap:
    return ControlMap("depth", grey_picture(values), values.astype(np.float32))


def hills() -> np.ndarray:
    found = cv2.resize(np.random.default_rng(2).random((4, 6)), (48, 32), interpolation=cv2.INTER_CUBIC)
    return found.clip(0, 1).astype(np.float32)


def values(made: ControlMap) -> np.ndarray:
    assert made.values is not None
    return made.values


@pytest.mark.parametrize("first", [0, 72])
def test_keyframes_of_the_sample_flicker_less_and_are_no_less_true(bench: ModuleType, first: int) -> None:
    truth, shot = load_truth(), bench.Shot(first, 27)
    frames = [first + key for key in KEYS]
    true = bench.nearness(truth, range(first, first + 27))
    there = [true[key] for key in KEYS]
    raw = {key: bench.fitted(found) for key, found in enumerate(bench.pumping(true)) if key in KEYS}
    tracker = KeyframeTracker(shot, DisEstimator(), KEYS)
    done = [made for _, made in stabilise_keyframes(lambda key: depth(raw[key]), KEYS, tracker, method="depth")]
    still = [values(made) for made in done]
    before = [*raw.values()]
    assert bench.key_flicker(still, truth, frames) < 0.5 * bench.key_flicker(before, truth, frames)
    assert bench.depth_error(still, there) < 0.8 * bench.depth_error(before, there)
    assert bench.depth_error(still, there, each=True) < bench.depth_error(before, there, each=True)
    for made in done:
        assert np.array_equal(made.picture, grey_picture(values(made)))

    lines = {key: Canny().detect(next(shot.read(key, key + 1))) for key in KEYS}
    drawn = [made.picture for _, made in stabilise_keyframes(lines.__getitem__, KEYS, tracker, method="edges")]
    was = [made.picture for made in lines.values()]
    assert bench.key_edge_flicker(drawn, truth, frames) < 0.85 * bench.key_edge_flicker(was, truth, frames)
    assert 0.85 < np.mean(drawn) / np.mean(was) < 1.15
    for key, picture in zip(KEYS, drawn, strict=True):  # what is sure stays, and nothing comes that is not even faint
        assert (picture[lines[key].picture > 0] == 255).all()
        assert not (picture[..., 0] > 0)[values(lines[key]) == 0].any()


def test_depth_keeps_the_level_of_the_first_and_lets_go_where_motion_knows_nothing() -> None:
    true = hills()
    factors = {0: (0.8, 0.1), 5: (0.5, 0.3), 10: (1.0, 0.0), 15: (0.6, 0.4)}

    def load(key: int) -> ControlMap:
        return depth(true * factors[key][0] + factors[key][1])

    done = dict(stabilise_keyframes(load, list(factors), Still(), method="depth"))
    for made in done.values():
        assert np.abs(values(made) - (true * 0.8 + 0.1)).max() < 0.03
    blind = dict(stabilise_keyframes(load, list(factors), Still(sure=0.0), method="depth"))
    for key, made in blind.items():
        np.testing.assert_allclose(values(made), values(load(key)), atol=1e-5)


@pytest.mark.parametrize("how", sorted(KEYFRAME_METHODS - {"pose"}))
def test_keyframes_that_come_later_change_nothing(how: str) -> None:
    draw = np.random.default_rng(4)
    maps: dict[int, ControlMap] = {}
    for key in (0, 3, 8, 11, 15, 19):
        noisy = (hills() + draw.normal(0, 0.3, (32, 48))).astype(np.float32)
        if how == "edges":
            lines = np.digitize(draw.random((32, 48)), [0.84, 0.92]).astype(np.float32) / 2
            maps[key] = ControlMap("canny", grey_picture((lines == 1).astype(np.float32)), lines)
        else:
            maps[key] = depth(noisy)
    whole = dict(stabilise_keyframes(maps.__getitem__, list(maps), Still(), method=how))  # type: ignore[arg-type]
    short = dict(stabilise_keyframes(maps.__getitem__, [0, 3, 8, 11], Still(), method=how))  # type: ignore[arg-type]
    assert keyframes_ahead(list(maps), 3) == [8, 11]
    for key in (0, 3):
        assert np.array_equal(values(whole[key]), values(short[key]))
    assert not np.array_equal(values(whole[11]), values(short[11]))


@pytest.mark.parametrize("how", sorted(KEYFRAME_METHODS))
def test_no_map_is_looked_for_before_it_is_needed_and_none_twice(how: str) -> None:
    asked: list[int] = []
    people = pose_map([somebody(0)], 48, 32)

    def load(key: int) -> ControlMap:
        asked.append(key)
        if how == "pose":
            return people
        return depth((hills() > 0.5).astype(np.float32))

    keys = list(range(0, 300, 10))
    run = stabilise_keyframes(load, keys, Still(), method=how)  # type: ignore[arg-type]
    for number, (key, _) in enumerate(run):
        assert key == keys[number]
        assert set(asked) <= {*keys[: number + 1], *keyframes_ahead(keys, key)}
    assert asked == keys


def somebody(shift: float, without: tuple[int, ...] = ()) -> Person:
    body = np.column_stack([np.arange(18) * 2 + shift, np.arange(18) + 4, np.ones(18)]).astype(np.float32)
    body[list(without), 2] = 0
    return Person(body)


def test_a_joint_missed_between_near_keyframes_is_bridged_and_one_seen_is_not_moved() -> None:
    def shown(keys: list[int]) -> np.ndarray:
        maps = {
            key: pose_map([somebody(place * 2.0, (7,) if place == 1 else ())], 96, 64) for place, key in enumerate(keys)
        }
        done = dict(stabilise_keyframes(maps.__getitem__, keys, Still(), method="pose"))
        (person,) = done[keys[1]].facts["people"]
        return np.array(person["body"])

    near = shown([0, 4, 8])
    np.testing.assert_allclose(near[7, :2], (14 + 2, 11), atol=0.01)
    np.testing.assert_allclose(near[6], (12 + 2, 10, 1), atol=0.01)
    far = shown([0, 12, 24])  # too far for a straight line to be where it was
    assert far[7, 2] == 0


def test_soft_lines_and_normals_are_left_alone() -> None:
    maps = {key: ControlMap("lineart", grey_picture(hills()), hills()) for key in KEYS}
    for how in ("lines", "normal", "none"):
        assert all(made is maps[key] for key, made in stabilise_keyframes(maps.__getitem__, KEYS, Still(), method=how))  # type: ignore[arg-type]
        assert stabilise_to_keyframes(3, maps[0], {6: maps[6]}, Still(), method=how) is maps[0]  # type: ignore[arg-type]


def test_a_frame_between_keyframes_takes_their_level() -> None:
    true = hills()
    near = {0: depth(true * 0.8 + 0.1), 9: depth(true * 0.8 + 0.1)}
    made = stabilise_to_keyframes(4, depth(true * 0.5 + 0.3), near, Still(), method="depth")
    assert np.abs(values(made) - (true * 0.8 + 0.1)).max() < 0.03
    alone = depth(true)
    assert stabilise_to_keyframes(4, alone, {}, Still(), method="depth") is alone
    line = (true > 0.6).astype(np.float32)
    drawn = ControlMap("canny", grey_picture(line), line)
    faint = ControlMap("canny", grey_picture(np.zeros_like(line)), line / 2)
    assert np.array_equal(values(stabilise_to_keyframes(4, faint, {2: drawn, 6: drawn}, Still(), method="edges")), line)
    people = {0: pose_map([somebody(0)], 96, 64), 8: pose_map([somebody(4)], 96, 64)}
    (person,) = stabilise_to_keyframes(4, pose_map([somebody(2, (7,))], 96, 64), people, Still(), method="pose").facts[
        "people"
    ]
    np.testing.assert_allclose(person["body"][7][:2], (16, 11), atol=0.01)


def test_motion_between_keys_is_that_of_the_frames_between(bench: ModuleType) -> None:
    shot = bench.Shot(0, 21)
    keys = [0, 6, 14, 20]
    ours, theirs = KeyframeTracker(shot, DisEstimator(), keys), SlidingTracker(shot, DisEstimator(), remember=32)
    for here, there in ((0, 6), (6, 0), (0, 14), (20, 6), (14, 14)):
        a, b = ours.motion(here, there), theirs.motion(here, there)
        sure = (a.confidence > 0.5) & (b.confidence > 0.5)
        assert sure.mean() > 0.5
        assert np.abs(a.flow - b.flow).max(axis=2)[sure].mean() < 0.15  # put together in another order
        assert abs(float(a.confidence.mean() - b.confidence.mean())) < 0.02
    with pytest.raises(ValueError, match="7 is not in list"):
        ours.motion(0, 7)
