"""Places painted by themselves: what a painting of that frame alone would be there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, write_clip

from interp.pixels.boxes import part_of
from interp.propagate.hold import HoldFiller
from restyle.errors import FootageError
from restyle.footage import open_footage
from restyle.job.paintings import MemoryPaintings
from restyle.painters.base import Painter
from restyle.painters.identity import IdentityPainter
from restyle.painters.neural_style.painter import NeuralStylePainter
from restyle.progress import Meter
from restyle.render.alone import Place
from restyle.render.engine import Engine
from restyle.render.protocols import Look, RenderParts
from restyle.types import Keyframe, Window

SIZE = (128, 96)
BOX = (40, 20, 80, 60)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mkv", moving_frames(24, SIZE), codec="ffv1", pixel_format="bgr0")


class Crops:
    """The painter sees the same part of every frame."""

    def of(self, frame: int) -> tuple[int, int, int, int]:
        return (32, 16, 96, 64)


def alone(clip: Path, places: list[Place], painter: Painter, *, crops: bool = False, **look) -> list[np.ndarray]:
    with open_footage(clip) as footage:
        pts = [frame.pts for frame in footage.frames()]
        parts = RenderParts([Look(painter, **look)], HoldFiller(), framing=Crops() if crops else None)
        return list(Engine(footage, parts, pts=pts).paint_alone(places, Meter()))


def whole_paintings(clip: Path, numbers: list[int], painter: Painter, **look) -> dict[int, np.ndarray]:
    """Frames painted, each by itself."""
    made = {}
    with open_footage(clip) as footage:
        pts = [frame.pts for frame in footage.frames()]
        engine = Engine(footage, RenderParts([Look(painter, **look)], HoldFiller()), pts=pts)
        for number in numbers:
            window = Window(0, 0, number, number + 1, (Keyframe(number, "pinned"),))
            for _, frames in engine.render([window], MemoryPaintings(), Meter()):
                made |= {frame.result.index: frame.result.picture for frame in frames}
    return made


def test_a_region_is_that_part_of_the_frames_own_painting(clip: Path) -> None:
    painter = NeuralStylePainter("mosaic")
    places = [Place(0, 3, 3, BOX), Place(0, 20, 20, (0, 0, 48, 48)), Place(0, 5, 5, BOX)]
    made = alone(clip, places, painter, mix=0.8)
    wanted = whole_paintings(clip, [3, 5, 20], painter, mix=0.8)
    for place, picture in zip(places, made, strict=True):
        truth = wanted[place.frame][part_of(place.box)].astype(int)
        assert picture.shape == truth.shape
        assert np.abs(picture - truth).mean() < 1.5, place
        assert (
            np.abs(picture - wanted[place.frame][part_of((8, 8, 8 + truth.shape[1], 8 + truth.shape[0]))]).mean() > 10
        )


def test_the_keyframe_sets_the_colours(clip: Path) -> None:
    painter = NeuralStylePainter("mosaic")
    own, other = alone(clip, [Place(0, 12, 12, BOX), Place(0, 12, 0, BOX)], painter)
    assert not np.array_equal(own, other)
    assert np.abs(own.astype(int) - other).mean() < 40


def test_painters_without_regions_paint_the_whole_frame(clip: Path) -> None:
    (made,) = alone(clip, [Place(0, 7, 0, BOX)], IdentityPainter())
    assert np.array_equal(made, moving_frames(24, SIZE)[7][part_of(BOX)])


@pytest.mark.parametrize("painter", [IdentityPainter(), NeuralStylePainter("mosaic")], ids=["whole", "region"])
def test_outside_of_the_part_that_is_painted_lies_the_footage(clip: Path, painter: Painter) -> None:
    straddling = (16, 0, 56, 40)  # the painter sees from (32, 16) on
    beside = (0, 70, 20, 90)
    made, away = alone(clip, [Place(0, 7, 6, straddling), Place(0, 9, 6, beside)], painter, crops=True)
    frames = moving_frames(24, SIZE)
    assert np.array_equal(made[:16], frames[7][part_of(straddling)][:16])
    assert np.array_equal(made[:, :16], frames[7][part_of(straddling)][:, :16])
    assert np.array_equal(away, frames[9][part_of(beside)])
    inside = np.abs(made[16:, 16:].astype(int) - frames[7][part_of(straddling)][16:, 16:]).mean()
    assert (inside > 5) == isinstance(painter, NeuralStylePainter)


def test_a_frame_that_is_gone_is_told(clip: Path) -> None:
    with pytest.raises(FootageError, match="frame 99 is gone"):
        alone(clip, [Place(0, 99, 99, BOX)], IdentityPainter())
