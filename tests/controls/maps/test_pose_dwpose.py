"""DWPose, on networks written here whose answer is known: a finder that fires where the picture is blue, and a poser whose axes
peak where it is brightest. So every pixel of the way there and back is checked, without trained weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from controls.errors import ControlError
from controls.maps import DETECTORS
from controls.maps.base import Detector
from controls.maps.people import PARTS
from controls.maps.pose_dwpose import (
    BODY,
    DETECTOR,
    JOINTS,
    POSE_NETWORK,
    boxes_of,
    crop_of,
    joints_of,
    letterboxed,
    person_of,
)
from interp.errors import InterpError

BOX = (60.0, 90.0)  # width and height of the finder's boxes, in pixels that it sees; of the finest grid
MARKS = {0: (255, 0, 0), 1: (0, 255, 0), 2: (0, 0, 255)}  # what joints of the first, second and third kind look for


# ONNX, as the bytes of its protocol buffers (github.com/onnx/onnx, onnx.proto): the package onnx is no need of ours.


def number(field: int, value: int) -> bytes:
    def varint(rest: int) -> Iterator[int]:
        while rest > 127:
            yield rest & 127 | 128
            rest >>= 7
        yield rest

    return bytes([*varint(field << 3), *varint(value)])


def piece(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return bytes([field << 3 | 2]) + number(0, len(data))[1:] + data


def constant(name: str, values: np.ndarray) -> bytes:
    kind = {"float32": 1, "int64": 7}[str(values.dtype)]
    dims = b"".join(number(1, side) for side in values.shape)
    return dims + number(2, kind) + piece(8, name) + piece(9, values.tobytes())


def node(kind: str, takes: Sequence[str], gives: str, **attributes: int | Sequence[int]) -> bytes:
    made = b"".join(piece(1, name) for name in takes) + piece(2, gives) + piece(4, kind)
    for name, value in attributes.items():
        if isinstance(value, int):
            made += piece(5, piece(1, name) + number(3, value) + number(20, 2))
        else:
            made += piece(5, piece(1, name) + b"".join(number(8, each) for each in value) + number(20, 7))
    return made


def write(path: Path, nodes: Sequence[bytes], constants: Mapping[str, np.ndarray], takes: dict, gives: dict) -> None:
    def value(name: str, shape: Sequence[int]) -> bytes:
        dims = b"".join(piece(1, number(1, side)) for side in shape)
        return piece(1, name) + piece(2, piece(1, number(1, 1) + piece(2, dims)))

    graph = b"".join(piece(1, each) for each in nodes) + piece(2, "made")
    graph += b"".join(piece(5, constant(name, values)) for name, values in constants.items())
    graph += b"".join(piece(11, value(*each)) for each in takes.items())
    graph += b"".join(piece(12, value(*each)) for each in gives.items())
    path.write_bytes(number(1, 8) + piece(7, graph) + piece(8, piece(1, "") + number(2, 13)))


def write_finder(path: Path) -> None:
    """Takes BGR. Sure of a person in a cell by how blue it is; the box is round the cell's middle."""
    nodes: list[bytes] = []
    constants: dict[str, np.ndarray] = {}
    for stride in (8, 16, 32):
        mean = np.zeros((1, 3, stride, stride), np.float32)
        mean[0, 0], mean[0, 1:] = 1 / 255 / stride**2, -0.5 / 255 / stride**2  # blue, not white
        constants[f"mean{stride}"] = mean
        nodes.append(node("Conv", ["images", f"mean{stride}"], f"blue{stride}", strides=[stride, stride]))
        nodes.append(node("Reshape", [f"blue{stride}", "row"], f"flat{stride}"))
    fixed = np.zeros(85, np.float32)
    fixed[:6] = 0.5, 0.5, np.log(BOX[0] / 8), np.log(BOX[1] / 8), 0, 1
    sure = np.zeros((1, 85), np.float32)
    sure[0, 4] = 1
    constants |= {"row": np.array([1, -1, 1]), "sure": sure, "fixed": fixed}
    nodes.append(node("Concat", ["flat8", "flat16", "flat32"], "blue", axis=1))
    nodes.append(node("MatMul", ["blue", "sure"], "moved"))
    nodes.append(node("Add", ["moved", "fixed"], "output"))
    write(path, nodes, constants, {"images": (1, 3, 640, 640)}, {"output": (1, 8400, 85)})


def write_poser(path: Path) -> None:
    """Takes RGB, normalised. Joint k looks for red, green or blue, by k % 3: both axes are that colour's mean, less half of the
    others', two places a pixel, the places between two pixels midway."""
    looks = np.full((JOINTS, 3), -0.5, np.float32)
    looks[np.arange(JOINTS), np.arange(JOINTS) % 3] = 1
    constants = {"looks": looks}
    nodes = []
    for axis, other, length in (("x", 2, 288), ("y", 3, 384)):
        between = np.zeros((length, 2 * length), np.float32)
        at = np.arange(length)
        between[at, 2 * at] = 10
        between[at, 2 * at + 1] = 5
        between[at[1:], 2 * at[1:] - 1] = 5
        between[-1, -1] = 10
        constants[f"places_{axis}"] = between
        nodes.append(node("ReduceMean", ["input"], f"mean_{axis}", axes=[other], keepdims=0))
        nodes.append(node("MatMul", ["looks", f"mean_{axis}"], f"seen_{axis}"))
        nodes.append(node("MatMul", [f"seen_{axis}", f"places_{axis}"], f"simcc_{axis}"))
    gives = {"simcc_x": (1, JOINTS, 576), "simcc_y": (1, JOINTS, 768)}
    write(path, nodes, constants, {"input": (1, 3, 384, 288)}, gives)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("dwpose")
    write_finder(made / DETECTOR)
    write_poser(made / POSE_NETWORK)
    return made


def detector(folder: Path, **options: object) -> Detector:
    made = DETECTORS.make("pose-dwpose", {"weights": str(folder), "threads": 1, **options})
    assert isinstance(made, Detector)
    return made


def scene(width: int, height: int, middles: Sequence[tuple[float, float]], marks: Mapping) -> np.ndarray:
    """Dark grey, with a patch that the finder knows at each middle, and small marks in red, green and blue."""
    picture = np.full((height, width, 3), 20, np.uint8)
    scale = min(640 / width, 640 / height)
    for x, y in middles:
        half = 4 / scale
        picture[round(y - half) : round(y + half), round(x - half) : round(x + half)] = 20, 20, 250
    for (x, y), colour in marks.items():
        picture[y - 1 : y + 2, x - 1 : x + 2] = np.array(colour) // 2  # brightest in the middle
        picture[y, x] = colour
    return picture


@pytest.mark.parametrize(
    ("width", "height", "middle"),
    [
        (640, 640, (324, 300)),
        (640, 360, (404, 196)),
        (320, 180, (150, 94)),
        (1280, 720, (808, 392)),
        (360, 640, (180, 324)),
    ],
)
def test_joints_come_back_to_their_pixels(width: int, height: int, middle: tuple[int, int], folder: Path) -> None:
    scale = min(640 / width, 640 / height)
    across, down = BOX[0] / scale, BOX[1] / scale
    x, y = middle
    near = {  # inside of the box, off its middle
        (round(x - across * 0.3), round(y - down * 0.35)): MARKS[0],
        (round(x + across * 0.2), round(y + down * 0.4)): MARKS[1],
    }
    picture = scene(width, height, [middle], near)
    made = detector(folder, visible=0.0).detect(picture)
    people = made.facts["people"]
    assert len(people) == 1
    body = np.array(people[0]["body"])
    pixel = 1.25 * max(across / 288, down / 384) / 2  # half of a place of SimCC, in the frame
    for place, colour in near.items():
        kind = next(kind for kind, known in MARKS.items() if known == colour)
        joints = [number for number, joint in enumerate(BODY) if joint is not None and joint % 3 == kind]
        away = np.abs(body[joints, :2] - place).max()
        assert away <= 0.5 + pixel, (place, body[joints, :2])
    assert made.picture.shape == picture.shape
    face = np.array(people[0]["face"])
    assert np.abs(face[:68][(np.arange(68) + 23) % 3 == 0][:, :2] - next(iter(near))).max() <= 0.5 + pixel
    assert not face[68:, 2].any()  # no pupils


def test_several_people_each_have_their_own_joints(folder: Path) -> None:
    middles = [(100, 100), (300, 204), (524, 108)]
    marks = {(80, 80): MARKS[0], (310, 230): MARKS[0], (540, 90): MARKS[0]}
    found = (
        detector(folder, visible=0.0, hands=False, face=False).detect(scene(640, 360, middles, marks)).facts["people"]
    )
    assert len(found) == 3
    assert all(set(person) == {"body"} for person in found)
    noses = sorted(tuple(np.rint(person["body"][0][:2]).astype(int).tolist()) for person in found)
    assert noses == sorted(marks)


def test_nobody_is_nobody(folder: Path) -> None:
    made = detector(folder).detect(np.full((90, 160, 3), 200, np.uint8))  # bright, not blue
    assert made.facts["people"] == []
    assert not made.picture.any()


@pytest.mark.parametrize("seed", range(6))
def test_boxes_are_those_of_yolox_by_its_definition(seed: int) -> None:
    """Cell by cell, box by box, as the paper has it."""
    draw = np.random.default_rng(seed)
    size, scale = (96, 64), 0.37
    raw = draw.normal(0, 0.6, (12 * 8 + 6 * 4 + 3 * 2, 85)).astype(np.float32)
    raw[:, 4:] = draw.random((len(raw), 81))
    raw[:, 2:4] += 1.5
    cells = [(x, y, s) for s in (8, 16, 32) for y in range(size[1] // s) for x in range(size[0] // s)]
    found = []
    for (x, y, stride), (dx, dy, w, h, something, person, *_) in zip(cells, raw.tolist(), strict=True):
        if something * person > 0.3:
            mx, my = (x + dx) * stride, (y + dy) * stride
            bw, bh = np.exp(w) * stride, np.exp(h) * stride
            box = [(mx - bw / 2) / scale, (my - bh / 2) / scale, (mx + bw / 2) / scale, (my + bh / 2) / scale]
            found.append((something * person, box))
    kept: list[list[float]] = []
    for _, (l1, t1, r1, b1) in sorted(found, reverse=True):
        shares = []
        for l2, t2, r2, b2 in kept:
            both = max(0.0, min(r1, r2) - max(l1, l2)) * max(0.0, min(b1, b2) - max(t1, t2))
            shares.append(both / ((r1 - l1) * (b1 - t1) + (r2 - l2) * (b2 - t2) - both))
        if all(share <= 0.45 for share in shares):
            kept.append([l1, t1, r1, b1])
    assert 5 < len(kept) < len(found)
    np.testing.assert_allclose(boxes_of(raw, size, scale, least=0.3), kept, rtol=2e-5, atol=2e-3)


@pytest.mark.parametrize("box", [(10, 20, 110, 70), (10, 20, 40, 170), (-30, -10, 5, 300)])
def test_the_crop_holds_the_box_and_a_quarter_more(box: tuple[int, int, int, int]) -> None:
    there = crop_of(np.array(box, np.float32), (288, 384))
    corners = np.array([[box[0], box[1], 1], [box[2], box[3], 1]]) @ there.T
    middle = corners.mean(axis=0)
    np.testing.assert_allclose(middle, (144, 192))
    share = (corners[1] - corners[0]) / (288, 384)
    np.testing.assert_allclose(share.max(), 1 / 1.25)
    assert there[0, 0] == there[1, 1]  # nobody is stretched


def test_axes_are_read_joint_by_joint() -> None:
    draw = np.random.default_rng(3)
    across, down = (
        draw.normal(size=(JOINTS, 576)).astype(np.float32),
        draw.normal(size=(JOINTS, 768)).astype(np.float32),
    )
    across[7] = -1.0  # one that is seen nowhere
    there = np.array([[0.5, 0, 30.0], [0, 0.5, -8.0]])
    found = joints_of(across, down, there)
    for k in range(JOINTS):
        i = max(range(576), key=lambda at: across[k, at])
        j = max(range(768), key=lambda at: down[k, at])
        np.testing.assert_allclose(found[k, :2], ((i / 2 - 30) / 0.5, (j / 2 + 8) / 0.5), rtol=1e-6)
        assert found[k, 2] == max(0.0, min(across[k, i], down[k, j]))
    assert found[7, 2] == 0


def test_whole_bodies_become_openpose_s() -> None:
    joints = np.column_stack([np.arange(JOINTS), np.arange(JOINTS) + 0.25, np.full(JOINTS, 0.9)]).astype(np.float32)
    person = person_of(joints, (200, 200), visible=0.3)
    assert person is not None
    coco = "nose,left eye,right eye,left ear,right ear,left shoulder,right shoulder,left elbow,right elbow,left wrist"
    coco += ",right wrist,left hip,right hip,left knee,right knee,left ankle,right ankle"
    openpose = (
        "nose,neck,right shoulder,right elbow,right wrist,left shoulder,left elbow,left wrist,right hip,right knee"
    )
    openpose += ",right ankle,left hip,left knee,left ankle,right eye,left eye,right ear,left ear"
    for place, name in enumerate(openpose.split(",")):
        expected = 5.5 if name == "neck" else coco.split(",").index(name)
        assert person.body[place, 0] == expected, name
    assert person.face is not None
    assert person.left_hand is not None
    assert person.right_hand is not None
    np.testing.assert_array_equal(person.face[:68, 0], np.arange(23, 91))
    np.testing.assert_array_equal(person.left_hand[:, 0], np.arange(91, 112))
    np.testing.assert_array_equal(person.right_hand[:, 0], np.arange(112, 133))
    assert len(person.face) == PARTS["face"]

    joints[6, 2] = 0.2  # a shoulder that is not seen: no neck either
    joints[91:112, 2] = 0.1
    joints[0, 0] = -9  # outside
    person = person_of(joints, (200, 200), visible=0.3)
    assert person is not None
    assert person.left_hand is None
    assert not person.body[[0, 1, 2], 2].any()
    assert person.body[3:, 2].all()
    assert person_of(joints * np.array([1, 1, 0], np.float32), (200, 200), visible=0.3) is None


def test_the_letterbox_is_grey_beside_the_picture() -> None:
    shown, scale = letterboxed(np.full((90, 160, 3), 9, np.uint8), (640, 640))
    assert scale == 4
    assert (shown[:360] == 9).all()
    assert (shown[360:] == 114).all()


def test_what_is_none_of_its_networks_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / DETECTOR).write_bytes(b"no network")
    (tmp_path / POSE_NETWORK).write_bytes((folder / POSE_NETWORK).read_bytes())
    with pytest.raises(ControlError, match="is no network that onnxruntime can run") as caught:
        detector(tmp_path)
    assert "\n" not in str(caught.value)
    (tmp_path / DETECTOR).write_bytes((folder / POSE_NETWORK).read_bytes())
    with pytest.raises(ControlError, match=f"{DETECTOR}' is none of DWPose's networks"):
        detector(tmp_path)
    with pytest.raises(ControlError, match="no device 'tpu' here"):
        detector(folder, device="tpu")
    with pytest.raises(InterpError, match="pose-dwpose takes confidence and visible"):
        detector(folder, visible=2)
    with pytest.raises(ControlError, match="is no YOLOX network"):
        boxes_of(np.zeros((7, 85), np.float32), (640, 640), 1.0, least=0.3)
