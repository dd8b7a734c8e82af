"""Pose: drawn as ControlNets know it, detected with a bundled model, and smoothed without lag."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Any

import av
import cv2
import numpy as np
import pytest

from controls.maps import DETECTORS
from controls.maps.people import JOINTS, PARTS, Person, draw_people
from controls.maps.small_people import merge_detections, windows
from controls.stabilise.consecutive import stabilise
from controls.stabilise.window import StabiliseOptions
from controls.types import ControlMap
from interp.quiet import without_logs
from samples import clip, load_truth

PHOTO_JOINTS = {  # where they are in scikit-image's astronaut, by eye
    "nose": (223, 128),
    "right eye": (205, 104),
    "left eye": (248, 112),
    "right shoulder": (113, 240),
    "left shoulder": (306, 256),
}


def somebody(width: int, height: int, seed: int = 0) -> Person:
    """A person with all joints at whole pixels."""
    draw = np.random.default_rng(seed)

    def part(count: int) -> np.ndarray:
        places = draw.integers((12, 12), (width - 12, height - 12), (count, 2)).astype(np.float32)
        return np.column_stack([places, np.ones(count, np.float32)]).astype(np.float32)

    return Person(**{name: part(count) for name, count in PARTS.items()})


@pytest.mark.parametrize("size", [(512, 512), (768, 512), (512, 900)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_drawn_as_controlnet_aux_draws(size: tuple[int, int], seed: int, theirs: Callable[[str], Any]) -> None:
    openpose, body = theirs("controlnet_aux.open_pose"), theirs("controlnet_aux.open_pose.body")
    pytest.importorskip("matplotlib")
    width, height = size
    person = somebody(width, height, seed)
    hidden = Person(person.body * (np.arange(18) % 5 > 0)[:, None].astype(np.float32), person.left_hand)

    def keypoints(joints: np.ndarray | None) -> list | None:
        if joints is None:  # a thousandth more, for they divide by the size and cut off what is left of the product
            return None
        return [body.Keypoint((x + 1e-3) / width, (y + 1e-3) / height) if sure else None for x, y, sure in joints]

    poses = [
        openpose.PoseResult(
            body.BodyResult(keypoints(p.body), 1.0, 18), *(keypoints(j) for j in (p.left_hand, p.right_hand, p.face))
        )
        for p in (person, hidden)
    ]
    np.testing.assert_array_equal(
        draw_people([person, hidden], width, height), openpose.draw_poses(poses, height, width)
    )


def test_thickness_goes_with_the_picture() -> None:
    person = somebody(256, 256)
    double = Person(*(np.float32([2, 2, 1]) * getattr(person, part) for part in PARTS))
    share = [(draw_people([p], side, side) > 0).mean() for p, side in ((person, 256), (double, 512))]
    assert abs(share[0] / share[1] - 1) < 0.12


def test_a_person_is_checked_and_comes_back_from_plain_values() -> None:
    person = somebody(64, 64)
    again = Person.of(person.plain())
    for part in PARTS:
        np.testing.assert_allclose(getattr(again, part), getattr(person, part), atol=1e-3)
    assert "face" not in Person(person.body).plain()
    with pytest.raises(ValueError, match="a body is float32 18 x 3"):
        Person(person.body[:4])
    with pytest.raises(ValueError, match="a person has a body"):
        Person.of({"tail": []})


def test_a_real_person_is_found() -> None:
    pytest.importorskip("mediapipe")
    data = pytest.importorskip("skimage.data")
    from controls.maps import DETECTORS
    from controls.maps.base import Detector

    detector = DETECTORS.make("pose", {"face": True})
    assert isinstance(detector, Detector)
    made = detector.detect(data.astronaut())
    (plain,) = made.facts["people"]
    person = Person.of(plain)
    for name, place in PHOTO_JOINTS.items():
        x, y, sure = person.body[JOINTS.index(name)]
        assert sure > 0.5, name
        assert np.hypot(x - place[0], y - place[1]) < 14, name
    assert person.body[JOINTS.index("left knee"), 2] == 0  # below the picture
    assert person.face is not None
    outer_eye_corners, chin, pupils = person.face[[36, 45], :2], person.face[8, :2], person.face[68:, :2]
    assert outer_eye_corners[0, 0] < pupils[0, 0] < pupils[1, 0] < outer_eye_corners[1, 0]
    assert chin[1] > person.face[30, 1] > pupils[:, 1].max()
    assert np.array_equal(made.picture, draw_people([person], 512, 512))

    empty = detector.detect(np.full((120, 160, 3), 128, np.uint8))
    assert empty.facts["people"] == []
    assert not empty.picture.any()


COUNT = 60


def walking(t: float) -> np.ndarray:
    """Where a walker's joints truly are."""
    body = somebody(200, 300).body.astype(np.float64)
    body[:, 0] = body[:, 0] * 0.5 + 100 + 1.5 * t + 12 * np.sin(2 * np.pi * t / 20 + np.arange(18))
    body[:, 1] += 8 * np.cos(2 * np.pi * t / 20 + np.arange(18))
    return body


def as_map(*bodies: np.ndarray) -> ControlMap:
    people = [Person(body.astype(np.float32)).plain() for body in bodies]
    return ControlMap("pose", np.zeros((300, 400, 3), np.uint8), None, {"people": people})


class Nothing:
    def motion(self, here: int, there: int) -> Any:
        raise AssertionError("joints need no flow")


def test_trembling_joints_are_smoothed_without_lag_and_missed_ones_bridged() -> None:
    draw = np.random.default_rng(3)
    missed = {(t, 4) for t in range(20, 26)} | {(t, 7) for t in range(40, 60)}
    maps = []
    for t in range(COUNT):
        body = walking(t)
        body[:, :2] += draw.normal(0, 2, (18, 2))
        for frame, joint in missed:
            if frame == t:
                body[joint, 2] = 0
        maps.append(as_map(body) if t not in (10, 11) else as_map())
    done = [
        Person.of(made.facts["people"][0]).body
        for _, made in stabilise(maps.__getitem__, range(COUNT), Nothing(), method="pose")
    ]
    true = np.stack([walking(t) for t in range(COUNT)])
    found = np.stack(done)
    shown = found[..., 2] > 0
    rest = np.linalg.norm(found[..., :2] - true[..., :2], axis=2)
    assert rest[shown].mean() < 0.75 * 2 * np.sqrt(np.pi / 2)  # the trembling's own mean
    assert shown[20:26, 4].all()  # six frames are bridged
    assert shown[10:12].all()  # the whole person, too
    assert np.median(rest[20:26, 4]) < 8
    assert not shown[41:, 7].any()  # but what does not come back is not invented

    def shake(paths: np.ndarray) -> float:
        return float(np.abs(np.diff(paths, n=2, axis=0)).mean())

    noisy = np.stack([np.asarray(m.facts["people"][0]["body"]) for m in maps[26:40]])
    assert shake(found[26:40, :, :2] - true[26:40, :, :2]) < 0.5 * shake(noisy[..., :2] - true[26:40, :, :2])
    ahead = np.linalg.norm(found[26:39, :, :2] - true[27:40, :, :2], axis=2).mean()
    behind = np.linalg.norm(found[27:40, :, :2] - true[26:39, :, :2], axis=2).mean()
    assert rest[26:40].mean() < 0.6 * min(ahead, behind)
    assert abs(ahead - behind) < 0.15 * ahead


def test_fast_joints_keep_their_swing() -> None:
    maps = []
    for t in range(40):
        body = walking(0)
        body[4, 0] += 40 * np.sin(2 * np.pi * t / 12)
        maps.append(as_map(body))
    done = [
        Person.of(made.facts["people"][0]).body[4, 0]
        for _, made in stabilise(maps.__getitem__, range(40), Nothing(), method="pose")
    ]
    true = walking(0)[4, 0] + 40 * np.sin(2 * np.pi * np.arange(40) / 12)
    assert np.ptp(done[5:35]) > 0.9 * np.ptp(true[5:35])


def test_two_people_stay_apart_and_one_jump_is_no_joint() -> None:
    maps = []
    for t in range(20):
        here, there = walking(0), walking(0)
        there[:, 0] += 160
        if t == 9:
            here[0, :2] += 90
        maps.append(as_map(here, there) if t % 2 else as_map(there, here))
    for _, made in stabilise(maps.__getitem__, range(20), Nothing(), method="pose", options=StabiliseOptions(radius=4)):
        bodies = [Person.of(plain).body for plain in made.facts["people"]]
        assert len(bodies) == 2
        first, second = sorted(bodies, key=lambda body: body[:, 0].mean())
        np.testing.assert_allclose(first[:, :2], walking(0)[:, :2], atol=1.5)
        np.testing.assert_allclose(second[:, :2] - (160, 0), walking(0)[:, :2], atol=1.5)


def test_a_picture_alone_has_no_joints() -> None:
    made = ControlMap("pose", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="needs the joints"):
        list(stabilise(lambda t: made, [0], Nothing(), method="pose"))


def test_memory_does_not_grow_with_the_shot() -> None:
    asked = []

    def load(t: int) -> ControlMap:
        asked.append(t)
        return as_map(walking(t))

    for t, _ in stabilise(load, range(200), Nothing(), method="pose"):
        assert asked[-1] <= t + 9
    assert asked == list(range(200))


def test_whoever_comes_beside_someone_is_someone_else() -> None:
    """Two people near one that was followed: the nearer goes on, the other begins."""
    near, far = walking(0), walking(0)
    near[:, 0] += 5
    far[:, 0] += 60
    maps = [as_map(walking(0)), as_map(far, near), as_map(far, near)]
    done = [made.facts["people"] for _, made in stabilise(maps.__getitem__, range(3), Nothing(), method="pose")]
    assert [len(people) for people in done] == [1, 2, 2]
    lefts = sorted(Person.of(plain).body[:, 0].mean() for plain in done[2])
    assert abs(lefts[1] - lefts[0] - 55) < 6


@pytest.fixture(scope="module")
def mediapipe_pose() -> Any:
    pytest.importorskip("mediapipe")
    return DETECTORS.make("pose", {"hands": False})


def test_small_people_of_the_sample_are_found_where_they_are(mediapipe_pose: Any) -> None:
    """The rendered walker is a fifth as tall as the frame: nobody is found by one look at the whole."""
    truth = load_truth("square")
    with av.open(str(clip("square"))) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in itertools.islice(file.decode(video=0), 21)]
    found = 0
    for number in (4, 8, 12, 16, 20):
        people = mediapipe_pose.detect(frames[number]).facts["people"]
        there = cv2.resize((truth.matte("walker", number) > 0.5).astype(np.uint8), (640, 360), interpolation=0)
        there = cv2.dilate(there, np.ones((13, 13)))
        for person in people:
            joints = [joint for joint in person["body"] if joint[2] > 0]
            assert np.mean([there[round(y), round(x)] for x, y, _ in joints]) > 0.85
        found += len(people) == 1
    assert found >= 4
    assert DETECTORS.make("pose", {"hands": False, "closer": False}).detect(frames[8]).facts["people"] == []


def test_someone_seen_once_is_a_mistake_and_seen_twice_is_one_person() -> None:
    one, other = somebody(200, 200, 1), somebody(200, 200, 2)
    moved = Person(other.body + np.array([300, 0, 0], np.float32))
    trembling = Person(one.body + np.random.default_rng(3).normal(0, (3, 3, 0), (18, 3)).astype(np.float32))
    hidden = Person(one.body * (np.arange(18) % 3 > 0)[:, None].astype(np.float32))
    assert merge_detections([hidden, moved, one, trembling]) in ([one], [trembling])
    mirrored = Person(one.body[np.random.default_rng(4).permutation(18)])  # another guess at the same place
    assert len(merge_detections([one, trembling, mirrored, mirrored])) == 1
    assert len(merge_detections([one, trembling, moved, moved])) == 2
    assert merge_detections([]) == []


@pytest.mark.parametrize(("width", "height"), [(640, 360), (361, 639), (500, 500), (1920, 1080)])
def test_windows_overlap_by_half_and_reach_every_border(width: int, height: int) -> None:
    times = np.zeros((height, width), int)
    for left, top, side in windows(width, height):
        assert left >= 0
        assert top >= 0
        assert left + side <= width
        assert top + side <= height
        times[top : top + side, left : left + side] += 1
    quarter = min(width, height) // 4
    assert times.min() >= 1
    assert times[quarter:-quarter, quarter:-quarter].min() >= 4
    assert list(windows(90, 90)) == []


def test_mediapipe_says_nothing_on_standard_error(capfd: pytest.CaptureFixture[str], mediapipe_pose: Any) -> None:
    capfd.readouterr()
    DETECTORS.make("pose", {}).detect(np.zeros((64, 64, 3), np.uint8))
    assert capfd.readouterr().err == ""


def test_what_else_is_written_there_comes_out(capfd: pytest.CaptureFixture[str]) -> None:
    with without_logs():
        os.write(2, b"W0000 00:00:1795461176.490088    7305 some_file.cc:114] nothing of interest\n")
        os.write(2, b"E0000 00:00:1795461176.490088    7305 some_file.cc:114] something is wrong\nand more\n")
    error = capfd.readouterr().err
    assert "nothing of interest" not in error
    assert "something is wrong\nand more\n" in error


def test_left_and_right_stay_what_they_are_and_a_body_upside_down_is_left_out() -> None:
    pairs = [(2, 5), (3, 6), (4, 7), (8, 11), (9, 12), (10, 13), (14, 15), (16, 17)]
    order = np.arange(18)
    for right, left in pairs:
        order[[right, left]] = left, right
    arms = np.where(np.isin(np.arange(18), (2, 3, 4, 5, 6, 7)), order, np.arange(18))
    maps = []
    for t in range(30):
        body = walking(t)
        if t == 9:
            body[:, 1] = 2 * body[:, 1].mean() - body[:, 1]
        if t == 0 or 14 <= t < 18:  # wrong at first, too
            body = body[order]
        if t in (20, 21):
            body = body[arms]
        maps.append(as_map(body))
    for t, made in stabilise(maps.__getitem__, range(30), Nothing(), method="pose"):
        (person,) = (Person.of(plain).body for plain in made.facts["people"])
        assert np.linalg.norm(person[:, :2] - walking(t)[:, :2], axis=1).max() < 6, t
