from __future__ import annotations

import cv2
import numpy as np
import pytest
from scenes import moving_scene

from interp.flow.dis import DisEstimator
from interp.tracks import MotionTrack


def track_of(frames: list[np.ndarray]) -> MotionTrack:
    track = MotionTrack(DisEstimator(), working=(frames[0].shape[1], frames[0].shape[0]))
    for frame in frames:
        track.add(frame)
    return track


def test_composed_motion_follows_the_truth_over_many_frames() -> None:
    scene = moving_scene(11)
    track = track_of(scene.frames)
    for t in (1, 5, 10):
        motion = track.motion(t, 0)
        error = np.linalg.norm(motion.flow - scene.to_first[t], axis=2)
        assert np.median(error) < 0.1 + 0.03 * t
        sure = motion.confidence > 0.7
        assert error[sure].mean() < 0.6


def test_confidence_marks_what_is_hidden() -> None:
    scene = moving_scene(9, disc=4)
    motion = track_of(scene.frames).motion(8, 0)
    hidden = scene.hidden[8]
    assert motion.confidence[hidden].mean() < 0.25
    assert motion.confidence[~hidden].mean() > 0.75
    found = motion.confidence < 0.5
    assert (found & hidden).sum() / hidden.sum() > 0.75  # recall
    assert motion.coverage == pytest.approx(float(motion.confidence.mean()))


def test_a_colour_that_changed_is_not_explained() -> None:
    scene = moving_scene(3, pan=(0, 0), disc=0)
    scene.frames[2][40:80, 60:100] = 255 - scene.frames[2][40:80, 60:100]
    confidence = track_of(scene.frames).motion(2, 0).confidence
    assert confidence[48:72, 68:92].mean() < 0.4
    assert confidence[:30].mean() > 0.9


def test_what_ripples_is_alike_though_no_motion_explains_it() -> None:
    """Water: new ripples in every frame, of the same colours. And a square whose colour changes for good."""
    scene = moving_scene(5, pan=(0, 0), disc=0, size=(160, 120))
    random = np.random.default_rng(3)
    for t, frame in enumerate(scene.frames):
        ripples = cv2.GaussianBlur(random.normal(0, 1, (60, 80)).astype(np.float32), (0, 0), 1.0)
        frame[60:, 80:] = np.clip(120 + 220 * ripples, 0, 255).astype(np.uint8)[:, :, None]
        frame[10:50, 20:60] = (40, 60, 50 + 40 * t)
    motion = track_of(scene.frames).motion(4, 0)
    assert motion.similarity is not None
    water, square = np.s_[72:108, 92:148], np.s_[18:42, 28:52]
    assert motion.confidence[water].mean() < 0.3 < 0.6 < motion.similarity[water].mean()
    assert motion.similarity[square].mean() < 0.3
    assert np.array_equal(motion.usable, np.maximum(motion.confidence, motion.similarity / 2))


def test_what_has_left_the_picture_is_neither_sure_nor_alike() -> None:
    """A camera that follows a striped wall: past the border the stripes repeat, and look the same as those that have left."""
    wall = np.tile(moving_scene(1, pan=(0, 0), disc=0, size=(1, 300)).frames[0], (1, 120, 1))
    wall[:, 5::10] //= 2
    motion = track_of([np.ascontiguousarray(wall[160 - 8 * t : 300 - 8 * t]) for t in range(6)]).motion(0, 5)
    assert motion.similarity is not None
    assert motion.flow[-30:, 20:-20, 1].mean() > 30
    assert motion.confidence[-20:, 20:-20].max() < 0.05
    assert motion.similarity[-20:, 20:-20].max() < 0.05
    assert motion.similarity[20:60, 20:-20].mean() > 0.9


def test_the_order_of_questions_does_not_matter() -> None:
    frames = moving_scene(7).frames
    one, two = track_of(frames), track_of(frames)
    asked = [(3, 0), (5, 6), (1, 0), (2, 6), (6, 0), (4, 4), (0, 6)]
    first = {pair: one.motion(*pair) for pair in asked}
    for pair in reversed(asked):
        assert np.array_equal(two.motion(*pair).flow, first[pair].flow)
        assert np.array_equal(two.motion(*pair).confidence, first[pair].confidence)


def test_a_frame_and_itself() -> None:
    motion = track_of(moving_scene(2).frames).motion(1, 1)
    assert not motion.flow.any()
    assert (motion.confidence == 1).all()


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_depth_does_not_change_motion(dtype: type) -> None:
    frames = moving_scene(3).frames
    deep = [frame.astype(np.uint16) * 257 if dtype is np.uint16 else frame.astype(np.float32) / 255 for frame in frames]
    assert np.array_equal(track_of(deep).motion(2, 0).flow, track_of(frames).motion(2, 0).flow)


def test_chains_are_kept_toward_two_frames_only() -> None:
    track = track_of(moving_scene(9, size=(48, 32)).frames)
    for target in (0, 8, 4, 2, 6):
        for frame in range(9):
            track.motion(frame, target)
    assert len(track._chains) <= 2


def test_a_frame_that_is_not_there() -> None:
    with pytest.raises(IndexError, match="not among the 2"):
        track_of(moving_scene(2).frames).motion(0, 2)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (3, 40)])
def test_tiny_pictures(size: tuple[int, int]) -> None:
    frames = moving_scene(3, size=size, pan=(0, 0), disc=0).frames
    assert track_of(frames).motion(2, 0).flow.shape == (size[1], size[0], 2)


def test_motion_in_flat_places_is_that_of_the_texture_round_them() -> None:
    """Noise has no motion: in a clear sky what is estimated is a guess, and paint would swim by it."""

    class Guessing:
        name = "guessing"

        def estimate(self, here: np.ndarray, there: np.ndarray) -> np.ndarray:
            flow = np.zeros((*here.shape, 2), np.float32)
            flow[...] = (2, 0) if self.forward else (-2, 0)
            flow[46:64, 66:84] = (-5, 7) if self.forward else (5, -7)
            self.forward = not self.forward
            return flow

        forward = True

    scene = moving_scene(2, pan=(2, 0), disc=0)
    height, width = scene.frames[0].shape[:2]
    for frame in scene.frames:
        frame[40:70, 60:90] = 120
    track = MotionTrack(Guessing(), working=(width, height))
    for frame in scene.frames:
        track.add(frame)
    flow = track.motion(0, 1).flow
    assert np.abs(flow[52:58, 72:78] - (2, 0)).max() < 1
    assert np.abs(flow[90:, :] - (2, 0)).max() < 0.2
