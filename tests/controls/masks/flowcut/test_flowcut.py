"""Objects followed by colour and motion, on scenes whose mattes are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from scenes import texture

from controls.masks import MASKERS
from controls.masks.flowcut.masker import FlowCutMasker
from controls.masks.flowcut.min_cut import edge_weights, minimal_cut
from controls.masks.flowcut.params import Params
from controls.types import Box, Masked, Matte, Point, Prompted, Text

SIZE = (160, 120)


class Scene:
    """A red disc (and, if asked, a blue one) in front of a textured world that moves, behind a post if there is one."""

    def __init__(self, count: int = 12, *, post: bool = False, second: bool = False, leaves: bool = False) -> None:
        width, height = SIZE
        world = cv2.convertScaleAbs(texture(height + 40, width + 80, 3), alpha=0.5, beta=40)
        self.size, self.frames, self.mattes, self.others = SIZE, [], [], []
        cloth = cv2.convertScaleAbs(texture(2 * height, 8 * width, 5), alpha=0.25)
        for t in range(count):
            picture = world[10 : 10 + height, 2 * t : 2 * t + width].copy()
            x = 40 + (12 if leaves else 5) * t
            disc = np.zeros((height, width), np.uint8)
            cv2.circle(disc, (x * 8, 60 * 8), 18 * 8, 255, -1, cv2.LINE_8, 3)
            moved = cloth[40 : 40 + height, 3 * width - x : 4 * width - x]
            picture[disc > 0] = (moved + np.array([150, 20, 20], np.uint8))[disc > 0]
            other = np.zeros_like(disc)
            if second:
                cv2.circle(other, (width - x, 66), 15, 255, -1)
                picture[other > 0] = (cloth[:height, x : x + width] + np.array([10, 40, 170], np.uint8))[other > 0]
                disc[other > 0] = 0
            if post:
                picture[:, 78:86] = (30, 120, 40)
                disc[:, 78:86] = 0
            self.frames.append(np.ascontiguousarray(picture))
            self.mattes.append(disc > 0)
            self.others.append(other > 0)
        self.reads: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        self.reads.append((start, stop))
        yield from self.frames[start:stop]


def overlap(matte: np.ndarray, truth: np.ndarray) -> float:
    union = ((matte > 0.5) | truth).sum()
    return ((matte > 0.5) & truth).sum() / union if union else 1.0


def followed(scene: Scene, *prompts: Prompted) -> list[Masked]:
    found = list(MASKERS.make("flowcut").follow(scene, prompts))
    assert sorted(masked.frame for masked in found) == list(range(len(scene)))
    for masked in found:
        for matte in masked.mattes.values():
            assert matte.shape == SIZE[::-1]
            assert matte.dtype == np.float32
            assert matte.min() >= 0
            assert matte.max() <= 1
    return sorted(found, key=lambda masked: masked.frame)


def test_the_cut_is_the_least_of_all() -> None:
    """On a strip of pixels every way of cutting can be tried."""
    random = np.random.default_rng(2)
    cost = random.normal(size=(1, 9)).astype(np.float32)
    edges = random.uniform(0.1, 1, (1, 9, 2)).astype(np.float32)

    def energy(inside: np.ndarray) -> float:
        return float((cost * inside).sum() + (edges[:, :-1, 0] * np.abs(np.diff(inside, axis=1))).sum())

    every = [np.array([[n >> k & 1 for k in range(9)]], np.float32) for n in range(512)]
    found = minimal_cut(cost, edges, start=np.full_like(cost, 0.5), rounds=2000)
    assert energy(found) == pytest.approx(min(map(energy, every)), abs=1e-3)


def test_a_border_costs_less_where_colours_change() -> None:
    picture = np.zeros((4, 6, 3), np.float32)
    picture[:, 3:] = 60
    edges = edge_weights(picture)
    assert edges[1, 2, 0] < 0.2
    assert edges[1, 1, 0] == pytest.approx(1)


@pytest.mark.parametrize("frame", [0, 6, 11])
def test_a_boxed_object_is_followed_both_ways(frame: int) -> None:
    scene = Scene()
    y, x = np.nonzero(scene.mattes[frame])
    box = Box(x.min() - 2, y.min() - 2, x.max() + 2, y.max() + 2)
    found = followed(scene, Prompted("disc", frame, box))
    assert np.mean([overlap(m.mattes["disc"], truth) for m, truth in zip(found, scene.mattes, strict=True)]) > 0.93
    assert min(overlap(m.mattes["disc"], truth) for m, truth in zip(found, scene.mattes, strict=True)) > 0.88
    assert not any(masked.lost for masked in found)


def test_a_point_grows_to_the_object() -> None:
    scene = Scene(6)
    found = followed(scene, Prompted("disc", 2, Point(50, 60)))
    assert min(overlap(m.mattes["disc"], truth) for m, truth in zip(found, scene.mattes, strict=True)) > 0.85


def test_an_object_comes_back_from_behind_a_post() -> None:
    scene = Scene(16, post=True)
    found = followed(scene, Prompted("disc", 0, Matte(scene.mattes[0].astype(np.float32))))
    scores = [overlap(m.mattes["disc"], truth) for m, truth in zip(found, scene.mattes, strict=True)]
    assert scores[-1] > 0.85
    assert np.mean(scores) > 0.85
    assert max(m.mattes["disc"][:, 80:84].max() for m in found) < 0.5, "the post is not the disc"


def test_two_objects_share_no_pixel() -> None:
    scene = Scene(9, second=True)
    found = followed(
        scene,
        Prompted("red", 0, Matte(scene.mattes[0].astype(np.float32))),
        Prompted("blue", 0, Matte(scene.others[0].astype(np.float32))),
    )
    for masked, red, blue in zip(found, scene.mattes, scene.others, strict=True):
        assert overlap(masked.mattes["red"], red) > 0.75
        assert overlap(masked.mattes["blue"], blue) > 0.8
        assert (masked.mattes["red"] + masked.mattes["blue"]).max() <= 1 + 1e-6


def test_an_object_that_leaves_is_lost_and_says_so() -> None:
    scene = Scene(14, leaves=True)
    assert not scene.mattes[-1].any()
    found = followed(scene, Prompted("disc", 0, Matte(scene.mattes[0].astype(np.float32))))
    assert "disc" in found[-1].lost
    assert found[-1].mattes["disc"].max() == 0
    assert not found[3].lost


def test_a_later_point_corrects_what_was_carried() -> None:
    scene = Scene(8)
    both = scene.mattes[0].copy()
    both[85:110, 110:150] = True  # drawn with a piece of the world that is not the disc
    matte = Prompted("disc", 0, Matte(both.astype(np.float32)))
    plain = followed(scene, matte)
    y, x = np.nonzero((plain[3].mattes["disc"] > 0.5) & ~scene.mattes[3])
    assert len(x) > 300
    corrected = followed(
        scene,
        matte,
        *(Prompted("disc", 3, Point(float(x[n]), float(y[n]), positive=False)) for n in range(0, len(x), 60)),
    )
    assert (
        overlap(corrected[3].mattes["disc"], scene.mattes[3]) > overlap(plain[3].mattes["disc"], scene.mattes[3]) + 0.1
    )


def test_deeper_pictures_give_the_same_mattes() -> None:
    scene = Scene(4)
    prompt = Prompted("disc", 0, Matte(scene.mattes[0].astype(np.float32)))
    plain = followed(scene, prompt)
    for deeper in (lambda p: p.astype(np.uint16) * 257, lambda p: p.astype(np.float32) / 255):
        deep = Scene(4)
        deep.frames = [deeper(frame) for frame in deep.frames]
        for a, b in zip(plain, followed(deep, prompt), strict=True):
            np.testing.assert_allclose(a.mattes["disc"], b.mattes["disc"], atol=0.02)


def test_edges_are_soft_and_everything_else_is_not() -> None:
    scene = Scene(3)
    prompt = Prompted("disc", 0, Matte(scene.mattes[0].astype(np.float32)))
    matte = followed(scene, prompt)[2].mattes["disc"]
    near = cv2.dilate(scene.mattes[2].astype(np.uint8), np.ones((13, 13))) - cv2.erode(
        scene.mattes[2].astype(np.uint8), np.ones((13, 13))
    )
    assert set(np.unique(matte[near == 0])) <= {0, 1}
    hard = list(FlowCutMasker(edge=0).follow(scene, [prompt]))
    assert set(np.unique(hard[2].mattes["disc"])) == {0, 1}


def test_only_a_few_frames_are_read_at_a_time() -> None:
    scene = Scene(30)
    scene.frames = [*scene.frames, *scene.frames[::-1], *scene.frames]
    masker = FlowCutMasker()
    for masked in masker.follow(scene, [Prompted("disc", 0, Matte(scene.mattes[0].astype(np.float32)))]):
        if masked.frame == 50:  # the second run of frames has been read
            break
    assert max(stop - start for start, stop in scene.reads) <= Params().walk.longest_run + 2 * Params().walk.margin


def test_what_leaps_farther_than_its_size_is_found_again() -> None:
    """No flow leads there: a ball that bounces, or one that somebody hits."""
    world = cv2.convertScaleAbs(texture(120, 160, 3), alpha=0.5, beta=40)
    ball = cv2.convertScaleAbs(texture(40, 40, 9), alpha=0.3) + np.array([150, 20, 20], np.uint8)
    places = [(30, 90), (36, 80), (42, 70), (48, 60), (84, 88), (90, 80), (96, 72)]
    scene = Scene(len(places))
    for t, (x, y) in enumerate(places):
        disc = np.zeros((120, 160), np.uint8)
        cv2.circle(disc, (x, y), 10, 255, -1)
        moved = np.zeros((120, 160, 3), np.uint8)
        moved[y - 20 : y + 20, x - 20 : x + 20] = ball
        scene.frames[t] = np.where(disc[:, :, None] > 0, moved, world)
        scene.mattes[t] = disc > 0
    found = followed(scene, Prompted("disc", 0, Matte(scene.mattes[0].astype(np.float32))))
    assert min(overlap(masked.mattes["disc"], scene.mattes[masked.frame]) for masked in found) > 0.7


def test_what_cannot_be_followed_is_refused_at_once() -> None:
    scene = Scene(3)
    masker = FlowCutMasker()
    with pytest.raises(ValueError, match="cannot look for words"):
        masker.follow(scene, [Prompted("disc", 0, Text("red disc"))])
    with pytest.raises(ValueError, match="outside of the picture, 160x120"):
        masker.follow(scene, [Prompted("disc", 0, Point(160, 4))])
    blank = Scene(3)
    blank.frames = [np.full_like(frame, 90) for frame in blank.frames]
    with pytest.raises(ValueError, match="object 'disc', frame 1: the point marks most of the picture"):
        list(masker.follow(blank, [Prompted("disc", 1, Point(40, 60))]))


class StillScene:
    """One textured picture, over and over."""

    size = (64, 48)

    def __init__(self, count: int) -> None:
        self._picture = texture(48, 64, 3)
        self._count = count

    def __len__(self) -> int:
        return self._count

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        yield from [self._picture] * (stop - start)


def test_between_two_prompts_the_nearer_one_counts_more() -> None:
    small, large = np.zeros((48, 64), np.float32), np.zeros((48, 64), np.float32)
    small[16:32, 24:40] = 1
    large[8:40, 16:48] = 1
    prompts = [Prompted("it", 0, Matte(small)), Prompted("it", 8, Matte(large))]
    areas = [float(one.mattes["it"].sum()) for one in FlowCutMasker(edge=0).follow(StillScene(9), prompts)]
    middle = (small.sum() + large.sum()) / 2
    assert max(areas[:4]) < middle < min(areas[5:]), areas


def test_a_place_that_two_claim_alike_goes_to_the_first() -> None:
    from controls.masks.flowcut.masker import resolve_overlaps
    from controls.masks.flowcut.region import Region, ScaledPicture
    from controls.masks.flowcut.tracked_object import begin

    frame = ScaledPicture(texture(48, 64, 3))
    region = Region(0, 0, 64, 48, (64, 48))
    both = np.zeros((48, 64), np.float32)
    both[16:32, 24:40] = 1
    objects = {name: begin(frame, region, both) for name in ("one", "other")}
    after = resolve_overlaps(objects)
    assert np.array_equal(after["one"].visible, both)
    assert not after["other"].visible.any()
    objects["other"] = replace(objects["other"], log_odds=objects["other"].log_odds + 1)
    after = resolve_overlaps(objects)
    assert not after["one"].visible.any(), "a stronger claim wins, whoever is first"
    assert np.array_equal(after["other"].visible, both)


def test_a_correction_acts_from_its_frame_on_and_back_to_the_prompt_before() -> None:
    scene = Scene(8)
    both = scene.mattes[0].copy()
    both[85:110, 110:150] = True  # drawn with a piece of the world that is not the disc
    drawn = Prompted("disc", 0, Matte(both.astype(np.float32)))
    point = Prompted("disc", 5, Point(120, 97, positive=False))
    plain, corrected = followed(scene, drawn), followed(scene, drawn, point)
    gained = [
        overlap(after.mattes["disc"], truth) - overlap(before.mattes["disc"], truth)
        for before, after, truth in zip(plain, corrected, scene.mattes, strict=True)
    ]
    assert min(gained[3:]) > 0.05, gained
    assert gained[2] > 0.05, "nearer to the drawn matte than to the correction"
    assert min(overlap(corrected[n].mattes["disc"], scene.mattes[n]) for n in range(2, 8)) > 0.85


def test_what_a_point_shows_is_cut_out_as_a_whole() -> None:
    """A red disc that carries a blue sign, both in the box: a point off it takes the whole sign out, one on it takes it in."""
    scene = Scene(2)
    sign = np.zeros(SIZE[::-1], np.uint8)
    cv2.rectangle(sign, (40, 28), (62, 46), 255, -1)
    for frame in scene.frames:
        frame[:] = scene.frames[0]
        frame[sign > 0] = (30, 50, 160)
    box = Prompted("disc", 0, Box(20, 26, 64, 80))
    inside = cv2.erode(sign, np.ones((5, 5))) > 0
    off = followed(scene, box, Prompted("disc", 0, Point(50, 36, positive=False)))[0].mattes["disc"]
    on = followed(scene, box, Prompted("disc", 0, Point(50, 36)))[0].mattes["disc"]
    assert off[inside].mean() < 0.2
    assert on[inside].mean() > 0.8
    rest = scene.mattes[0] & (sign == 0)
    assert off[rest].mean() > 0.8
    assert on[rest].mean() > 0.8
