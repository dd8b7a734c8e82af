from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import moving_frames, write_clip
from scenes import texture

from interp.propagate.along_motion import AlongMotionFiller
from interp.propagate.hold import HoldFiller
from interp.types import Gap, Propagated
from restyle.errors import FootageError, PainterError
from restyle.footage import open_footage
from restyle.job.paintings import MemoryPaintings
from restyle.painters.base import Capabilities, PaintRequest
from restyle.painters.identity import IdentityPainter
from restyle.progress import Meter
from restyle.render.engine import Engine
from restyle.render.protocols import Look, Rendered, RenderParts
from restyle.render.reading import WindowFrames, WindowReader
from restyle.render.regions import RegionRules
from restyle.render.window import seed_of
from restyle.types import Carry, Keyframe, Window


def lossless(path: Path, frames: list[np.ndarray]) -> Path:
    return write_clip(path, frames, codec="ffv1", pixel_format="bgr0")


def window(start: int, stop: int, keys: list[int], index: int = 0) -> Window:
    return Window(0, index, start, stop, tuple(Keyframe(key, "pinned") for key in keys))


def render(path: Path, windows: list[Window], **options: Any) -> list[Rendered]:
    look = {
        name: options.pop(name)
        for name in list(options)
        if name in ("painter", "mix", "keep_colour", "seed", "storyboard")
    }
    settings: dict[str, Any] = {"filler": HoldFiller(), "repair": None} | options
    settings.setdefault("looks", [Look(**{"painter": IdentityPainter()} | look)])
    made: list[Rendered] = []
    with open_footage(path) as footage:
        pts = [frame.pts for frame in footage.frames()]
        engine = Engine(footage, RenderParts(**settings), pts=pts)
        for _, frames in engine.render(windows, MemoryPaintings(), Meter()):
            made.extend(frames)
    return made


class Recorder(IdentityPainter):
    """Paints frame n in the grey of n, and remembers what it was asked for."""

    capabilities = Capabilities()

    def __init__(self) -> None:
        self.asked: list[PaintRequest] = []
        self.carries: list[Carry | None] = []

    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        self.asked.append(request)
        self.carries.append(carry)
        made = [
            request.fixed.get(place, np.full_like(picture, 2 * number))
            for place, (number, picture) in enumerate(zip(request.frames, request.pictures, strict=True))
        ]
        return made, Carry(facts={"last": request.frames[-1]})


def greys(made: list[Rendered]) -> list[int]:
    return [int(r.result.picture[0, 0, 0]) for r in made if not r.boundary]


def test_windows_share_their_keyframe_and_hand_on_the_carry(tmp_path: Path) -> None:
    path = lossless(tmp_path / "a.mkv", moving_frames(12, (32, 24)))
    painter = Recorder()
    made = render(path, [window(0, 6, [0, 3, 6]), window(6, 12, [6, 10], 1)], painter=painter)
    assert [r.result.index for r in made if not r.boundary] == list(range(12))
    assert [r.result.index for r in made if r.boundary] == [6]
    assert [request.frames for request in painter.asked] == [(0, 3, 6), (6, 10)]
    assert painter.carries[0] is None
    assert painter.carries[1] == Carry(facts={"last": 6})
    assert np.array_equal(painter.asked[1].fixed[0], np.full((24, 32, 3), 12, np.uint8))
    assert greys(made) == [0, 0, 6, 6, 6, 12, 12, 12, 12, 20, 20, 20]
    assert [r.key.frame for r in made if r.key is not None and not r.boundary] == [0, 3, 6, 10]


def test_windows_of_every_frame_share_some(tmp_path: Path) -> None:
    """What the window before painted of the frames that both have is handed on, and each frame comes out once."""
    path = lossless(tmp_path / "a.mkv", moving_frames(13, (32, 24)))
    painter = Recorder()
    windows = [window(0, 4, [*range(7)]), window(4, 8, [*range(4, 11)], 1), window(8, 13, [*range(8, 13)], 2)]
    made = render(path, windows, painter=painter)
    assert [r.result.index for r in made if not r.boundary] == list(range(13))
    assert [r.result.index for r in made if r.boundary] == [4, 8]
    assert greys(made) == [2 * n for n in range(13)]
    assert [sorted(request.fixed) for request in painter.asked] == [[], [0, 1, 2], [0, 1, 2]]
    assert [int(painter.asked[2].fixed[place][0, 0, 0]) for place in range(3)] == [16, 18, 20]


def test_keyframes_at_every_place_of_a_window(tmp_path: Path) -> None:
    path = lossless(tmp_path / "a.mkv", moving_frames(6, (32, 24)))
    for keys in ([0], [5], [3], [0, 5], [1, 4], [0, 1, 2, 3, 4, 5]):
        made = render(path, [window(0, 6, keys)], painter=Recorder())
        assert [r.result.index for r in made] == list(range(6))
        wanted = [2 * min(keys, key=lambda key: (abs(key - n), key)) for n in range(6)]
        assert greys(made) == wanted, keys


def test_a_single_frame(tmp_path: Path) -> None:
    frames = moving_frames(1, (32, 24))
    made = render(lossless(tmp_path / "a.mkv", frames), [window(0, 1, [0])])
    assert [np.array_equal(r.result.picture, frames[0]) for r in made] == [True]


def test_windows_in_the_middle_alone(tmp_path: Path) -> None:
    """As when the others were finished by an earlier run: reading begins at the window."""
    frames = moving_frames(20, (32, 24))
    path = lossless(tmp_path / "a.mkv", frames)
    made = render(path, [window(4, 8, [4, 7]), Window(1, 0, 15, 20, (Keyframe(15, "pinned"),))])
    assert [r.result.index for r in made] == [4, 5, 6, 7, 15, 16, 17, 18, 19]
    assert all(np.array_equal(r.source.picture, frames[r.source.index]) for r in made)


def test_pictures_painted_by_hand_reach_the_painter(tmp_path: Path) -> None:
    path = lossless(tmp_path / "a.mkv", moving_frames(6, (32, 24)))
    hand = texture(24, 32, 9)
    made = render(path, [window(0, 6, [0, 3])], painter=Recorder(), storyboard={3: hand})
    assert np.array_equal(made[3].result.picture, hand)
    assert np.array_equal(made[2].result.picture, hand)


def test_a_frame_that_nobody_explains_is_painted(tmp_path: Path) -> None:
    frames = moving_frames(9, (96, 64), shift=(1, 0))
    frames[4] = texture(64, 96, 77)
    path = lossless(tmp_path / "a.mkv", frames)
    windows = [window(0, 9, [0, 8])]
    made = render(path, windows, filler=AlongMotionFiller(), repair=RegionRules())
    assert made[4].key is not None
    assert made[4].key.reason == "repair"
    assert np.array_equal(made[4].result.picture, frames[4])
    assert [r.result.index for r in made] == list(range(9))
    assert made[4].coverage == 1
    left_alone = render(path, windows, filler=AlongMotionFiller(), repair=None)
    assert left_alone[4].key is None
    assert not np.array_equal(left_alone[4].result.picture, frames[4])


def test_a_painter_that_fails_is_named_with_its_frames(tmp_path: Path) -> None:
    class Broken(IdentityPainter):
        name = "broken"

        def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
            raise ZeroDivisionError("no paint left")

    path = lossless(tmp_path / "a.mkv", moving_frames(4, (32, 24)))
    with pytest.raises(PainterError, match=r"painter 'broken' failed on frames 0 to 2: no paint left"):
        render(path, [window(0, 4, [0, 2])], painter=Broken())


def test_footage_that_shrinks_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = lossless(tmp_path / "a.mkv", moving_frames(4, (32, 24)))
    with pytest.raises(FootageError, match=r"a\.mkv"):
        render(path, [window(0, 9, [0])])


def test_mix_and_colour_are_composited_frame_by_frame(tmp_path: Path) -> None:
    frames = moving_frames(4, (32, 24))
    path = lossless(tmp_path / "a.mkv", frames)
    made = render(path, [window(0, 4, [0])], painter=Recorder(), mix=0.5)
    assert all(np.abs(r.result.picture.astype(int) - frames[n] // 2).max() <= 1 for n, r in enumerate(made))
    same = render(path, [window(0, 4, [0])], painter=Recorder(), mix=0)
    assert all(np.array_equal(r.result.picture, frames[n]) for n, r in enumerate(same))


def test_seeds_differ_between_frames_and_jobs_and_stay_the_same() -> None:
    seeds = {seed_of(job, frame) for job in range(20) for frame in range(50)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seed_of(3, 14) == 6823212701118056151


def test_closing_early_stops_the_threads(tmp_path: Path) -> None:
    import threading

    path = lossless(tmp_path / "a.mkv", moving_frames(30, (32, 24)))
    with open_footage(path) as footage:
        pts = [frame.pts for frame in footage.frames()]
        engine = Engine(footage, RenderParts(looks=[Look(IdentityPainter())], filler=HoldFiller()), pts=pts)
        rendering = engine.render([window(0, 10, [0, 10]), window(10, 30, [10], 1)], MemoryPaintings(), Meter())
        _, frames = next(rendering)
        next(frames)
        rendering.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("restyle-")]


class Unsure(HoldFiller):
    """Explains as much of each picture as it is told."""

    def __init__(self, coverage: float) -> None:
        self.coverage = coverage

    def propagate(self, gap: Gap) -> Iterator[Propagated]:
        for one in super().propagate(gap):
            yield Propagated(one.picture, self.coverage)


def test_how_much_is_explained_is_told_and_too_little_is_painted(tmp_path: Path) -> None:
    path = lossless(tmp_path / "a.mkv", moving_frames(5, (32, 24)))
    shot = [window(0, 5, [0, 4])]
    enough = render(path, shot, filler=Unsure(0.36), repair=RegionRules())
    assert [made.coverage for made in enough] == [1.0, 0.36, 0.36, 0.36, 1.0]
    assert [made.key is not None for made in enough] == [True, False, False, False, True]
    lacking = render(path, shot, filler=Unsure(0.34), repair=RegionRules())
    assert [made.coverage for made in lacking] == [1.0] * 5
    assert [made.key.reason for made in lacking if made.key] == ["pinned", "repair", "repair", "repair", "pinned"]


def test_a_windows_frames_are_let_go_before_the_next_ones_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lossless(tmp_path / "a.mkv", moving_frames(12, (32, 24)))
    read, alive = WindowReader.read, []
    before: list[weakref.ref[WindowFrames]] = []

    def watched(self: WindowReader, window: Window, meter: Meter) -> WindowFrames:
        alive.append([ref() is not None for ref in before])
        frames = read(self, window, meter)
        before.append(weakref.ref(frames))
        return frames

    monkeypatch.setattr(WindowReader, "read", watched)
    render(path, [window(0, 4, [0, 4]), window(4, 8, [4, 8], 1), window(8, 12, [8, 11], 2)])
    assert alive == [[], [False], [False, False]]
