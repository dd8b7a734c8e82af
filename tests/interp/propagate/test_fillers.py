"""One contract for every filler, and what is promised of each."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
import tiny_rife
from scenes import moving_scene, psnr, recoloured, texture

from interp.flow.dis import DisEstimator
from interp.propagate.along_motion import AlongMotionFiller
from interp.propagate.hold import HoldFiller
from interp.propagate.hybrid import HybridFiller
from interp.propagate.rife import RifeFiller
from interp.tracks import MotionTrack
from interp.types import Filler, Gap, Motion


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Options of fillers by RIFE, with random weights."""
    return {"model": tiny_rife.build(tmp_path_factory.mktemp("rife") / "random.safetensors"), "device": "cpu"}


@pytest.fixture(params=[HoldFiller, AlongMotionFiller, RifeFiller, HybridFiller], ids=lambda kind: kind.name)
def filler(request: pytest.FixtureRequest, learnt: dict[str, Any]) -> Filler:
    made: Filler = request.param(**(learnt if request.param in (RifeFiller, HybridFiller) else {}))
    return made


def gap_of(frames: list[np.ndarray], left: np.ndarray | None, right: np.ndarray | None) -> Gap:
    track = MotionTrack(DisEstimator(), working=(frames[0].shape[1], frames[0].shape[0]))
    for frame in frames:
        track.add(frame)
    return Gap(frames, 0, track, left, right)


def deep(picture: np.ndarray, dtype: type) -> np.ndarray:
    if dtype is np.uint16:
        return picture.astype(np.uint16) * 257
    return picture.astype(np.float32) / 255 if dtype is np.float32 else picture


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("ends", ["both", "left", "right"])
def test_one_picture_for_every_frame_in_between(filler: Filler, dtype: type, ends: str) -> None:
    frames = [deep(frame, dtype) for frame in moving_scene(5, size=(64, 48)).frames]
    left = frames[0][:, :, ::-1].copy() if ends != "right" else None
    right = frames[-1][:, :, ::-1].copy() if ends != "left" else None
    before = [None if end is None else end.copy() for end in (left, right)]
    gap = gap_of(frames, left, right)
    made = list(filler.propagate(gap))
    assert len(made) == len(gap.inner) == {"both": 3, "left": 4, "right": 4}[ends]
    for filled in made:
        assert filled.picture.shape == frames[0].shape
        assert filled.picture.dtype == dtype
        assert filled.picture.flags.c_contiguous
        assert 0 <= filled.coverage <= 1
    for end, kept in zip((left, right), before, strict=True):
        assert (end is None and kept is None) or np.array_equal(end, kept)


def test_nothing_between_neighbours(filler: Filler) -> None:
    frames = moving_scene(2, size=(32, 24)).frames
    assert list(filler.propagate(gap_of(frames, frames[0], frames[1]))) == []


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (33, 19), (4, 60)])
def test_any_size(filler: Filler, size: tuple[int, int]) -> None:
    frames = moving_scene(4, size=size, pan=(0, 0), disc=0).frames
    made = list(filler.propagate(gap_of(frames, recoloured(frames[0]), recoloured(frames[-1]))))
    assert [filled.picture.shape for filled in made] == [frames[0].shape] * 2


def test_the_same_bytes_twice(filler: Filler) -> None:
    frames = moving_scene(5, size=(96, 64)).frames
    one, two = (list(filler.propagate(gap_of(frames, recoloured(frames[0]), recoloured(frames[4])))) for _ in range(2))
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(one, two, strict=True))


def test_hold_shows_the_nearer_painting() -> None:
    frames = moving_scene(5, size=(32, 24)).frames
    left, right = (np.full_like(frames[0], value) for value in (10, 200))
    assert [int(f.picture[0, 0, 0]) for f in HoldFiller().propagate(gap_of(frames, left, right))] == [10, 10, 200]


def test_paintings_move_as_the_footage_does() -> None:
    scene = moving_scene(9, disc=2)
    truth = [recoloured(frame) for frame in scene.frames]
    made = list(AlongMotionFiller().propagate(gap_of(scene.frames, truth[0], truth[8])))
    held = list(HoldFiller().propagate(gap_of(scene.frames, truth[0], truth[8])))
    for t in range(1, 8):
        assert psnr(made[t - 1].picture, truth[t]) > 26
        assert psnr(made[t - 1].picture, truth[t]) > psnr(held[t - 1].picture, truth[t]) + 8
        assert made[t - 1].coverage > 0.85


def brushed(picture: np.ndarray, seed: int) -> np.ndarray:
    """A painting with brush marks of its own, which align with no other painting's."""
    noise = np.random.default_rng(seed).normal(0, 40, picture.shape).astype(np.float32)
    marks = cv2.GaussianBlur(noise, (0, 0), 1.2) * 2.5
    return np.clip(recoloured(picture) * 0.7 + 40 + marks, 0, 255).astype(np.uint8)


def detail(picture: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), cv2.CV_32F).var())


def test_texture_is_not_washed_out_halfway() -> None:
    frames = moving_scene(9, size=(240, 160), pan=(1.37, 0.61), disc=0).frames
    left, right = brushed(frames[0], 1), brushed(frames[8], 2)
    keys = (detail(left) + detail(right)) / 2
    kept = [detail(f.picture) / keys for f in AlongMotionFiller(detail=1).propagate(gap_of(frames, left, right))]
    lost = [detail(f.picture) / keys for f in AlongMotionFiller(detail=0).propagate(gap_of(frames, left, right))]
    assert min(kept) > 0.8
    assert max(kept) < 1.25
    assert min(lost) < 0.65  # the test would see it: what blending alone loses


def test_no_pop_where_one_keyframe_hands_over_to_the_next() -> None:
    frames = moving_scene(17, size=(160, 120), pan=(0, 0), disc=0).frames
    paintings = [brushed(frames[t], t) for t in (0, 8, 16)]
    shown = [paintings[0]]
    for left in (0, 1):
        gap = gap_of(frames[8 * left : 8 * left + 9], paintings[left], paintings[left + 1])
        shown += [filled.picture for filled in AlongMotionFiller().propagate(gap)] + [paintings[left + 1]]
    steps = [float(np.abs(a.astype(int) - b).mean()) for a, b in pairwise(shown)]
    assert max(steps) < 2.0 * np.median(steps)
    assert max(steps) < 0.35 * float(np.abs(paintings[0].astype(int) - paintings[1]).mean())


def test_still_footage_shows_the_painting_itself() -> None:
    frame = moving_scene(1, size=(96, 64)).frames[0]
    painting = brushed(frame, 3)
    for filled in AlongMotionFiller().propagate(gap_of([frame] * 4, painting, None)):
        assert np.array_equal(filled.picture, painting)


def test_paintings_too_large_to_hold_twice_as_fine_are_moved_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = moving_scene(5, disc=0)
    left, right = recoloured(scene.frames[0]), recoloured(scene.frames[4])
    fine = [filled.picture for filled in AlongMotionFiller().propagate(gap_of(scene.frames, left, right))]
    monkeypatch.setattr("interp.propagate.along_motion.FINE_BYTES", 0)
    large = [filled.picture for filled in AlongMotionFiller().propagate(gap_of(scene.frames, left, right))]
    for a, b in zip(fine, large, strict=True):
        assert psnr(a, b) > 38


class _Told:
    """A tracker that knows no motion: how alike the gap's left end is, and its right end."""

    def __init__(self, left: float, right: float) -> None:
        self._alike = (left, right)

    def motion(self, here: int, there: int) -> Motion:
        nothing = np.zeros((24, 32), np.float32)
        return Motion(np.zeros((24, 32, 2), np.float32), nothing, np.full_like(nothing, self._alike[there > here]))


def test_where_no_side_is_sure_the_one_that_is_alike_is_taken() -> None:
    """Even where the other is nearer in time: paint pulled in from beyond the border is streaks."""
    left, right = (np.full((48, 64, 3), value, np.uint8) for value in (10, 200))
    for similarity, range_of in (((0, 1), (180, 200)), ((1, 0), (10, 30)), ((1, 1), (30, 90))):
        gap = Gap([left] * 5, 0, _Told(*similarity), left, right)
        first = next(AlongMotionFiller(repair=0).propagate(gap)).picture
        assert range_of[0] <= first.mean() <= range_of[1]


def test_what_was_hidden_gets_the_look_of_its_surroundings() -> None:
    """One-sided: behind the disc lies ground that the painting never showed."""
    scene = moving_scene(9, pan=(0, 0), disc=6)
    truth = [recoloured(frame) for frame in scene.frames]
    hole = cv2.erode(scene.hidden[8].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert hole.sum() > 200
    mended, smeared = (
        list(AlongMotionFiller(repair=repair).propagate(gap_of(scene.frames, truth[0], None)))[-1].picture
        for repair in (0.25, 0)
    )
    errors = [np.abs(made.astype(int) - truth[8])[hole].mean() for made in (mended, smeared)]
    assert errors[0] < 0.75 * errors[1]
    untouched = ~cv2.dilate(scene.hidden[8].astype(np.uint8), np.ones((25, 25), np.uint8)).astype(bool)
    assert np.abs(mended.astype(int) - smeared)[untouched].mean() < 0.5


def test_water_keeps_its_brush_marks() -> None:
    """Ripples of the same colours in every frame: no motion explains them, and the painting's marks serve as well as any."""
    scene = moving_scene(7, size=(160, 120), pan=(0, 0), disc=0)
    random = np.random.default_rng(5)
    for frame in scene.frames:
        ripples = cv2.GaussianBlur(random.normal(0, 1, (60, 160)).astype(np.float32), (0, 0), 1.0)
        frame[60:] = np.clip(120 + 220 * ripples, 0, 255).astype(np.uint8)[:, :, None]
    left, right = brushed(scene.frames[0], 1), brushed(scene.frames[6], 2)
    made = list(AlongMotionFiller().propagate(gap_of(scene.frames, left, right)))
    for filled in made:
        assert detail(filled.picture[66:]) > 0.5 * detail(left[66:])


def test_a_frame_unlike_both_neighbours_says_so() -> None:
    frames = moving_scene(5, disc=0).frames
    frames[2] = texture(120, 160, 99)
    made = list(AlongMotionFiller().propagate(gap_of(frames, recoloured(frames[0]), recoloured(frames[4]))))
    assert made[1].coverage < 0.35 < 0.6 < made[0].coverage


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="detail is 0 to 1"):
        AlongMotionFiller(detail=2)


def test_hybrid_differs_from_along_motion_only_where_the_motion_explains_nothing(learnt: dict[str, Any]) -> None:
    frames = [frame.copy() for frame in moving_scene(5, size=(160, 120), pan=(0, 0), disc=0).frames]
    frames[2][40:80, 60:100] = (250, 240, 20)  # seen in neither of the painted frames
    left, right = recoloured(frames[0]), recoloured(frames[4])
    gap = gap_of(frames, left, right)
    plain = [made.picture for made in AlongMotionFiller(repair=0).propagate(gap)]
    mended = [made.picture for made in HybridFiller(repair=0.25, **learnt).propagate(gap)]
    changed = (plain[1] != mended[1]).any(axis=2)
    assert changed[50:70, 70:90].mean() > 0.9
    assert changed[:25].mean() < 0.02
    assert np.array_equal(plain[0], mended[0])
    still = gap_of([frames[0]] * 4, left, left)
    for made in HybridFiller(**learnt).propagate(still):
        assert np.array_equal(made.picture, left)


def test_rife_between_paintings_follows_time(learnt: dict[str, Any]) -> None:
    frames = moving_scene(5, size=(96, 64)).frames
    dark, light = (np.full_like(frames[0], value) for value in (40, 200))
    shown = [float(made.picture.mean()) for made in RifeFiller(**learnt).propagate(gap_of(frames, dark, light))]
    assert all(40 <= value <= 200 for value in shown)
    (alone,) = {made.picture.tobytes() for made in RifeFiller(**learnt).propagate(gap_of(frames, dark, None))}
    assert alone == dark.tobytes()
