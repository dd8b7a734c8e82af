from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scenes import moving_scene, texture

from interp.flow.dis import DisEstimator
from interp.structure import grid_of
from interp.tracks import MotionTrack
from interp.types import Motion
from restyle.planning.effort import KeyRules
from restyle.planning.keyframes import KeyWalk
from restyle.types import Keyframe


def walk(
    frames: list[np.ndarray], *, coverage: float = 0.9, loss: float = 1.0, least_gap: int = 4
) -> tuple[list[Keyframe], list[float]]:
    size = (frames[0].shape[1], frames[0].shape[0])
    rules = KeyRules(coverage, loss, least_gap, max_gap=24)
    made = KeyWalk(lambda: MotionTrack(DisEstimator(), working=size), rules)
    weights = np.ones(grid_of(*size), np.float32)
    made.start(0, frames[0], weights)
    keys, explained = [], []
    for number, frame in enumerate(frames[1:], 1):
        new, share, _ = made.step(number, frame, weights)
        explained.append(share)
        keys += new
    return keys, explained


def test_what_stands_still_needs_a_keyframe_only_now_and_then() -> None:
    frames = [texture(60, 80)] * 60
    keys, explained = walk(frames)
    assert [(key.frame, key.reason) for key in keys] == [(24, "max-gap"), (48, "max-gap")]
    assert min(explained) > 0.95


def test_faster_footage_gets_more_keyframes() -> None:
    counts = [len(walk(moving_scene(40, size=(96, 64), pan=(speed, 0), disc=0).frames)[0]) for speed in (0.3, 5, 12)]
    assert counts[0] < counts[1] < counts[2]


def test_frames_between_keyframes_are_served_as_well_as_asked_for() -> None:
    frames = moving_scene(40, size=(128, 96), pan=(2, 0.5)).frames
    track = MotionTrack(DisEstimator(), working=(128, 96))
    for frame in frames:
        track.add(frame)
    counts = []
    for coverage in (0.7, 0.9, 0.97):
        keys, _ = walk(frames, coverage=coverage)
        counts.append(len(keys))
        for left, right in pairwise([0, *(key.frame for key in keys)]):
            if right - left > 4:
                middle = (left + right) // 2
                both = np.maximum(track.motion(middle, left).usable, track.motion(middle, right).usable)
                assert both.mean() >= coverage - 0.01
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_what_comes_into_the_picture_is_no_loss() -> None:
    """A pan loses sight of what keyframe 0 shows, but the next keyframe sees what came in."""
    frames = moving_scene(25, size=(128, 96), pan=(1.6, 0), disc=0).frames
    keys, explained = walk(frames)
    assert min(explained) < 0.8
    assert [(key.frame, key.reason) for key in keys] == [(24, "max-gap")]


def test_a_flash_gets_a_painting_of_its_own_and_so_does_what_follows() -> None:
    frames = [texture(60, 80)] * 12
    frames[6] = np.full_like(frames[0], 250)
    keys, _ = walk(frames)
    assert {key.frame for key in keys} >= {6, 7}
    assert all(key.frame in (5, 6, 7) for key in keys)


def test_an_unseen_cut_is_caught_by_coverage() -> None:
    frames = [texture(60, 80, 1)] * 10 + [texture(60, 80, 2)] * 10
    keys, _ = walk(frames)
    assert 10 in {key.frame for key in keys}


def changing_patch() -> list[np.ndarray]:
    """A patch that goes along over a still ground, and looks another way in every frame: a hand, a face that speaks."""
    world = texture(90, 160, 1)
    frames = []
    for number in range(22):
        frame = world.copy()
        frame[30:56, 20 + 5 * number : 46 + 5 * number] = texture(26, 26, number + 5)
        frames.append(frame)
    return frames


def test_something_small_that_is_lost_asks_for_keyframes() -> None:
    frames = changing_patch()
    keys, explained = walk(frames)
    assert min(explained) > 0.6  # the mean alone would not have asked
    counts = [len(keys)]
    for loss in (0.3, 0.1, 0.03):
        counts.append(len(walk(frames, loss=loss, least_gap=1)[0]))
    assert counts == sorted(counts)
    assert counts[-1] > counts[0] + 3


def test_only_what_is_painted_is_asked() -> None:
    frames = changing_patch()
    ground = np.ones(grid_of(160, 90), np.float32)
    everything = ground.copy()
    ground[6:] = 0

    def count(weights: np.ndarray) -> int:
        rules = KeyRules(0.9, 0.03, 1, max_gap=24)
        made = KeyWalk(lambda: MotionTrack(DisEstimator(), working=(160, 90)), rules)
        made.start(0, frames[0], weights)
        return sum(len(made.step(number, frame, weights)[0]) for number, frame in enumerate(frames[1:], 1))

    patch = ground.copy()
    patch[3:] = 1
    still = ground.copy()
    still[3:] = 0
    assert count(patch) >= count(everything) > 3
    assert count(still) == 0
    assert count(np.zeros_like(ground)) == 0, "nothing is painted"


def test_what_counts_double_asks_for_more_keyframes() -> None:
    frames = changing_patch()
    weights = np.ones(grid_of(160, 90), np.float32)

    def count(weights: np.ndarray) -> int:
        made = KeyWalk(lambda: MotionTrack(DisEstimator(), working=(160, 90)), KeyRules(0.5, 0.25, 1, max_gap=24))
        made.start(0, frames[0], weights)
        return sum(len(made.step(number, frame, weights)[0]) for number, frame in enumerate(frames[1:], 1))

    double = weights.copy()
    double[3:9] = 2
    assert count(double) > count(weights)


def test_what_only_moves_loses_nothing() -> None:
    frames = moving_scene(25, size=(256, 160), pan=(1.0, 0), disc=0).frames
    keys, _ = walk(frames, loss=0.1, least_gap=1)
    assert len(keys) == 1


class Explained:
    """A track of which each frame explains every other in the same way."""

    def __init__(self, share: np.ndarray) -> None:
        self._share = share

    def add(self, picture: np.ndarray) -> None: ...

    def motion(self, here: int, there: int) -> Motion:
        return Motion(np.zeros((*self._share.shape, 2), np.float32), self._share)

    def moved(self, frame: int) -> float:
        return 0.0


def spaced(share: np.ndarray, *, loss: float = 1.0, change: bool = False) -> list[int]:
    made = KeyWalk(lambda: Explained(share), KeyRules(0.9, loss, least_gap=2, max_gap=20))
    pictures = [texture(*share.shape, number * change) for number in range(22)]
    weights = np.ones(grid_of(*share.shape[::-1]), np.float32)
    made.start(0, pictures[0], weights)
    return [key.frame for frame in range(1, 22) for key in made.step(frame, pictures[frame], weights)[0]]


def test_how_near_keyframes_may_be() -> None:
    everything = np.ones((40, 40), np.float32)
    assert spaced(everything) == [20]
    assert spaced(everything * np.float32(0.5)) == [4, 8, 12, 16, 20], "too little is explained, but something is"
    assert spaced(everything * np.float32(0.2)) == [*range(1, 22)], "next to nothing is: none is too near"
    assert spaced(everything, loss=0.03, change=True) == [*range(2, 21, 2)], "shapes are lost: as near as may be"


def ending(frames: list[np.ndarray], *, loss: float = 0.02, least_gap: int = 2) -> list[Keyframe]:
    size = (frames[0].shape[1], frames[0].shape[0])
    made = KeyWalk(lambda: MotionTrack(DisEstimator(), working=size), KeyRules(0.5, loss, least_gap, max_gap=40))
    weights = np.ones(grid_of(*size), np.float32)
    made.start(0, frames[0], weights)
    keys = [key for number, frame in enumerate(frames[1:], 1) for key in made.step(number, frame, weights)[0]]
    return keys + made.end()


def test_what_comes_in_before_the_end_asks_for_a_keyframe_there() -> None:
    """Nothing follows that would show it, and the keyframe before does not."""
    still = [texture(90, 160, 1)] * 10
    entering = [still[0].copy()]
    entering[0][30:60, 60:100] = texture(30, 40, 7)
    assert ending(still) == []
    assert [(key.frame, key.reason) for key in ending(still + entering)] == [(10, "end")]
    assert ending(still + entering, loss=1.0) == []
    cut = [texture(90, 160, 3)] * 3
    keys = ending(still + entering + cut)
    assert {10, 11} <= {key.frame for key in keys}, "before a cut that nobody saw, too"


def test_a_step_before_the_start_is_a_mistake() -> None:
    made = KeyWalk(lambda: MotionTrack(DisEstimator(), working=(8, 8)), KeyRules(0.6, 1.0, 2, 9))
    with pytest.raises(RuntimeError, match="after start"):
        made.step(1, texture(8, 8), np.ones((8, 8), np.float32))
