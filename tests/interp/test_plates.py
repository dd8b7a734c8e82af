"""Clean plates: what lay behind is known, for something was laid over it here."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import pairwise

import cv2
import numpy as np
import pytest
from scenes import moving_scene, psnr

from interp import plates
from interp.plates import clean_plates

SIZE = (240, 160)


def disc(t: int, *, speed: float = 6.0, radius: int = 16) -> np.ndarray:
    hidden = np.zeros(SIZE[::-1], np.uint8)
    cv2.circle(hidden, (round(50 + speed * t), 80), radius, 1, -1)
    return hidden > 0


def covered(frames: list[np.ndarray], holes: list[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for frame, hole in zip(frames, holes, strict=True):
        shown = frame.copy()
        shown[hole] = np.iinfo(frame.dtype).max if frame.dtype != np.float32 else 7.5
        yield shown, hole


def pictures(frames: Iterable[tuple[np.ndarray, np.ndarray]]) -> Iterator[np.ndarray]:
    return (plate.picture for plate in clean_plates(frames))


@pytest.mark.parametrize("pan", [(0, 0), (1.7, 0.6), (-3.0, 0.0)])
def test_what_other_frames_show_comes_back(pan: tuple[float, float]) -> None:
    frames = moving_scene(24, size=SIZE, pan=pan, disc=0).frames
    holes = [disc(t) for t in range(24)]
    plates = [plate.picture for plate in clean_plates(covered(frames, holes))]
    assert len(plates) == 24
    for made, truth, hole, (shown, _) in zip(plates, frames, holes, covered(frames, holes), strict=True):
        assert np.array_equal(made[~hole], truth[~hole])
        drawn = cv2.inpaint(shown, hole.astype(np.uint8), 5, cv2.INPAINT_TELEA)
        assert psnr(made[hole], truth[hole]) > 26
        assert psnr(made[hole], truth[hole]) > psnr(drawn[hole], truth[hole]) + 6


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_every_depth(dtype: type) -> None:
    plain = moving_scene(8, size=SIZE, pan=(1, 0), disc=0).frames
    frames = [f.astype(np.uint16) * 257 if dtype is np.uint16 else f.astype(np.float32) / 255 for f in plain]
    holes = [disc(t, speed=12) for t in range(8)]
    for made, truth, hole in zip(pictures(covered(frames, holes)), frames, holes, strict=True):
        assert made.dtype == dtype
        assert np.array_equal(made[~hole], truth[~hole])
        white = 65535 if dtype is np.uint16 else 1
        assert float(np.abs(made[hole].astype(np.float32) - truth[hole]).mean()) / white < 0.04


def test_light_that_changes_is_followed() -> None:
    """The picture brightens by a quarter while the thing passes: what is filled in has each frame's own light."""
    base = moving_scene(16, size=SIZE, pan=(0, 0), disc=0).frames
    frames = [np.clip(f.astype(np.float32) * (0.6 + 0.015 * t), 0, 255).astype(np.uint8) for t, f in enumerate(base)]
    holes = [disc(t, speed=3) for t in range(16)]
    for made, truth, hole in zip(pictures(covered(frames, holes)), frames, holes, strict=True):
        assert abs(float(made[hole].mean()) - float(truth[hole].mean())) < 3


def test_what_no_frame_shows_is_painted_in_once_and_keeps_still() -> None:
    frames = [moving_scene(1, size=SIZE, disc=0).frames[0]] * 8
    holes = [disc(0)] * 8
    plates = [plate.picture for plate in clean_plates(covered(frames, holes))]
    assert not (plates[0][holes[0]] == 255).all(axis=1).any()  # the thing itself is gone
    for one, other in pairwise(plates):
        assert np.abs(one.astype(int) - other).max() <= 2


def test_what_was_invented_is_counted() -> None:
    frames = moving_scene(12, size=SIZE, pan=(0, 0), disc=0).frames
    still = list(clean_plates(covered(frames[:4], [disc(0)] * 4)))
    assert all(plate.invented == plate.hidden == np.count_nonzero(disc(0)) for plate in still)
    passing = list(clean_plates(covered(frames, [disc(t, speed=12) for t in range(12)])))
    assert all(plate.invented == 0 < plate.hidden for plate in passing)


def test_what_is_invented_stays_sharp_and_moves_with_the_picture() -> None:
    """Something that stands before the lens for ever, while the camera moves on: what is behind it stays hidden."""
    frames = moving_scene(11, size=SIZE, pan=(0.74, 0.0), disc=0).frames
    wide = np.zeros(SIZE[::-1], bool)
    wide[60:100, 40:200] = True
    made = list(pictures(covered(frames, [wide] * 11)))
    inner = np.s_[64:96, 60:180]
    detail = [float(cv2.Laplacian(picture[inner], cv2.CV_32F).std()) for picture in made]
    assert min(detail[1:]) > 0.6 * detail[0]
    off = {
        shift: np.abs(made[10][inner].astype(int) - np.roll(made[0], shift, axis=1)[inner]).mean()
        for shift in (-7, 0, 7)
    }
    assert min(off[-7], off[7]) < 0.5 * off[0]


def test_frames_without_holes_are_handed_on_and_one_frame_is_enough() -> None:
    frames = moving_scene(4, size=SIZE).frames
    nothing = np.zeros(SIZE[::-1], bool)
    for made, frame in zip(pictures((f, nothing) for f in frames), frames, strict=True):
        assert made is frame
    (alone,) = pictures([(frames[0], disc(0))])
    assert alone.shape == frames[0].shape
    everything = np.ones(SIZE[::-1], bool)
    assert len(list(clean_plates((f, everything) for f in frames))) == 4
    assert list(clean_plates([])) == []


def test_memory_holds_a_window_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plates, "BUDGET", 2 * 12 * SIZE[0] * SIZE[1] * 3)
    peaks = []
    for n in (40, 120):
        base = moving_scene(1, size=SIZE, disc=0).frames[0]
        tracemalloc.start()
        for _ in clean_plates((base.copy(), disc(t % 20)) for t in range(n)):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def local_light(dtype: type) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A still scene that brightens right of where something stands and darkens left of it, and what passes in front of it."""
    base = moving_scene(1, size=SIZE, pan=(0, 0), disc=0).frames[0].astype(np.float32) / 255
    slope = np.clip((np.arange(SIZE[0], dtype=np.float32) - 50) / 30, -2, 2)[None, :, None]
    lit = [np.clip(base * 0.3 + 0.4 + 0.02 * t * slope, 0, 1) for t in range(9)]
    white = 1.0 if dtype is np.float32 else float(np.iinfo(dtype).max)
    frames = [(picture * white if dtype is np.float32 else np.rint(picture * white)).astype(dtype) for picture in lit]
    return frames, [disc(t, speed=9, radius=20) for t in range(9)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_light_that_changes_from_place_to_place_is_followed(dtype: type) -> None:
    frames, holes = local_light(dtype)
    white = 1.0 if dtype is np.float32 else float(np.iinfo(dtype).max)
    shown = [
        np.where(hole[:, :, None], frame.dtype.type(white), frame) for frame, hole in zip(frames, holes, strict=True)
    ]
    made = next(pictures(zip(shown, holes, strict=True)))  # of the first: only later frames show what lies behind
    off = (made.astype(np.float32) - frames[0].astype(np.float32)) / white
    assert np.abs(cv2.blur(off, (9, 9)))[holes[0]].mean() < 0.012


def test_white_is_the_depths_not_the_brightest_pixels() -> None:
    """A highlight beyond white, or a picture darker than 255 of 65535, judges the rim as any other does."""
    random = np.random.default_rng(0)
    made = np.full((60, 80, 3), 0.4, np.float32)
    hidden = np.zeros((60, 80), bool)
    hidden[20:40, 30:50] = True
    here = made + np.float32(0.02) + random.normal(0, 0.001, made.shape).astype(np.float32)
    here[15:45, 52:64] = 0.9  # something has come into the rim: it says nothing of the light
    plain = plates._relit(made, here, ~hidden, 10, 1.0)
    assert np.abs(plain[hidden] - 0.42).max() < 0.01
    here[0, 0] = 1.2
    lit = plates._relit(made, here, ~hidden, 10, 1.0)
    assert np.abs(lit - plain)[hidden].max() < 1e-3


def test_a_highlight_beyond_white_changes_no_other_fill() -> None:
    frames, holes = local_light(np.float32)
    plain = list(pictures(zip(frames, holes, strict=True)))
    for frame, hole in zip(frames, holes, strict=True):
        row, column = np.argwhere(cv2.dilate(hole.astype(np.uint8), np.ones((41, 41))) > 0)[0]
        frame[row, column] = 1.2
    for made, before, hole in zip(pictures(zip(frames, holes, strict=True)), plain, holes, strict=True):
        assert np.abs(made - before)[hole].max() < 0.02
