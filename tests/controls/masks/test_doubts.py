"""Right mattes are not doubted, wrong ones are, on scenes of discs that move over a textured world."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
import pytest
from scenes import texture

from controls.masks.doubts import TELLING, Watch
from controls.types import Masked

WIDTH, HEIGHT, COUNT = 200, 120, 30


class Shot:
    size = (WIDTH, HEIGHT)

    def __init__(self, frames: Sequence[np.ndarray]) -> None:
        self.frames = frames
        self.reads: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        self.reads.append((start, stop))
        yield from self.frames[start:stop]


def disc(x: float, y: float = 60, radius: int = 16) -> np.ndarray:
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(values, (round(x * 8), round(y * 8)), radius * 8, 255, -1, cv2.LINE_AA, 3)
    return values.astype(np.float32) / 255


def pictures(*mattes: Sequence[np.ndarray]) -> Shot:
    """Red discs that are all alike, where the mattes are."""
    world = cv2.convertScaleAbs(texture(HEIGHT, WIDTH, 3), alpha=0.5, beta=40)
    cloth = cv2.convertScaleAbs(texture(HEIGHT, WIDTH, 5), alpha=0.2) + np.array([150, 20, 20], np.uint8)
    return Shot(
        [np.where(np.max(there, axis=0)[:, :, None] > 0.5, cloth, world) for there in zip(*mattes, strict=True)]
    )


def doubts(shot: Shot, mattes: Sequence[np.ndarray], lost: Sequence[int] = ()) -> list[tuple[int, str]]:
    watch = Watch()
    given = [Masked(t, {"it": matte}, frozenset({"it"} if t in lost else ())) for t, matte in enumerate(mattes)]
    assert list(watch.over(given, shot)) == given, "what is looked at is passed on"
    assert all(name == "it" for name, _ in watch.doubts())
    return [(doubt.frame, doubt.kind) for _, doubt in watch.doubts()]


MOVING = [disc(40 + 3 * t) for t in range(COUNT)]


def changed(
    mattes: Sequence[np.ndarray], start: int, stop: int, change: Callable[[np.ndarray], np.ndarray]
) -> list[np.ndarray]:
    return [change(matte) if start <= t < stop else matte for t, matte in enumerate(mattes)]


def behind(matte: np.ndarray) -> np.ndarray:
    after = matte.copy()
    after[:, 96:102] = 0
    return after


@pytest.mark.parametrize(
    ("name", "mattes", "lost"),
    [
        ("it moves", MOVING, []),
        ("it leaves", [disc(40 + 8 * t) for t in range(COUNT)], range(23, COUNT)),
        ("it comes in", [disc(8 * t - 60) for t in range(COUNT)], []),
        ("it passes behind a post", [behind(matte) for matte in MOVING], []),
        ("it turns round", [disc(100 + 40 * np.sin(t / 6)) for t in range(COUNT)], []),
        ("it comes nearer", [disc(100, 60, round(10 * 1.05**t)) for t in range(COUNT)], []),
    ],
)
def test_right_mattes_are_not_doubted(name: str, mattes: Sequence[np.ndarray], lost: Sequence[int]) -> None:
    assert doubts(pictures(mattes), mattes, lost) == []


def test_two_that_are_alike_cross_and_the_right_one_is_followed() -> None:
    other = [disc(160 - 3 * t, 66) for t in range(COUNT)]
    assert doubts(pictures(MOVING, other), MOVING) == []


def test_two_that_are_alike_cross_and_the_wrong_one_is_followed() -> None:
    other = [disc(160 - 3 * t, 66) for t in range(COUNT)]
    found = doubts(pictures(MOVING, other), [*MOVING[:20], *other[20:]])
    assert [frame for frame, kind in found if kind == "exchange" and abs(frame - 20) <= 3], found


def half(matte: np.ndarray) -> np.ndarray:
    after = matte.copy()
    after[: HEIGHT // 2] = 0
    after[HEIGHT // 2 + 2 :] *= np.float32(after[HEIGHT // 2 + 2 :] > 0)
    after[HEIGHT // 2 + 8 :] = 0
    return after


def strip(matte: np.ndarray) -> np.ndarray:
    after = matte.copy()
    after[-5:] = 1
    return after


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("jump", half),
        ("jump", lambda matte: cv2.dilate(matte, np.ones((17, 17)))),
        ("exchange", lambda matte: np.roll(matte, 80, axis=1)),
        ("split", lambda matte: np.maximum(matte, np.roll(matte, 80, axis=1))),
        ("border", strip),
        ("full", np.ones_like),
    ],
)
def test_wrong_mattes_are_doubted(kind: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    found = doubts(pictures(MOVING), changed(MOVING, 12, 18, change))
    assert (12, kind) in found, found
    assert kind in TELLING
    assert not [frame for frame, _ in found if not 12 <= frame <= 18]


def test_what_is_lost_within_the_picture_is_doubted() -> None:
    found = doubts(pictures(MOVING), changed(MOVING, 12, COUNT, np.zeros_like), range(12, COUNT))
    assert [frame for frame, kind in found if kind == "loss"] == list(range(12, COUNT))


def test_a_matte_that_is_only_ever_a_speck_is_doubted() -> None:
    assert doubts(pictures(MOVING), [disc(40 + 3 * t, 60, 2) for t in range(COUNT)]) == [(0, "speck")]


def test_frames_may_come_in_any_order_and_are_read_once_if_they_come_in_theirs() -> None:
    shot = pictures(MOVING)
    assert doubts(shot, MOVING) == []
    assert shot.reads == [(0, COUNT)]
    watch = Watch()
    list(watch.over([Masked(t, {"it": MOVING[t]}) for t in reversed(range(COUNT))], shot))
    assert watch.doubts() == []
