"""Mattes of people, by the network inside the package, on a photograph of a real person."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import texture, write_clip
from command import Caller

from controls.types import People, Prompted
from interp.errors import MissingPackageError


class Shot:
    def __init__(self, frames: list[np.ndarray]) -> None:
        self.frames = frames
        self.size = (frames[0].shape[1], frames[0].shape[0])

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        yield from self.frames[start:stop]


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    from skimage import data

    return cv2.resize(data.astronaut(), (256, 256), interpolation=cv2.INTER_AREA)


def followed(frames: list[np.ndarray]) -> list[tuple[np.ndarray, frozenset[str]]]:
    pytest.importorskip("mediapipe")
    from controls.masks.people import PeopleMasker

    return [
        (found.mattes["her"], found.lost)
        for found in PeopleMasker().follow(Shot(frames), [Prompted("her", 0, People())])
    ]


def test_the_person_is_there_and_the_rest_is_not(photo: np.ndarray) -> None:
    for frames in ([photo], [photo.astype(np.uint16) * 257]):
        ((matte, lost),) = followed(frames)
        assert matte.shape == (256, 256)
        assert matte.dtype == np.float32
        assert matte[40:80, 100:125].mean() > 0.95  # her face
        assert matte[180:230, 80:160].mean() > 0.95  # her suit
        assert matte[:60, :40].mean() < 0.05  # the flag
        assert matte[:60, 220:].mean() < 0.05  # the wall
        assert not lost


def test_a_matte_keeps_still_where_the_network_wavers(photo: np.ndarray) -> None:
    """The same picture with other noise: mattes differ less from frame to frame than those of single frames do."""
    rng = np.random.default_rng(0)
    frames = [np.clip(photo + rng.normal(0, 18, photo.shape), 0, 255).astype(np.uint8) for _ in range(6)]
    alone = [followed([frame])[0][0] for frame in frames]
    together = [matte for matte, _ in followed(frames)]

    def restless(mattes: list[np.ndarray]) -> float:
        return float(np.mean([np.abs(a - b).mean() for a, b in pairwise(mattes[2:])]))

    assert restless(together) < 0.8 * restless(alone)


def test_nobody_is_lost_only_after_somebody_was_seen(photo: np.ndarray) -> None:
    empty = np.round(texture(256, 256) * 90).astype(np.uint8)
    found = followed([empty, photo, empty, empty, empty, empty])
    assert not found[0][1]
    assert not found[1][1]
    assert found[-1][1] == frozenset({"her"})
    assert not found[-1][0].any()


def test_people_in_a_whole_job(photo: np.ndarray, tmp_path: Path, restyle_command: Caller) -> None:
    pytest.importorskip("mediapipe")
    write_clip(tmp_path / "in.mkv", [photo] * 4, codec="ffv1", pixel_format="bgr0")
    restyle_command(
        "run", "in.mkv", "-o", "o.mkv", "--codec", "ffv1", "--object", "her=people", "--layer",
        "background:mode=replace,source=#00ff00", "--no-report", "-q",
    )  # fmt: skip
    from restyle.footage import open_footage

    with open_footage(tmp_path / "o.mkv") as footage:
        for frame in footage.frames():
            assert (frame.picture[:40, :30] == (0, 255, 0)).all(axis=2).mean() > 0.95
            assert np.array_equal(frame.picture[50:70, 105:120], photo[50:70, 105:120])
    line = restyle_command.fails(
        "matte", "in.mkv", "-o", "m", "--object", "a=people", "--object", "a=box:1,1,9,9@0", code=2
    )
    assert "one or the other" in line


def test_without_the_package_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from controls.masks.people import PeopleMasker

    for name in [name for name in sys.modules if name.startswith("mediapipe")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(MissingPackageError, match=r"restyle\[pose\]"):
        PeopleMasker().follow(Shot([np.zeros((8, 8, 3), np.uint8)]), [Prompted("her", 0, People())])


def test_a_box_round_a_person_becomes_the_person_s_outline(photo: np.ndarray) -> None:
    pytest.importorskip("mediapipe")
    from controls.masks.person_box import outlined_people
    from controls.types import Box, Matte, Point

    her, flag, face = Box(20, 5, 225, 255), Box(2, 2, 60, 120), Box(98, 30, 128, 85)
    prompts = [
        Prompted("her", 0, her), Prompted("her", 0, Point(110.0, 60.0)), Prompted("flag", 0, flag), Prompted("face", 0, face),
    ]  # fmt: skip
    outlined, found = outlined_people(Shot([photo.astype(np.uint16) * 257]), prompts)
    assert found == {"her": 0}
    assert outlined[1:] == prompts[1:]
    matte = outlined[0].prompt
    assert isinstance(matte, Matte)
    assert matte.values[40:80, 100:125].mean() > 0.95
    assert matte.values[:60, 226:].max() == 0
    two = [Prompted("her", 0, her), Prompted("her", 0, her)]  # of several shapes on one frame nothing is touched
    assert outlined_people(Shot([photo]), two) == (two, {})


def test_a_job_begins_with_the_outline_and_says_so(photo: np.ndarray, tmp_path: Path, restyle_command: Caller) -> None:
    pytest.importorskip("mediapipe")
    write_clip(tmp_path / "in.mkv", [photo] * 3, codec="ffv1", pixel_format="bgr0")
    words = ("matte", "in.mkv", "-o", "m", "--masker", "flowcut", "--object", "her=box:20,5,225,255@0")
    said = restyle_command(*words, "--object", "it=box:2,2,60,120@0")
    assert "object 'her': its box holds a person; MediaPipe drew the first matte (frame 0)" in said.out + said.err
    assert "object 'it': its box" not in said.out + said.err
    matte = cv2.imread(str(sorted((tmp_path / "m" / "her").glob("*.png"))[0]), cv2.IMREAD_UNCHANGED)
    assert matte[60, 112] > 0.9 * np.iinfo(matte.dtype).max
    assert not matte[:, 228:].any()  # the box still binds


def test_without_the_package_a_box_stays_a_box(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    from controls.masks import person_box
    from controls.types import Box

    monkeypatch.setattr(person_box, "mediapipe_is_there", lambda: False)
    prompts = [Prompted("her", 0, Box(20, 5, 225, 255))]
    assert person_box.outlined_people(Shot([photo]), prompts) == (prompts, {})
