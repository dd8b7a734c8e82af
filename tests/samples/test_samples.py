"""The sample clips are what they say they are, and their truth is true of their pixels."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import samples

FOLDER = Path(samples.__file__).parent
STEP = 9
"""Every so many frames a pair is looked at closely."""


@pytest.fixture(scope="module", params=samples.CLIPS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def truth(name: str) -> samples.Truth:
    return samples.load_truth(name)


@pytest.fixture(scope="module")
def small(name: str, truth: samples.Truth) -> list[np.ndarray]:
    """The clip on the truth's grid."""
    with av.open(str(samples.clip(name))) as container:
        return [
            cv2.resize(frame.to_ndarray(format="rgb24"), truth.grid, interpolation=cv2.INTER_AREA).astype(np.float32)
            for frame in container.decode(video=0)
        ]


@pytest.fixture(scope="module")
def pictures(name: str, truth: samples.Truth) -> dict[int, np.ndarray]:
    """Pairs of neighbouring frames of each shot, as they are."""
    wanted = {t + k for first, end in truth.shots for t in range(first + STEP, end - 1, STEP) for k in (0, 1)}
    with av.open(str(samples.clip(name))) as container:
        return {
            t: frame.to_ndarray(format="rgb24").astype(np.float32)
            for t, frame in enumerate(container.decode(video=0))
            if t in wanted
        }


def sampled(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    return cv2.remap(picture, places[..., 0], places[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def pulled(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(picture, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def test_a_clip_is_a_few_seconds_of_two_shots_with_sound(
    name: str, truth: samples.Truth, small: list[np.ndarray]
) -> None:
    with av.open(str(samples.clip(name))) as container:
        video = container.streams.video[0]
        assert (video.width, video.height) == truth.size
        assert video.average_rate == truth.rate == Fraction(24)
        assert container.streams.audio[0].codec_context.name == "aac"
        assert 3 < float(video.duration * video.time_base) < 8
    assert len(small) == truth.frames
    assert (truth.frames, truth.cuts) == {"harbour": (132, (72,)), "square": (120, (60,))}[name]
    sound = [float(np.abs(frame.to_ndarray()).mean()) for frame in av.open(str(samples.clip(name))).decode(audio=0)]
    assert np.mean(sound) > 1e-3  # not silence


def test_cuts_are_where_the_picture_changes(truth: samples.Truth, small: list[np.ndarray]) -> None:
    steps = [float(np.abs(a - b).mean()) for a, b in pairwise(small)]
    assert set(np.argsort(steps)[-len(truth.cuts) :] + 1) == set(truth.cuts)


@pytest.mark.parametrize("way", ["forward", "backward"])
def test_true_flow_aligns_neighbouring_frames(way: str, truth: samples.Truth, small: list[np.ndarray]) -> None:
    scale = np.float32(truth.grid[0] / truth.size[0])
    for first, end in truth.shots:
        for t in range(first, end - 1, 17):
            if way == "forward":
                here, there, flow, at = small[t], small[t + 1], truth.flow_forward(t) * scale, t
                seen = truth.seen_ahead(t)
            else:
                here, there, flow, at = small[t + 1], small[t], truth.flow_backward(t + 1) * scale, t + 1
                seen = pulled(truth.seen_ahead(t).astype(np.float32), flow) > 0.99
            if "water" in truth.objects:
                seen &= truth.matte("water", at) == 0  # it mirrors what moves otherwise

            def error(picture: np.ndarray, where: np.ndarray, here: np.ndarray = here) -> float:
                return float(np.abs(here - picture).mean(axis=2)[where].mean())

            true, still, opposite = (error(pulled(there, flow * sign), seen) for sign in (1, 0, -1))
            assert true < 0.85 * still < still < opposite
            mover = seen & (truth.matte("boat" if "boat" in truth.objects else "van", at) > 0)
            if mover.sum() > 60:
                assert error(pulled(there, flow), mover) < 0.7 * error(there, mover)


SOLID = {
    "harbour": [("boat", 0), ("lamp", 0), ("tree", 0), ("boat", 1), ("lighthouse", 1)],
    "square": [("van", 0), ("lamp", 0), ("planter", 0), ("van", 1), ("planter", 1)],
}


@pytest.mark.parametrize("number", range(5))
def test_true_flow_beats_half_a_pixel_off(
    name: str, number: int, truth: samples.Truth, pictures: dict[int, np.ndarray]
) -> None:
    """Read in the clip's own pixels, at the places that the truth names: a wrong centre or scale would show here."""
    thing, shot = SOLID[name][number]
    first, end = truth.shots[shot]
    offsets = [(0.0, 0.0), (0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5)]
    errors = np.zeros(len(offsets))
    for t in range(first + STEP, end - 1, STEP):
        here = sampled(pictures[t], truth.positions)
        seen = cv2.erode(truth.seen_ahead(t).astype(np.uint8), np.ones((3, 3))) > 0
        where = seen & (truth.matte(thing, t) > 0)
        for i, offset in enumerate(offsets):
            there = sampled(pictures[t + 1], truth.positions + truth.flow_forward(t) + np.float32(offset))
            errors[i] += np.abs(here - there).mean(axis=2)[where].sum()
    assert errors[0] > 0
    assert (errors[1:] > 1.08 * errors[0]).all(), errors / errors[0]


def test_there_and_back_is_nowhere(truth: samples.Truth) -> None:
    scale = truth.grid[0] / truth.size[0]
    for first, end in truth.shots:
        t = (first + end) // 2
        seen = truth.seen_ahead(t)
        ahead = truth.flow_forward(t) * np.float32(scale)
        loop = ahead + pulled(truth.flow_backward(t + 1) * np.float32(scale), ahead)
        assert np.median(np.hypot(loop[..., 0], loop[..., 1])[seen]) < 0.05


def test_something_passes_behind_something_else(truth: samples.Truth) -> None:
    hidden = []
    for thing in truth.objects:
        for first, end in truth.shots:
            areas = np.array([truth.matte(thing, t).sum() for t in range(first, end)])
            if areas.max() > 60:
                hidden.append(areas.min() / areas.max())
    assert min(hidden) < 0.6


def test_mattes_lie_on_their_own_depth(truth: samples.Truth) -> None:
    for first, _ in truth.shots:
        depth = truth.depth(first + 5)
        assert np.isfinite(depth).all()
        assert (depth > 0).all()
        for thing in {"boat", "balloon", "lighthouse", "walker", "van", "banner"} & set(truth.objects):  # solid things
            matte = truth.matte(thing, first + 5) > 0
            if matte.sum() > 60:
                inside = depth[matte]
                assert np.percentile(inside, 90) / np.percentile(inside, 10) < 2


def test_a_question_that_has_no_answer_is_refused(truth: samples.Truth) -> None:
    with pytest.raises(ValueError, match="last of its shot"):
        truth.flow_forward(truth.cuts[0] - 1)
    with pytest.raises(ValueError, match="first of its shot"):
        truth.flow_backward(truth.cuts[0])
    with pytest.raises(ValueError, match="there are:"):
        truth.matte("submarine", 0)


def test_the_folder_stays_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 25e6
    for name in samples.CLIPS:
        assert json.loads((FOLDER / "truth" / name / "facts.json").read_text())["version"] == 1


def test_another_clip_is_refused() -> None:
    for ask in (samples.clip, samples.load_truth):
        with pytest.raises(ValueError, match="no sample clip 'desert'; there are: harbour, square"):
            ask("desert")
