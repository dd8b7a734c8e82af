"""One contract for every painter, and what is promised of ``neural-style``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from paint_requests import request_of
from scenes import moving_scene, texture

from restyle.errors import PartError
from restyle.painters import PAINTERS as PAINTER_TABLE
from restyle.painters.base import Capabilities, Painter, PaintRequest, RegionRequest, check_painter
from restyle.painters.edit.painter import EditPainter
from restyle.painters.identity import IdentityPainter
from restyle.painters.neural_style.painter import NeuralStylePainter
from restyle.painters.video.painter import VideoPainter
from restyle.registry import make_painter
from restyle.types import Carry

TINY: dict[str, str] = {}  # models' folders, while tests run


@pytest.fixture(autouse=True, scope="module")
def tiny_editor(tiny: Callable[[str], str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        torch = pytest.importorskip("torch")
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        patch.setitem(TINY, "klein", tiny("klein"))
        patch.setitem(TINY, "vace", tiny("vace"))
        yield
        torch.set_num_threads(threads)


PAINTERS: dict[str, Callable[[], Painter]] = {
    "edit": lambda: EditPainter(model=TINY["klein"], steps=1, resolution=64),
    "identity": IdentityPainter,
    "video": lambda: VideoPainter(model=TINY["vace"], steps=1, resolution=64),
    "neural-style": lambda: NeuralStylePainter("mosaic", threads=1),
}
each = pytest.mark.parametrize("name", list(PAINTERS))


@each
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_one_painting_for_each_keyframe_in_its_own_depth(name: str, dtype: type) -> None:
    frames = [
        frame.astype(dtype) * {np.uint8: 1, np.uint16: 257}.get(dtype, 1)
        for frame in moving_scene(5, size=(64, 48)).frames
    ]
    if dtype is np.float32:
        frames = [frame / np.float32(255) for frame in frames]
    frames = [frame.astype(dtype) for frame in frames]
    paintings, carry = PAINTERS[name]().paint(request_of(frames, [0, 2, 4]), None)
    assert isinstance(carry, Carry)
    assert [p.shape for p in paintings] == [(48, 64, 3)] * 3
    assert all(p.dtype == dtype and p.flags.c_contiguous for p in paintings)


@each
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (31, 33), (2, 90), (66, 50)])
def test_any_size(name: str, size: tuple[int, int]) -> None:
    frames = moving_scene(2, size=size, pan=(0, 0), disc=0).frames
    paintings, _ = PAINTERS[name]().paint(request_of(frames, [0, 1]), None)
    assert [p.shape for p in paintings] == [frames[0].shape] * 2


@each
def test_given_paintings_are_returned_as_they_are(name: str) -> None:
    frames = moving_scene(3, size=(64, 48)).frames
    hand = texture(48, 64, 5)
    paintings, _ = PAINTERS[name]().paint(request_of(frames, [0, 1, 2], {1: hand}), None)
    assert np.array_equal(paintings[1], hand)
    assert not np.shares_memory(paintings[1], hand)


@each
def test_the_same_bytes_twice(name: str) -> None:
    frames = moving_scene(3, size=(64, 48)).frames
    one, two = (PAINTERS[name]().paint(request_of(frames, [0, 2]), None)[0] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("name", [name for name in PAINTERS if name != "video"])  # its windows are made as a whole
@pytest.mark.parametrize("split", [1, 2, 3])
def test_a_shot_painted_in_two_windows_is_the_shot_painted_in_one(name: str, split: int) -> None:
    frames = moving_scene(9, size=(64, 48)).frames
    places = [0, 2, 4, 6, 8]
    whole, _ = PAINTERS[name]().paint(request_of(frames, places), None)
    head, carry = PAINTERS[name]().paint(request_of(frames, places[: split + 1]), None)
    rest = [place - places[split] for place in places[split:]]
    tail, _ = PAINTERS[name]().paint(
        request_of(frames[places[split] :], rest, {0: head[-1]}, first=places[split]), carry
    )
    assert all(np.array_equal(a, b) for a, b in zip(whole, head + tail[1:], strict=True))


@each
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("size", [(160, 120), (97, 61), (3, 2)])
def test_it_paints_regions_if_it_says_so(name: str, size: tuple[int, int], dtype: type) -> None:
    picture = texture(size[1], size[0], 3).astype(dtype)
    white = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[dtype]
    picture = (picture * white).astype(dtype)
    box = (size[0] // 3, size[1] // 2, size[0], size[1])
    request = RegionRequest(picture, box, picture)
    painter = PAINTERS[name]()
    if not painter.capabilities.paints_regions:
        with pytest.raises(NotImplementedError, match=f"painter '{name}' paints no regions"):
            painter.paint_region(request)
        return
    before = picture.copy()
    made = painter.paint_region(request)
    whole = painter.paint(request_of([picture], [0]), None)[0][0][box[1] : box[3], box[0] : box[2]]
    assert (made.shape, made.dtype) == (whole.shape, picture.dtype)
    assert made.flags.c_contiguous
    assert np.abs(made.astype(np.float64) - whole).max() <= white
    assert np.array_equal(PAINTERS[name]().paint_region(request), made)
    assert np.array_equal(before, picture)


@pytest.mark.parametrize(
    ("box", "keyframe"),
    [
        ((0, 0, 0, 4), (8, 10, 3)),
        ((-1, 0, 4, 4), (8, 10, 3)),
        ((0, 0, 11, 4), (8, 10, 3)),
        ((0, 5, 4, 4), (8, 10, 3)),
        ((0, 0, 4, 4), (8, 9, 3)),
    ],
)
def test_regions_that_cannot_be(box: tuple[int, int, int, int], keyframe: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a region"):
        RegionRequest(np.zeros((8, 10, 3), np.uint8), box, np.zeros(keyframe, np.uint8))
    with pytest.raises(ValueError, match="shape and dtype"):
        RegionRequest(np.zeros((8, 10, 3), np.uint8), (0, 0, 4, 4), np.zeros((8, 10, 3), np.uint16))


def test_who_declares_regions_paints_them() -> None:
    class Boastful(IdentityPainter):
        capabilities = Capabilities(paints_regions=True)

    with pytest.raises(PartError, match="painter 'mine' declares that it paints regions, and has no paint_region"):
        check_painter(Boastful(), "mine")


@each
def test_it_declares_its_capabilities(name: str) -> None:
    painter = PAINTERS[name]()
    assert isinstance(painter.capabilities, Capabilities)
    assert painter.capabilities == painter.capabilities, "they do not change"
    assert all(isinstance(note, str) for note in painter.notes)
    assert make_painter(name, {}).capabilities == painter.capabilities
    painter.close()


def test_a_painter_that_declares_nothing_has_the_defaults() -> None:
    class Plain(Painter):
        name = "plain"

        @property
        def identity(self) -> dict[str, Any]:
            return {}

        def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
            return list(request.pictures), Carry()

    plain = check_painter(Plain(), "plain")
    assert (plain.capabilities, plain.notes) == (Capabilities(), ())
    assert (Capabilities().chain, Capabilities().reads_prompts, Capabilities().controls) == ("keys", False, ())
    plain.close()


def test_what_is_no_painter_is_told_with_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    class Half:
        name, notes, identity = "half", (), {}  # type: ignore[var-annotated]

    monkeypatch.setitem(PAINTER_TABLE.own, "half", "half:Half")
    monkeypatch.setitem(sys.modules, "half", SimpleNamespace(Half=Half))  # type: ignore[arg-type]
    with pytest.raises(PartError, match="painter 'half' has no capabilities, memory, paint, close: derive it from"):
        make_painter("half", {})
    Half.capabilities, Half.memory, Half.paint, Half.close = {"chain": "ends"}, print, print, print  # type: ignore[attr-defined]
    with pytest.raises(PartError, match="declares a dict as its capabilities"):
        make_painter("half", {})


@pytest.mark.parametrize(
    "wrong", [{"cost": -1.0}, {"cost": float("nan")}, {"controls": "canny"}, {"controls": (1,)}, {"chain": "middle"}]
)
def test_capabilities_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"painter|controls"):
        Capabilities(**wrong)


@each
def test_identity_is_json(name: str) -> None:
    painter = PAINTERS[name]()
    assert json.loads(json.dumps(dict(painter.identity))) == dict(painter.identity)
