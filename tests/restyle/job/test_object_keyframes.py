"""Where objects alone are painted, keyframes are chosen by what happens in them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import write_pictures
from scenes import texture

from restyle.job.job import Job
from restyle.recipe import Recipe

COUNT, WIDTH, HEIGHT = 17, 320, 180
CHANGING, STILL = (slice(40, 100), slice(30, 110)), (slice(60, 140), slice(200, 290))


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """A thing that looks another way in every frame, beside one that stands still."""
    ground = texture(HEIGHT, WIDTH, 1)
    frames = []
    for number in range(COUNT):
        frame = ground.copy()
        frame[CHANGING] = texture(60, 80, number + 5)
        frames.append(frame)
    write_pictures(tmp_path / "shot", frames, "f.%04d.png")
    for name, place in (("changing", CHANGING), ("still", STILL)):
        matte = np.zeros((HEIGHT, WIDTH), np.uint8)
        matte[place] = 255
        (tmp_path / name).mkdir()
        for number in range(COUNT):
            cv2.imwrite(str(tmp_path / name / f"{number:04d}.png"), matte)
    return tmp_path


def painted(footage: Path, *objects: str, **fields: object) -> int:
    recipe = Recipe.build(
        painter="identity", objects=[f"{name}=mattes:{footage / name}" for name in objects], cuts="none", **fields
    )
    result = Job(footage / "shot", footage / f"{'-'.join(objects) or 'all'}.mkv", recipe, overwrite=True).run()
    return result.painted - result.repaired


def test_what_changes_asks_for_keyframes_only_where_it_is_painted(footage: Path) -> None:
    assert painted(footage, "changing") > 5
    assert painted(footage, "still") <= 2
    assert painted(footage) > 5
    assert painted(footage, "changing", "still") > 5


def test_keyframes_that_a_person_names_stay(footage: Path) -> None:
    assert painted(footage, "changing", keyframes="every:8") == 3


def test_they_are_chosen_once(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = painted(footage, "still")

    def never(*_: object) -> None:
        raise AssertionError("chosen again")

    monkeypatch.setattr("restyle.job.findings.keyframes_within", never)
    assert painted(footage, "still") == first
    with pytest.raises(AssertionError, match="chosen again"):
        painted(footage, "still", layers=[{"object": "still", "grow": 9}])
