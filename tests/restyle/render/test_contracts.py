"""Parts that give something else than agreed are named, in one line, where it comes in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import moving_frames, write_clip

import restyle
from controls.maps.canny import Canny
from controls.masks.flowcut.masker import FlowCutMasker
from controls.types import ControlMap, Masked
from interp.errors import InterpError
from interp.flow import checked_flow
from interp.interpolate.still import Hold
from interp.propagate.hold import HoldFiller
from interp.types import Gap, Propagated
from restyle import PainterError, PartError
from restyle.painters.base import PaintRequest
from restyle.painters.identity import IdentityPainter
from restyle.render.contracts import (
    checked_interpolation,
    checked_map,
    checked_mattes,
    checked_paintings,
    checked_propagation,
)
from restyle.types import Carry

HEIGHT, WIDTH = SHAPE = 24, 32
PICTURES = tuple(moving_frames(4, (WIDTH, HEIGHT)))
GOOD = list(PICTURES)


class Still:
    """No motion (``interp.types.Tracker``)."""

    def motion(self, here: int, there: int) -> Any:
        raise NotImplementedError


WORK = PaintRequest(0, (5, 6, 7, 8), PICTURES, (0,) * 4, Still(), (0, 1, 2, 3))


class Painter(IdentityPainter):
    name = "odd"

    def __init__(self, made: Any) -> None:
        self.made = made

    def paint(self, request: PaintRequest, carry: Carry | None) -> Any:
        if isinstance(self.made, Exception):
            raise self.made
        return self.made


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (GOOD, "painter 'odd' gave 4 things, not paintings and a carry"),
        ((GOOD, None), "not paintings and a carry"),
        ((GOOD[1:], Carry()), "gave 3 things for 4 keyframes"),
        (([*GOOD[:3], GOOD[3][:-1]], Carry()), r"painted frame 8 as 23 x 32 x 3 of uint8, where 24 x 32 x 3 of uint8"),
        (([*GOOD[:3], GOOD[3] / np.float32(255)], Carry()), "frame 8 as 24 x 32 x 3 of float32"),
        (([GOOD[0][..., 0], *GOOD[1:]], Carry()), "frame 5 as 24 x 32 of uint8"),
        ((["a", *GOOD[1:]], Carry()), "frame 5 as a str"),
        ((GOOD, Carry({"latents": [1, 2]})), "hands on what cannot be stored"),  # type: ignore[dict-item]
        ((GOOD, Carry({"latents": np.array([None])})), "hands on what cannot be stored"),
        ((GOOD, Carry(facts={"seed": np.int64(1)})), "hands on what cannot be stored"),
        (ZeroDivisionError("no paint"), "painter 'odd' failed on frames 5 to 8: no paint"),
    ],
)
def test_painters(made: Any, said: str) -> None:
    with pytest.raises(PainterError, match=said):
        checked_paintings(Painter(made), WORK, None)


def test_a_good_painting_comes_as_it_is_and_in_one_piece() -> None:
    mirrored = [picture[:, ::-1] for picture in PICTURES]
    paintings, carry = checked_paintings(Painter((tuple(mirrored), Carry(facts={"a": 1}))), WORK, None)
    assert carry.facts == {"a": 1}
    for painting, wanted in zip(paintings, mirrored, strict=True):
        assert painting.flags.c_contiguous
        assert np.array_equal(painting, wanted)


class Filler:
    name = "odd"

    def __init__(self, *made: Any) -> None:
        self.made = made

    def propagate(self, gap: Gap) -> Iterator[Any]:
        for one in self.made:
            if isinstance(one, Exception):
                raise one
            yield one


GAP = Gap(PICTURES, 0, Still(), PICTURES[0], PICTURES[3])
ONE = Propagated(PICTURES[1], 1.0)


@pytest.mark.parametrize(
    ("filler", "said"),
    [
        (Filler(ONE), "filler 'odd' gave 1 in-betweens for 2 frames"),
        (Filler(ONE, ONE, ONE), "gave more in-betweens than the 2"),
        (Filler(ONE, PICTURES[1]), "gave 24 x 32 x 3 of uint8, not an in-between"),
        (Filler(ONE, Propagated(PICTURES[1], float("nan"))), "not an in-between with a coverage"),
        (Filler(Propagated(PICTURES[1].astype(np.uint16), 1.0)), "24 x 32 x 3 of uint16, where 24 x 32 x 3 of uint8"),
        (Filler(ONE, KeyError("lost")), "filler 'odd' failed: 'lost'"),
    ],
)
def test_fillers(filler: Filler, said: str) -> None:
    with pytest.raises(PartError, match=said):
        list(checked_propagation(filler, GAP))
    assert [place for place, _ in checked_propagation(HoldFiller(), GAP)] == [1, 2]


class Interpolator:
    name = "odd"

    def __init__(self, *made: Any) -> None:
        self.made = made

    def interpolate(self, a: np.ndarray, b: np.ndarray, times: Sequence[float]) -> Iterator[Any]:
        yield from self.made


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ((PICTURES[0],), "interpolator 'odd' gave 1 pictures for 2 times"),
        ((PICTURES[0], PICTURES[0][:-2]), "drew a picture that is 22 x 32 x 3 of uint8"),
    ],
)
def test_interpolators(made: Any, said: str) -> None:
    with pytest.raises(PartError, match=said):
        list(checked_interpolation(Interpolator(*made), PICTURES[0], PICTURES[1], (0.3, 0.6)))
    assert len(list(checked_interpolation(Hold(), PICTURES[0], PICTURES[1], (0.3, 0.6)))) == 2


MATTE = np.zeros(SHAPE, np.float32)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([Masked(0, {"car": MATTE})], "masker 'odd' gave nothing for frame 1 of a shot of 2"),
        ([Masked(0, {}), Masked(0, {})], "gave frame 0 of a shot of 2 twice"),
        ([Masked(2, {})], "gave frame 2 of a shot of 2 twice, or beyond its end"),
        ([Masked(0, {"bus": MATTE})], "a matte of 'bus', which it was not asked for"),
        ([Masked(0, {"car": MATTE > 0})], "24 x 32 of bool, where 24 x 32 of float32"),
        ([Masked(0, {"car": MATTE[1:]})], "23 x 32 of float32"),
        ([Masked(0, {"car": MATTE + 255})], "values outside of 0 to 1"),
        ([Masked(0, {"car": MATTE + np.float32("nan")})], "values outside of 0 to 1"),
        ([{"car": MATTE}], "gave a dict"),
    ],
)
def test_maskers(found: Any, said: str) -> None:
    with pytest.raises(PartError, match=said):
        list(checked_mattes("odd", found, ["car"], (WIDTH, HEIGHT), 2))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (PICTURES[0], "control map 'canny' gave 24 x 32 x 3 of uint8, not a map"),
        (ControlMap("canny", PICTURES[0][1:]), "gave a map that is 23 x 32 x 3 of uint8"),
        (ControlMap("canny", PICTURES[0], np.zeros((2, 2), np.float32)), "gave values that are 2 x 2"),
    ],
)
def test_detectors(made: Any, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Canny, "detect", lambda self, picture: made)
    with pytest.raises(PartError, match=said):
        checked_map(Canny(), PICTURES[0])


def test_flow_estimators() -> None:
    class Odd:
        name = "odd"

        def estimate(self, here: np.ndarray, there: np.ndarray) -> np.ndarray:
            return np.zeros(here.shape, np.float32)

    with pytest.raises(InterpError, match=r"flow estimator 'odd' gave \(24, 32\) of float32, where \(24, 32, 2\)"):
        checked_flow(Odd(), MATTE, MATTE)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mkv", moving_frames(5, (64, 48)), codec="ffv1", pixel_format="bgr0")


def test_jobs_look_at_what_parts_give(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each seam, in a whole job."""
    options: dict[str, Any] = {"painter": "identity", "filler": "hold", "keyframes": "every:4", "report": False}
    options["objects"] = ["car=box:10,10,40,40@0"]
    monkeypatch.setattr(FlowCutMasker, "follow", lambda self, pictures, prompts: iter([]))
    with pytest.raises(PartError, match="masker 'flowcut' gave nothing for frame 0"):
        restyle.restyle(clip, tmp_path / "a.mkv", **options, masker="flowcut")
    monkeypatch.undo()
    del options["objects"]
    monkeypatch.setattr(HoldFiller, "propagate", lambda self, gap: iter([]))
    with pytest.raises(PartError, match="filler 'hold' gave 0 in-betweens"):
        restyle.restyle(clip, tmp_path / "b.mkv", **options)
    monkeypatch.setattr(IdentityPainter, "paint", lambda self, request, carry: ([], Carry()))
    with pytest.raises(PainterError, match="painter 'identity' gave 0 things for 2 keyframes"):
        restyle.restyle(clip, tmp_path / "c.mkv", **options)
    monkeypatch.setattr(Canny, "detect", lambda self, picture: picture)
    with pytest.raises(PartError, match="control map 'canny' gave 48 x 64 x 3"):
        restyle.Job(clip).control_maps(tmp_path / "maps", ["canny"])
    monkeypatch.setattr(Hold, "interpolate", lambda self, a, b, times: iter([]))
    with pytest.raises(PartError, match="interpolator 'hold' gave 0 pictures"):
        restyle.retime(clip, tmp_path / "d.mkv", fps=48, by="hold")
