"""Control maps of keyframes out of the job folder: whatever is asked first, and of whichever frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, write_clip

from controls.maps import DETECTORS
from controls.maps.base import Detector
from restyle.footage import Footage, open_footage, timing
from restyle.job.inputs import Inputs
from restyle.job.keyframe_maps import KeyframeMaps, PlannedFootage
from restyle.job.store import JobStore
from restyle.recipe import Control
from restyle.types import Frame, Keyframe, Shot

SIZE = (96, 64)
KEYS = (0, 6, 12, 18, 24, 30, 36)


@pytest.fixture
def footage(tmp_path: Path) -> Footage:
    frames = moving_frames(48, SIZE, cuts=(30,))
    return open_footage(write_clip(tmp_path / "in.mkv", frames, codec="ffv1", pixel_format="bgr0", rate=24))


def maps(
    footage: Footage, store: JobStore, keys: Sequence[int] = KEYS, drawn: Sequence[int] = (), kind: str = "canny"
) -> KeyframeMaps:
    return KeyframeMaps(
        [Control(kind=kind)],
        PlannedFootage(
            footage,
            "footage",
            timing(footage.spec.path),
            (Shot(0, 0, 30), Shot(1, 30, 48)),
            [Keyframe(key, "every", Path("by-hand.png") if key in drawn else None) for key in keys],
        ),
        store,
        Inputs(),
        offline=True,
    )


def found(made: KeyframeMaps, footage: Footage, frames: Sequence[int]) -> dict[int, np.ndarray]:
    pictures: dict[int, Frame] = {frame.index: frame for frame in footage.frames()}
    return {frame: made.of("canny", pictures[frame]).picture for frame in frames}


def test_the_order_of_asking_does_not_matter(footage: Footage, tmp_path: Path) -> None:
    with JobStore(tmp_path / "a") as store:
        ascending = found(maps(footage, store), footage, KEYS)
    with JobStore(tmp_path / "b") as store:
        other = found(maps(footage, store), footage, [36, 18, 0, 30, 24, 6, 12])
    detector = DETECTORS.make("canny")
    assert isinstance(detector, Detector)
    raw = {frame.index: detector.detect(frame.picture).picture for frame in footage.frames()}
    for key in KEYS:
        assert np.array_equal(ascending[key], other[key])
    assert any(not np.array_equal(ascending[key], raw[key]) for key in KEYS)


@pytest.mark.parametrize("stopped", [0, 2, 3])
def test_a_job_gone_on_with_ends_alike(footage: Footage, tmp_path: Path, stopped: int) -> None:
    with JobStore(tmp_path / "whole") as store:
        whole = found(maps(footage, store), footage, KEYS)
    with JobStore(tmp_path / "parts") as store:
        found(maps(footage, store), footage, KEYS[:stopped])
    with JobStore(tmp_path / "parts") as store:
        rest = found(maps(footage, store), footage, KEYS[stopped:])
    assert all(np.array_equal(rest[key], whole[key]) for key in rest)


def test_a_frame_that_is_no_keyframe_has_a_map_too(footage: Footage, tmp_path: Path) -> None:
    with JobStore(tmp_path / "a") as store:
        made = maps(footage, store)
        between = found(made, footage, [9, 47])
        assert found(made, footage, [9])[9] is not between[9]  # out of the folder
        assert np.array_equal(found(made, footage, [9])[9], between[9])
    with JobStore(tmp_path / "b") as store:
        after = found(maps(footage, store), footage, [*KEYS, 9])
    assert np.array_equal(after[9], between[9])


def test_what_decides_a_map_is_what_comes_before_and_the_next_two(footage: Footage, tmp_path: Path) -> None:
    with JobStore(tmp_path / "a") as store:
        whole, more = maps(footage, store), maps(footage, store, [*KEYS[:4], 21, *KEYS[4:]])
        drawn, tiles = maps(footage, store, drawn=(6,)), maps(footage, store, kind="tile")
        same = [frame for frame in range(48) if whole.identity(frame) == more.identity(frame)]
        assert same == [*range(12), *range(30, 48)]  # 12 looks at 18 and 21; the other shot knows nothing of it
        assert whole.identity(0) != drawn.identity(0)
        assert all(tiles.identity(0) == tiles.identity(frame) for frame in range(48))
        assert len(str(whole.identity(47))) < 600
