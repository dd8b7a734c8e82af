from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from clips import moving_frames, write_clip

from controls.maps import DETECTORS
from controls.maps.files import read_maps
from restyle import Job, Recipe, RestyleError
from restyle.footage import open_footage, timing
from restyle.progress import Progress

SIZE = (96, 64)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(
        tmp_path / "in.mkv", moving_frames(14, SIZE, cuts=(8,)), codec="ffv1", pixel_format="bgr0", rate=24
    )


def sources(clip: Path) -> list[np.ndarray]:
    with open_footage(clip) as footage:
        return [frame.picture for frame in footage.frames()]


def test_maps_as_detected_are_the_detectors_own(clip: Path, tmp_path: Path) -> None:
    made = Job(clip, recipe=Recipe(cuts=(8,))).control_maps(tmp_path / "maps", ["canny", "tile"], stabilise=False)
    assert made == [tmp_path / "maps" / "canny", tmp_path / "maps" / "tile"]
    for kind in ("canny", "tile"):
        detector: Any = DETECTORS.make(kind)
        kept = read_maps(tmp_path / "maps" / kind, kind)
        assert kept.frames == list(range(14))
        for frame, picture in enumerate(sources(clip)):
            assert np.array_equal(kept.load(frame).picture, detector.detect(picture).picture)


def test_stabilised_maps_never_look_across_a_cut(clip: Path, tmp_path: Path) -> None:
    recipe = Recipe(cuts=(8,))
    Job(clip, recipe=recipe).control_maps(tmp_path / "whole", ["canny"])
    Job(clip, recipe=Recipe(cuts=(8,), range="8:14")).control_maps(tmp_path / "part", ["canny"])
    whole, part = read_maps(tmp_path / "whole" / "canny", "canny"), read_maps(tmp_path / "part" / "canny", "canny")
    assert part.frames == list(range(8, 14))
    for frame in part.frames:
        assert np.array_equal(whole.load(frame).picture, part.load(frame).picture)
    Job(clip, recipe=recipe).control_maps(tmp_path / "raw", ["canny"], stabilise=False)
    raw = read_maps(tmp_path / "raw" / "canny", "canny")
    assert any(not np.array_equal(raw.load(frame).picture, whole.load(frame).picture) for frame in whole.frames)


def test_flow_maps_take_a_frame_and_its_neighbour_of_the_same_shot(clip: Path, tmp_path: Path) -> None:
    Job(clip, recipe=Recipe(cuts=(8,))).control_maps(tmp_path / "maps", ["flow"], stabilise=False)
    kept, frames, detector = read_maps(tmp_path / "maps" / "flow", "flow"), sources(clip), DETECTORS.make("flow")
    assert kept.frames == list(range(14))
    assert np.array_equal(kept.load(3).picture, detector.detect_pair(frames[3], frames[4]).picture)  # type: ignore[union-attr]
    last = detector.detect_pair(frames[7], frames[6], backward=True)  # type: ignore[union-attr]
    assert np.array_equal(kept.load(7).picture, last.picture)


def test_a_clip_of_maps_has_the_footages_timing(clip: Path, tmp_path: Path) -> None:
    heard: list[Progress] = []
    made = Job(clip, progress=heard.append).control_maps(tmp_path / "maps", ["canny"], video=True)
    video = tmp_path / "maps" / "canny.mp4"
    assert video in made
    assert len(timing(video)) == 14
    pictures = sources(video)
    assert len(pictures) == 14
    still = cv2.imread(str(tmp_path / "maps" / "canny" / "000005.png"))
    assert np.abs(pictures[5].astype(int) - still[:, :, ::-1]).mean() < 8
    assert sorted(path.name for path in (tmp_path / "maps").glob("[!.]*")) == ["canny", "canny.mp4"]
    assert [p for p in heard if p.stage == "maps"][-1].done == 14


def test_what_can_be_refused_is_refused_before_the_footage_is_looked_at(clip: Path, tmp_path: Path) -> None:
    heard: list[Progress] = []
    work = Job(clip, None, Recipe(), offline=True, progress=heard.append)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "letter.txt").touch()
    for folder, asked in (("there", ["canny"]), ("maps", ["cany"]), ("maps", ["canny", "softedge"])):
        with pytest.raises(RestyleError):
            work.control_maps(tmp_path / folder, asked)
    assert not heard
