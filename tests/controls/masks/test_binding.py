"""Prompts hold on their own frame: for every masker that follows what is marked, and for those that do not listen at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from sam2_weights import SIDE, random_predictor, save_file_of_the_package, save_small_folder
from scenes import texture

from controls.masks import MASKERS
from controls.masks.binding import SLACK, bind, bound, obeys
from controls.masks.flowcut.masker import FlowCutMasker
from controls.masks.patches import connected_patch
from controls.prompts import check_prompts
from controls.torchvision_guard import make_torchvision_importable
from controls.types import Box, Masked, Masker, MaskerTraits, Matte, Pictures, Point, Prompted

SIZE = WIDTH, HEIGHT = 96, 64
COUNT = 4


class Shot:
    """A textured disc that passes over a textured world."""

    size = SIZE

    def __init__(self) -> None:
        world, cloth = (
            cv2.convertScaleAbs(texture(HEIGHT, WIDTH + 20, 3), alpha=0.5, beta=40),
            texture(HEIGHT, WIDTH, 5),
        )
        self.frames = []
        for t in range(COUNT):
            disc = np.zeros((HEIGHT, WIDTH), np.uint8)
            cv2.circle(disc, (30 + 4 * t, 32), 13, 255, -1)
            moved = cv2.convertScaleAbs(np.roll(cloth, 4 * t, axis=1), alpha=0.25) + np.array([150, 20, 20], np.uint8)
            self.frames.append(np.ascontiguousarray(np.where(disc[:, :, None] > 0, moved, world[:, t : t + WIDTH])))

    def __len__(self) -> int:
        return COUNT

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        yield from self.frames[start:stop]


class Stubborn:
    """Gives the same matte everywhere, whatever it is asked."""

    name = "stubborn"
    traits = MaskerTraits(title="stubborn", prompts=frozenset({Point, Box, Matte}))

    def __init__(self, level: float) -> None:
        self.level = np.float32(level)

    def follow(self, pictures: Pictures, prompts: Sequence[Prompted]) -> Iterator[Masked]:
        names = frozenset(prompted.name for prompted in prompts)
        for frame in reversed(range(len(pictures))):
            mattes = {name: np.full((HEIGHT, WIDTH), self.level) for name in names}
            yield Masked(frame, mattes, names if self.level == 0 else frozenset())


@pytest.fixture(scope="module")
def sam2(tmp_path_factory: pytest.TempPathFactory) -> Masker:
    """SAM 2 by transformers, with random weights, which listens to nobody."""
    make_torchvision_importable()
    pytest.importorskip("transformers")
    folder = save_small_folder(tmp_path_factory.mktemp("sam2"))
    made: Masker = MASKERS.make("sam2", {"model": str(folder), "image_size": SIDE})
    return made


@pytest.fixture(scope="module")
def sam2_package(tmp_path_factory: pytest.TempPathFactory) -> Masker:
    """The same by its makers' package."""
    make_torchvision_importable()
    pytest.importorskip("sam2")
    file = save_file_of_the_package(random_predictor(), tmp_path_factory.mktemp("sam2"))
    made: Masker = MASKERS.make("sam2", {"model": str(file), "image_size": SIDE})
    return made


def drawn(left: int, top: int, right: int, bottom: int) -> Matte:
    values = np.zeros((HEIGHT, WIDTH), np.float32)
    values[top:bottom, left:right] = 1
    values[top:bottom, left] = 0.25  # drawn soft
    return Matte(values)


MARKED = [
    [
        Prompted("it", 1, Point(34, 32)),
        Prompted("it", 1, Point(60, 50)),
        Prompted("it", 1, Point(37, 33, positive=False)),
    ],
    [Prompted("it", 0, Box(16, 18, 44, 46)), Prompted("it", 0, Point(20, 44)), Prompted("it", 0, Point(30, 32, False))],
    [Prompted("it", 2, drawn(20, 10, 50, 40)), Prompted("it", 2, Point(70, 20))],
    [
        Prompted("it", 0, Box(16, 18, 44, 46)),
        Prompted("it", 3, Point(42, 32, positive=False)),
        Prompted("it", 3, Point(80, 8)),
        Prompted("it", 2, Point(38, 33)),
        Prompted("other", 1, Box(50.4, 5.2, 90, 30)),
        Prompted("other", 3, Point(34.4, 50)),
    ],
]


def require_obedience(prompts: Sequence[Prompted], found: Sequence[Masked]) -> None:
    by_frame = {masked.frame: masked for masked in found}
    assert sorted(by_frame) == list(range(COUNT))
    for name, frame in dict.fromkeys((one.name, one.frame) for one in prompts):
        own = [one.prompt for one in prompts if (one.name, one.frame) == (name, frame)]
        matte = by_frame[frame].mattes[name]
        points = [one for one in own if isinstance(one, Point)]
        for point in points:
            level = matte[round(point.y), round(point.x)]
            assert level > 0.5 if point.positive else level < 0.5, (name, frame, point, level)
            assert obeys(matte, point, points)
        far = np.ones((HEIGHT, WIDTH), bool)
        for point in points:
            far[max(0, round(point.y) - 8) : round(point.y) + 9, max(0, round(point.x) - 8) : round(point.x) + 9] = (
                False
            )
        for one in own:
            if isinstance(one, Box):
                outside = far.copy()
                outside[
                    int(one.top) - SLACK : int(one.bottom) + SLACK + 2,
                    int(one.left) - SLACK : int(one.right) + SLACK + 2,
                ] = False
                assert not matte[outside].any(), "nothing lies outside of a box"
            if isinstance(one, Matte):
                assert np.array_equal(matte[far], one.values[far]), "a drawn matte is what it is"
        if any(one.positive for one in points):
            assert name not in by_frame[frame].lost


@pytest.mark.parametrize(
    ("masker", "marked"),
    [(masker, n) for masker in ("flowcut", "nothing", "everything") for n in range(len(MARKED))]
    + [("sam2", 1), ("sam2", 2), ("sam2_package", 1), ("sam2_package", 2)],
)
def test_prompts_bind(masker: str, marked: int, request: pytest.FixtureRequest) -> None:
    made: Any = {"nothing": Stubborn(0), "everything": Stubborn(1), "flowcut": FlowCutMasker()}.get(masker)
    if made is None:
        made = request.getfixturevalue(masker)
    shot, prompts = Shot(), MARKED[marked]
    check_prompts(prompts, SIZE, COUNT)
    require_obedience(prompts, list(bound(made.follow(shot, prompts), shot, prompts)))


def test_frames_without_prompts_are_left_as_they_are() -> None:
    prompts = [Prompted("it", 1, Point(34, 32))]
    for masked in bound(Stubborn(0).follow(Shot(), prompts), Shot(), prompts):
        assert masked.mattes["it"].any() == (masked.frame == 1)
        assert bool(masked.lost) == (masked.frame != 1)


def test_a_point_brings_the_patch_of_its_colour_that_is_connected_with_it() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    picture[20:40, 20:40] = (180, 30, 30)
    picture[20:40, 60:80] = (180, 30, 30)
    matte = bind(np.zeros((HEIGHT, WIDTH), np.float32), [Point(22, 22)], lambda: picture)
    inside = matte > 0.5
    assert inside[22, 22]
    assert inside.sum() > 15
    assert not inside[:19].any()
    assert not inside[:, :19].any()
    assert not inside[:, 60:].any(), "it is not connected"
    without = bind(
        np.ones((HEIGHT, WIDTH), np.float32), [Point(50, 30), Point(22, 22, positive=False)], lambda: picture
    )
    assert ((without < 0.5) == inside).mean() > 0.99


def test_a_patch_ends_where_another_point_is_nearer() -> None:
    even = np.full((HEIGHT, WIDTH, 3), 50, np.float32)
    patch = connected_patch(even, (30, 30), 20, [(40, 30)])
    assert patch[30, 34]
    assert not patch[30, 36]
    assert not patch[30, 51]
    assert not patch[9, 30]


def test_random_prompts_bind() -> None:
    """Whatever the matte and the prompts: 200 of them."""
    random = np.random.default_rng(8)
    picture = texture(HEIGHT, WIDTH, 4)
    for _ in range(200):
        places = {(int(x), int(y)) for x, y in random.integers(0, SIZE, (random.integers(1, 5), 2))}
        near = {(min(x + 1, WIDTH - 1), y) for x, y in places if random.random() < 0.3}
        spots = [(x + random.uniform(-0.49, 0.49), y + random.uniform(-0.49, 0.49)) for x, y in sorted(places | near)]
        points = [Point(float(x), float(y), bool(random.random() < 0.5)) for x, y in spots]
        level = np.float32(random.random())
        matte = np.full((HEIGHT, WIDTH), level) if random.random() < 0.5 else random.random((HEIGHT, WIDTH), np.float32)
        found = bind(matte, points, lambda: picture)
        assert found.min() >= 0
        assert found.max() <= 1
        for point in points:
            x, y = int(np.floor(point.x + 0.5)), int(np.floor(point.y + 0.5))
            assert (found[y, x] > 0.5) == point.positive, (points, point, found[y, x])


def test_what_contradicts_itself_is_refused() -> None:
    twice = [Prompted("it", 1, Point(3.1, 4)), Prompted("it", 1, Point(3, 4.4, positive=False))]
    with pytest.raises(ValueError, match=r"object 'it', frame 1: \(3, 4\) is marked as on it and as not on it"):
        check_prompts(twice, SIZE, COUNT)
    check_prompts([twice[0], Prompted("it", 2, twice[1].prompt)], SIZE, COUNT)
    check_prompts([twice[0], Prompted("other", 1, twice[1].prompt), Prompted("other", 1, Point(9, 9))], SIZE, COUNT)
