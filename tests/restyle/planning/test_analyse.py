from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, write_clip

from restyle import Job, Recipe
from restyle.footage import open_footage
from restyle.planning import survey as surveying
from restyle.planning.analyse import analyse, put_together, survey, walk_span
from restyle.planning.effort import key_rules
from restyle.progress import Meter


def test_a_cut_that_only_motion_betrays_begins_a_shot(tmp_path: Path) -> None:
    """Two textures of the same colours: no histogram changes, but nothing of the one is in the other."""
    path = write_clip(tmp_path / "in.mp4", moving_frames(40, (96, 64), cuts=(20,)), rate=24)
    plan = Job(path).plan()
    assert [shot.start for shot in plan.shots] == [0, 20]
    assert 20 in {key.frame for key in plan.keyframes}
    assert all(key.reason == "end" for key in plan.keyframes if key.frame == 19)


def test_a_flash_stands_alone(tmp_path: Path) -> None:
    frames = moving_frames(30, (96, 64), shift=(1, 0))
    frames[14] = np.full_like(frames[0], 250)
    plan = Job(write_clip(tmp_path / "in.mp4", frames, rate=24)).plan()
    assert {14, 15} <= {key.frame for key in plan.keyframes}
    assert all(not (shot.start < 14 and shot.stop > 15) for shot in plan.shots)


def test_numbers_of_every_frame(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "in.mp4", moving_frames(25, (96, 64)), rate=24)
    found = Job(path, recipe=Recipe(range="5:20")).analyse()
    assert (found.start, found.stop, len(found.pts), len(found.coverage)) == (5, 20, 20, 15)
    assert max(found.moved) > 0.01
    assert found.coverage[0] == 1


@pytest.mark.parametrize(
    "fields", [{}, {"storyboard": {70: "a.png"}, "range": "7:"}, {"cuts": (33, 90)}, {"cuts": "none"}]
)
def test_span_by_span_comes_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fields: dict[str, object]
) -> None:
    """Cuts, a fade through black, which is told of late, a flash, and one that only motion betrays."""
    monkeypatch.setattr(surveying, "LEAST", 8)
    frames = moving_frames(130, (96, 64), cuts=(20, 75), shift=(1, 0))
    for frame in range(40, 60):
        frames[frame] = (frames[frame] * min(1.0, abs(frame - 50) / 10)).astype(np.uint8)
    frames[60:] = [255 - frame for frame in frames[60:]]
    frames[100] = np.full_like(frames[0], 250)
    recipe = Recipe.build("the recipe", **fields)
    rules, start = key_rules(recipe, 0.0), 7 if "range" in fields else 0
    with open_footage(write_clip(tmp_path / "in.mp4", frames, rate=24)) as footage:
        whole = analyse(footage, recipe, rules, start, None, Meter())
        found = survey(footage, recipe, start, None, Meter())
        spans = found.spans(recipe)
        walked = [walk_span(footage, recipe, rules, found.told, span, Meter()) for span in reversed(spans)]
    assert (len(spans) > 1) is (fields != {"cuts": "none"})
    assert [spans[0][0], *(stop for _, stop in spans)] == [*(first for first, _ in spans), 130]
    assert replace(put_together(found, walked[::-1]), seconds=0) == replace(whole, seconds=0)
    assert len(whole.cuts) >= 2 or fields == {"cuts": "none"}
