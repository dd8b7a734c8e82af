"""Stabilised maps: less flicker along the true motion, no lag, no more error."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from controls.maps import DETECTORS
from controls.maps.canny import Canny
from controls.maps.pictures import as_picture, grey_picture
from controls.stabilise.consecutive import stabilise
from controls.stabilise.depth import Relation, relate, solve_levels
from controls.stabilise.motion import SlidingTracker
from controls.stabilise.window import MapWindow, StabiliseOptions
from controls.types import ControlMap
from interp.flow.dis import DisEstimator
from interp.tracks import MotionTrack
from interp.types import Motion
from samples import load_truth

FRAMES = 10


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


@pytest.mark.parametrize("first", [0, 72])
def test_flicker_on_the_sample_is_at_least_halved_and_error_does_not_rise(bench: ModuleType, first: int) -> None:
    truth, frames, shot = load_truth(), range(first, first + FRAMES), bench.Shot(first, FRAMES)
    tracker = SlidingTracker(shot, DisEstimator())
    true = bench.nearness(truth, frames)
    raw = bench.pumping(true)
    maps = [ControlMap("depth", grey_picture(values), values) for values in raw]
    done = dict(stabilise(maps.__getitem__, range(FRAMES), tracker, method="depth"))
    still = [done[t].values for t in range(FRAMES)]
    assert bench.depth_flicker(still, truth, frames) < 0.25 * bench.depth_flicker(raw, truth, frames)
    assert bench.depth_error(still, true) < 0.6 * bench.depth_error(raw, true)
    assert bench.depth_error(still, true, each=True) < 0.8 * bench.depth_error(raw, true, each=True)
    for made in done.values():
        assert np.array_equal(made.picture, grey_picture(made.values))

    lines = [Canny().detect(picture) for picture in shot.read(0, FRAMES)]
    drawn = [made.picture for _, made in stabilise(lines.__getitem__, range(FRAMES), tracker, method="edges")]
    before = [made.picture for made in lines]
    assert bench.edge_flicker(drawn, truth, frames) < 0.5 * bench.edge_flicker(before, truth, frames)
    assert 0.85 < np.mean(drawn) / np.mean(before) < 1.15
    for t in range(FRAMES):  # nothing is drawn where the frame itself has not even a faint line
        values = lines[t].values
        assert values is not None
        assert not (drawn[t][..., 0] > 0)[values == 0].any()


class Moving:
    """A textured square that moves over still, textured ground (``controls.types.Pictures``)."""

    def __init__(self, count: int, *, step: int = 3, size: tuple[int, int] = (160, 96)) -> None:
        draw = np.random.default_rng(11)
        width, height = size
        rough = draw.integers(0, 255, (height // 4, width // 4, 3), np.uint8)
        self.ground = cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC)
        rough = draw.integers(0, 255, (10, 10, 3), np.uint8)
        self.square = cv2.resize(rough, (40, 40), interpolation=cv2.INTER_CUBIC)
        self.count, self.step, self._size = count, step, size
        self.reads: list[int] = []

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def __len__(self) -> int:
        return self.count

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        for t in range(start, stop):
            self.reads.append(t)
            yield self.place(t, self.ground.copy(), self.square)

    def place(self, t: int, ground: np.ndarray, square: np.ndarray | float) -> np.ndarray:
        left = 10 + self.step * t
        ground[28:68, left : left + 40] = square
        return ground

    def nearness(self, t: int) -> np.ndarray:
        height, width = self._size[::-1]
        ramp = np.linspace(0.1, 0.3, height, dtype=np.float32)[:, None].repeat(width, 1)
        return self.place(t, ramp, 0.8)


@pytest.mark.parametrize(("who", "first"), [("walker", 38), pytest.param("child", 88, marks=pytest.mark.slow)])
def test_a_rendered_persons_joints_jump_less_and_stay_on_the_person(bench: ModuleType, who: str, first: int) -> None:
    pytest.importorskip("mediapipe")
    truth, frames, shot = load_truth("square"), range(first, first + 14), bench.Shot(first, 14, "square")
    detector = DETECTORS.make("pose", {"hands": False})
    found = [detector.detect(picture) for picture in shot.read(0, len(shot))]  # type: ignore[union-attr]
    tracker = SlidingTracker(shot, DisEstimator())
    kept = [made for _, made in stabilise(found.__getitem__, range(len(shot)), tracker, method="pose")]
    before, _ = bench.joint_flicker(found, truth, frames, who)
    after, off = bench.joint_flicker(kept, truth, frames, who)
    assert after < 0.5 * before
    assert off < 1


def test_what_moves_does_not_lag_or_smear() -> None:
    scene = Moving(14)
    tracker = SlidingTracker(scene, DisEstimator(), working=scene.size)
    maps = [ControlMap("depth", grey_picture(scene.nearness(t)), scene.nearness(t)) for t in range(14)]
    for t, made in stabilise(maps.__getitem__, range(14), tracker, method="depth"):
        assert made.values is not None
        away = np.abs(made.values - scene.nearness(t))
        assert away.mean() < 0.004
        assert np.abs(made.values[48, 20 + 3 * t : 40 + 3 * t] - 0.8).max() < 0.02


def test_depth_that_pumps_is_put_right_without_drift() -> None:
    """Over 40 still frames, each with a scale and a shift of its own, the first and the last come out alike."""
    scene = Moving(40, step=0)
    draw = np.random.default_rng(4)
    factors = [(draw.normal(1, 0.15), draw.normal(0, 0.08)) for _ in range(40)]

    def load(t: int) -> ControlMap:
        values = (scene.nearness(t) * factors[t][0] + factors[t][1]).astype(np.float32)
        return ControlMap("depth", grey_picture(values), values)

    done = [
        made.values for _, made in stabilise(load, range(40), SlidingTracker(scene, DisEstimator()), method="depth")
    ]
    spread = np.ptp([(values.min(), values.max()) for values in done if values is not None], axis=0)
    before = np.ptp([(a * 0.1 + b, a * 0.8 + b) for a, b in factors], axis=0)
    assert (spread < 0.1 * before).all()


def test_keyframes_alone_are_stabilised_too() -> None:
    scene = Moving(13)
    keyframes = [0, 4, 8, 12]
    factors = {0: (1.0, 0.0), 4: (0.7, 0.1), 8: (1.3, -0.1), 12: (1.0, 0.05)}

    def load(t: int) -> ControlMap:
        values = (scene.nearness(t) * factors[t][0] + factors[t][1]).astype(np.float32)
        return ControlMap("depth", grey_picture(values), values)

    tracker = SlidingTracker(scene, DisEstimator(), working=scene.size)
    done = dict(stabilise(load, keyframes, tracker, method="depth", options=StabiliseOptions(radius=0)))
    assert list(done) == keyframes
    levels = [np.percentile(made.values, [5, 95]) for made in done.values() if made.values is not None]
    assert np.ptp(levels, axis=0).max() < 0.03


def test_relation_of_two_frames_is_found_despite_noise_in_both() -> None:
    draw = np.random.default_rng(1)
    true = cv2.resize(draw.random((6, 8), np.float32), (80, 60), interpolation=cv2.INTER_CUBIC)
    here = true + draw.normal(0, 0.05, true.shape).astype(np.float32)
    there = 1.2 * (true + draw.normal(0, 0.05, true.shape).astype(np.float32)) - 0.1
    there[10:20, 10:40] = 3  # something else altogether
    motion = Motion(np.zeros((60, 80, 2), np.float32), np.ones((60, 80), np.float32))
    found = relate(here, there.astype(np.float32), motion)
    assert abs(found.scale - 1.2) < 0.03
    assert abs(found.shift + 0.1) < 0.03
    blind = relate(here, here, Motion(motion.flow, np.zeros((60, 80), np.float32)))
    assert (blind.scale, blind.shift, blind.weight) == (1, 0, 0)


def test_levels_undo_what_the_relations_say() -> None:
    relations = [Relation(1.25, 0.0, 0.5, 0.01, 1.0), Relation(0.8, 0.0, 0.625, 0.01, 1.0)]
    found = solve_levels(relations, [1, 1], 1000.0)
    scales = found.scale / found.scale[0]
    np.testing.assert_allclose(scales, [1, 0.8, 1], rtol=1e-3)
    alone = solve_levels([], [], 10.0)
    assert (alone.scale.tolist(), alone.shift.tolist()) == ([1], [0])
    cut = solve_levels([Relation(5.0, 1.0, 0.5, 0.0, 0.0)], [1], 10.0)
    np.testing.assert_allclose((cut.scale, cut.shift), ([1, 1], [0, 0]), atol=1e-9)


def test_soft_lines_and_normals_are_averaged_along_motion() -> None:
    scene = Moving(9)
    draw = np.random.default_rng(2)
    clean, noisy = [], []
    for t in range(9):
        plane = scene.place(t, np.full((96, 160), 40, np.float32), 180)
        clean.append(plane)
        noisy.append(np.rint((plane + draw.normal(0, 20, plane.shape)).clip(0, 255)).astype(np.uint8))
    maps = [ControlMap("softedge", as_picture(plane)) for plane in noisy]
    tracker = SlidingTracker(scene, DisEstimator(), working=scene.size)
    done = [made.picture[..., 0] for _, made in stabilise(maps.__getitem__, range(9), tracker, method="lines")]
    before = np.mean([np.abs(a.astype(float) - b).mean() for a, b in zip(noisy, clean, strict=True)])
    after = np.mean([np.abs(a.astype(float) - b).mean() for a, b in zip(done, clean, strict=True)])
    assert after < 0.6 * before

    turned = [draw.normal((0, 0, 1), 0.2, (96, 160, 3)).astype(np.float32) for _ in range(9)]
    turned = [n / np.linalg.norm(n, axis=2, keepdims=True) for n in turned]
    maps = [ControlMap("normal", grey_picture(n[..., 0]), n) for n in turned]
    out = [made for _, made in stabilise(maps.__getitem__, range(9), tracker, method="normal")]
    assert out[4].values is not None
    np.testing.assert_allclose(np.linalg.norm(out[4].values, axis=2), 1, atol=1e-5)
    assert np.abs(out[4].values[..., 0]).mean() < 0.6 * np.abs(turned[4][..., 0]).mean()
    assert out[4].picture[..., 2].mean() > 245


def test_a_line_missed_once_is_drawn_and_one_seen_once_is_not() -> None:
    scene = Moving(9, step=0)
    tracker = SlidingTracker(scene, DisEstimator(), working=scene.size)

    def load(t: int) -> ControlMap:
        values = np.zeros((96, 160), np.float32)
        values[20] = 0.5 if t == 4 else 1  # fades for one frame
        values[70] = 1 if t == 4 else 0  # flashes for one frame
        return ControlMap("canny", grey_picture((values == 1).astype(np.float32)), values)

    for _, made in stabilise(load, range(9), tracker, method="edges"):
        assert (made.picture[20] == 255).mean() > 0.95
        assert not made.picture[70].any()


def test_the_window_holds_few_maps_and_loads_each_once() -> None:
    asked: list[int] = []

    def load(t: int) -> ControlMap:
        asked.append(t)
        return ControlMap("tile", np.zeros((2, 2, 3), np.uint8))

    window = MapWindow(load, list(range(100)), 3)
    most = max(len(window.around(t)) for t in range(100))
    assert most == 7
    assert asked == list(range(100))
    assert sorted(window.around(99)) == [96, 97, 98, 99]


@pytest.mark.parametrize(
    ("frames", "how", "said"),
    [
        ([0, 0], "depth", "ascending"),
        ([2, 1], "none", "ascending"),
        ([0], "magic", "unknown way"),
        ([0], "depth", "needs values"),
    ],
)
def test_what_cannot_be_stabilised_is_refused(frames: list[int], how: str, said: str) -> None:
    made = ControlMap("tile", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match=said):
        list(stabilise(lambda t: made, frames, SlidingTracker(Moving(3), DisEstimator()), method=how))  # type: ignore[arg-type]


def test_what_needs_no_stabilising_passes_through() -> None:
    made = ControlMap("tile", np.zeros((8, 8, 3), np.uint8))
    assert [
        m is made
        for _, m in stabilise(lambda t: made, [1, 2], SlidingTracker(Moving(3), DisEstimator()), method="none")
    ] == [
        True,
        True,
    ]
    with pytest.raises(ValueError, match="radius >= 0"):
        StabiliseOptions(radius=-1)


def test_the_sliding_tracker_says_what_a_track_of_all_frames_says() -> None:
    scene = Moving(8)
    whole = MotionTrack(DisEstimator(), working=scene.size)
    for picture in scene.read(0, 8):
        whole.add(picture)
    scene.reads.clear()
    sliding = SlidingTracker(scene, DisEstimator(), working=scene.size, remember=4)
    for here, there in [(0, 1), (1, 0), (2, 4), (4, 2), (5, 7), (7, 7)]:
        a, b = sliding.motion(here, there), whole.motion(here, there)
        np.testing.assert_allclose(a.flow, b.flow, atol=1e-4)
        assert np.abs(a.confidence - b.confidence).mean() < 0.1
    with pytest.raises(IndexError, match="frame 8 is not among the 8"):
        sliding.motion(0, 8)


def test_a_shot_is_read_once_through() -> None:
    scene = Moving(30)
    sliding = SlidingTracker(scene, DisEstimator(), remember=8)
    for t in range(30):
        for other in range(max(0, t - 3), min(30, t + 4)):
            sliding.motion(t, other)
    assert scene.reads == list(range(30))
